"""What every layer has: fields, shapes, a forward pass, and a backward pass right under it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import DTypeLike

from chainrule.activations import ActivationFunction
from chainrule.arrays import Array
from chainrule.errors import NetworkError
from chainrule.initializers import Initializer
from chainrule.layers.element import Source, Term
from chainrule.limits import NOT_NEGATIVE, Limited, check
from chainrule.resolve import set_fields
from chainrule.schedules import Schedule

Arrays = Mapping[str, Array]
Shape = tuple[int, ...]


Kind = Literal["weight", "bias", "scale"]
Numbers = Literal["float", "integer"]
# of the fields of a layer that say how its weights learn
OF_WEIGHTS = {"l1": NOT_NEGATIVE, "l2": NOT_NEGATIVE, "rate_factor": NOT_NEGATIVE, "decay_factor": NOT_NEGATIVE}


@dataclass(frozen=True)
class ParameterSpec:
    """One learned array of a layer: what it is called, how large it is, where it starts, how it learns.

    Arguments:
        name: within the layer, as in `"W"`.
        shape: the array's shape.
        kind: what it counts as in summaries; weights stand before all others in the vector.
        initializer: draws the numbers that it starts from.
        l1, l2: its penalties; None takes what the model asks of its weights.
        penalized: whether there are penalties on it at all.
        trainable: False keeps it as it is.
        rate_factor: what the learning rate is multiplied by for it: 0.1 learns ten times as slowly.
        decay_factor: what the optimizer's `weight_decay` is multiplied by for it: 0 decays not at all.
    """

    name: str
    shape: Shape
    kind: Kind
    initializer: Initializer
    l1: float | None = None
    l2: float | None = None
    penalized: bool = False
    trainable: bool = True
    rate_factor: float = 1.0
    decay_factor: float = 1.0

    def __post_init__(self) -> None:
        for factor in ("rate_factor", "decay_factor"):
            check(f'parameter "{self.name}"', factor, getattr(self, factor), NOT_NEGATIVE)


@dataclass(frozen=True)
class StateSpec:
    """One array that a layer keeps but doesn't learn: the number that it starts from, and the least that it can be."""

    name: str
    shape: Shape
    start: float
    least: float = -math.inf


@dataclass(frozen=True)
class Context:
    """What a forward pass must know beside its numbers.

    `training` turns dropout on and makes batch normalization use the batch. The rest is the place in the
    random stream: `step` counts parameter updates from 0, `layer` is the index in `network.steps`. `dtype` is the
    precision in which the network computes, for layers that make numbers out of something else. `scheduled` has the
    numbers that follow schedules, in this step, by the layer.
    """

    training: bool = False
    seed: int = 0
    step: int = 0
    layer: int = 0
    member: int = 0
    dtype: DTypeLike = np.float64
    scheduled: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Value:
    """What a layer makes out of the values it reads, while a network is being described."""

    layer: Layer
    inputs: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Layer(Limited):
    """The base of all layers. Passes are pure: they change nothing that they were given.

    What others must know of a layer they ask it: engines its passes and, by `native`, what the C++ core calls it; the
    derivation its scalar form, `element`; the objective which function it is, and what it makes. A layer of one's own
    gives `forward`, `backward`, and `parameter_specs` where it learns: `docs/how-to/add-a-layer.md`.

    Arguments:
        name: what it is called within a network; without one it is called after its type.
    """

    name: str = field(default="", kw_only=True)

    n_inputs: ClassVar[int | None] = 1  # None: two or more
    is_random: ClassVar[bool] = False
    least_rows: ClassVar[int] = 1  # of a training batch
    formula: ClassVar[str] = ""
    reads: ClassVar[Numbers] = "float"  # "integer": codes, by which there is no gradient
    letter: ClassVar[str] = "h"  # what formulas call an output: z before an activation, h otherwise
    makes: ClassVar[str] = ""  # what an output can be: that of the activation of this name ("linear": any number)
    affine_in: ClassVar[str] = ""  # the parameter, units last, that the output is proportional to, but for a bias "b"
    rows_alike: ClassVar[bool] = False  # whether the scalar form is the same in every row
    couples_rows: ClassVar[bool] = False  # whether in training a row's output depends on the others
    back_formula: ClassVar[str] = ""  # of the gradient by an input, in the letters of derivations
    local_formulas: ClassVar[Mapping[str, str]] = {}  # of the derivative by each parameter
    array_formulas: ClassVar[Mapping[str, str]] = {}  # of whole gradients: by the input "x" and by each parameter
    applies: ClassVar[ActivationFunction | None] = None  # the activation function that the layer is, if it is one

    def __call__(self, *values: Value | Layer) -> Value:
        """Apply the layer to values, in the functional way of describing a network."""
        return Value(self, tuple(as_value(value) for value in values))

    def expand(self) -> tuple[Layer, ...]:
        """The layers that this one stands for: itself, unless it is sugar for several.

        >>> from chainrule import Dense
        >>> [type(layer).__name__ for layer in Dense(3, activation="relu").expand()]
        ['Dense', 'Activation']
        """
        return (self,)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        """The shape of one row of the output.

        Arguments:
            shapes: the shapes of one row of each input.

        Raises:
            NetworkError: the layer takes no rows of these shapes.

        >>> from chainrule import Concatenate
        >>> Concatenate().output_shape(((2,), (3,)))
        (5,)
        """
        return shapes[0]

    @property
    def output_dtype(self) -> Numbers:
        """What the output's numbers are; only an `Input` can give integers."""
        return "float"

    @property
    def schedule(self) -> Schedule | None:
        """What the number of the layer follows that changes from one training step to the next, if there is one."""
        return None

    def codes(self, shapes: tuple[Shape, ...]) -> range | tuple[range, ...] | None:
        """The integers that the layer takes, where it reads integers: one range, or one for each column; None: all.

        Arguments:
            shapes: the shapes of one row of each input.

        >>> from chainrule import OneHot
        >>> OneHot(3, first=1).codes(((1,),))
        range(1, 4)
        """
        return None

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        """The arrays that the layer learns.

        Arguments:
            shapes: the shapes of one row of each input.

        >>> from chainrule import Dense
        >>> [(spec.name, spec.shape) for spec in Dense(3).parameter_specs(((2,),))]
        [('W', (2, 3)), ('b', (3,))]
        """
        return ()

    def state_specs(self, shapes: tuple[Shape, ...]) -> tuple[StateSpec, ...]:
        """The arrays that the layer keeps without learning them.

        Arguments:
            shapes: the shapes of one row of each input.

        >>> from chainrule import BatchNorm
        >>> [(spec.name, spec.start) for spec in BatchNorm().state_specs(((2,),))]
        [('mean', 0.0), ('variance', 1.0)]
        """
        return ()

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        """The output, the memo that `backward` reads, and the new state (the old one if nothing changed).

        Arguments:
            parameters, state: the layer's arrays by name, as `parameter_specs` and `state_specs` describe them.
            inputs: the values that it reads, each (rows, *shape).
            context: whether this is training, and the place in the random stream.

        >>> import numpy as np
        >>> from chainrule import Add
        >>> y, memo, state = Add().forward({}, {}, (np.array([[1.0]]), np.array([[2.0]])), Context())
        >>> y.tolist(), Add().backward({}, memo, np.array([[10.0]]))[0][1].tolist()
        ([[3.0]], [[10.0]])
        """
        raise NotImplementedError

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """`dL/d(input)` for each input, and `dL/d(parameter)` by name.

        Arguments:
            parameters: as in `forward`.
            memo: what `forward` kept.
            d_output: `dL/d(output)`, of the shape of the output.
            wanted: false where nobody reads the gradients by the inputs (the first layer of a network).
        """
        raise NotImplementedError

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...] | None:
        """One unit of the output in one row as a sum of products; None where it is no such sum.

        Derivations print it and differentiate it, term by term, and marking recomputes it.

        Arguments:
            row, unit: which element of the output, from 0; units of the flattened row.
            shapes: the shapes of one row of each input.
            memo: what `forward` kept, for coefficients that depend on it.

        >>> from chainrule import Dense
        >>> [len(term.factors) for term in Dense(1).element(0, 0, ((2,),), {})]  # z = x_1 W_11 + x_2 W_21 + b_1
        [2, 2, 1]
        """
        return None

    def reached(self, source: Source, row: int, shapes: tuple[Shape, ...], memo: Arrays) -> Iterable[int] | None:
        """The units of the output that a source acts on; None where `element` of every unit is to be asked for them.

        Arguments:
            source: an element of an input, or of a parameter.
            row: in which row, from 0.
            shapes: the shapes of one row of each input.
            memo: what `forward` kept.

        >>> from chainrule import Dense
        >>> from chainrule.layers.element import Learned
        >>> list(Dense(3).reached(Learned("W", (0, 2)), 0, ((2,),), {}))
        [2]
        """
        return None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the type, and the fields that differ from their defaults.

        >>> from chainrule import Dropout
        >>> Dropout(0.2, name="d").to_dict()
        {'type': 'Dropout', 'name': 'd', 'rate': 0.2}
        """
        return {"type": type(self).__name__, "name": self.name, **set_fields(self, leave_out="name")}

    def check_rank(self, shape: Shape, rank: int = 1) -> None:
        """Raise a `NetworkError` unless rows are vectors.

        Arguments:
            shape: that of one row.
            rank: 1 for vectors.

        >>> from chainrule import Dense
        >>> Dense(3, name="d").check_rank((28, 28))
        Traceback (most recent call last):
            ...
        chainrule.errors.NetworkError: Dense "d" reads rows of shape (28, 28); it takes vectors: put Flatten() before it
        """
        if len(shape) != rank:
            raise NetworkError(
                f'{type(self).__name__} "{self.name}" reads rows of shape {shape}; it takes vectors: '
                "put Flatten() before it"
            )


def as_value(thing: Value | Layer) -> Value:
    """A value as it is; an `Input` as the value it provides."""
    if isinstance(thing, Value):
        return thing
    if isinstance(thing, Layer) and thing.n_inputs == 0:
        return Value(thing)
    if isinstance(thing, Layer):
        raise NetworkError(
            f"{type(thing).__name__} was handed in where a value belongs; apply it first, as in Dense(3)(x)"
        )
    raise NetworkError(f"a layer reads values made by other layers, not {thing!r}")

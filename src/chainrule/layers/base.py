"""What every layer has: fields, shapes, a forward pass, and a backward pass right under it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from chainrule.arrays import Array
from chainrule.errors import NetworkError
from chainrule.initializers import Initializer
from chainrule.layers.element import Learned, Source, Term
from chainrule.limits import Limited
from chainrule.resolve import set_fields

Arrays = Mapping[str, Array]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class ParameterSpec:
    """One learned array of a layer: what it is called, how large it is, where it starts, what it is charged."""

    name: str
    shape: Shape
    kind: Literal["weight", "bias", "scale"]
    initializer: Initializer
    l1: float | None = None  # None: whatever the model asks of its weights
    l2: float | None = None
    penalized: bool = False
    trainable: bool = True


@dataclass(frozen=True)
class StateSpec:
    """One array that a layer keeps but doesn't learn, and the number that it starts from."""

    name: str
    shape: Shape
    start: float


@dataclass(frozen=True)
class Context:
    """What a forward pass must know beside its numbers.

    `training` turns dropout on and makes batch normalization use the batch. The rest is the place in the
    random stream: `step` counts parameter updates from 0, `layer` is the index in `network.steps`.
    """

    training: bool = False
    seed: int = 0
    step: int = 0
    layer: int = 0
    member: int = 0


@dataclass(frozen=True, eq=False)
class Value:
    """What a layer makes out of the values it reads, while a network is being described."""

    layer: Layer
    inputs: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Layer(Limited):
    """The base of all layers. Passes are pure: they change nothing that they were given."""

    name: str = field(default="", kw_only=True)

    n_inputs: ClassVar[int | None] = 1  # None: two or more
    is_random: ClassVar[bool] = False
    least_rows: ClassVar[int] = 1  # of a training batch
    formula: ClassVar[str] = ""

    def __call__(self, *values: Value | Layer) -> Value:
        """Apply the layer to values, in the functional way of describing a network."""
        return Value(self, tuple(as_value(value) for value in values))

    def expand(self) -> tuple[Layer, ...]:
        """The layers that this one stands for: itself, unless it is sugar for several."""
        return (self,)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        """The shape of one row of the output, from the shapes of one row of each input."""
        return shapes[0]

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        """The arrays that the layer learns."""
        return ()

    def state_specs(self, shapes: tuple[Shape, ...]) -> tuple[StateSpec, ...]:
        """The arrays that the layer keeps without learning them."""
        return ()

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        """The output, the memo that `backward` reads, and the new state (the old one if nothing changed)."""
        raise NotImplementedError

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """`dL/d(input)` for each input, and `dL/d(parameter)` by name.

        `wanted` is false where nobody reads the gradients by the inputs (the first layer of a network).
        """
        raise NotImplementedError

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...] | None:
        """One unit of the output in one row as a sum of products; None where it is no such sum."""
        return None

    def reached(self, source: Source, shapes: tuple[Shape, ...]) -> Iterable[int]:
        """The units of the output that a source acts on: the same unit, unless the layer mixes units."""
        return (source.index[-1] if isinstance(source, Learned) else source.unit,)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the type, and the fields that differ from their defaults."""
        return {"type": type(self).__name__, "name": self.name, **set_fields(self, leave_out="name")}

    def check_rank(self, shape: Shape, rank: int = 1) -> None:
        """Raise a `NetworkError` unless rows are vectors (`rank` 1)."""
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

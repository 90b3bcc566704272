"""The activation layer: a function of the pre-activations."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.activations import ActivationFunction, get_activation
from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.layers.base import Arrays, Context, Layer, Shape


@dataclass(frozen=True)
class Activation(Layer):
    """A function of the pre-activations: `h = f(z)`, and going back `dL/dz = dL/dh f'(z)`.

    Rows keep their shape. Functions act element by element; softmax couples the units of a row, so that going back
    takes the product with its whole Jacobian.

    Arguments:
        function: one of `chainrule.activations`, by name, as its JSON form or as an object.

    Raises:
        InputError: there is no such function.
        NetworkError: softmax reads rows that aren't vectors.

    >>> Activation("leaky_relu").f.slope
    0.01
    >>> Activation({"name": "leaky_relu", "slope": 0.2}, name="a").to_dict()
    {'type': 'Activation', 'name': 'a', 'function': {'name': 'leaky_relu', 'slope': 0.2}}
    """

    function: str | ActivationFunction

    formula = "h = f(z)"
    native = Native("activation")  # and what the function says of itself

    def __post_init__(self) -> None:
        function = get_activation(self.function)
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "applies", function)

    @property
    def f(self) -> ActivationFunction:
        """The function, resolved."""
        return self.function  # type: ignore[return-value]  # resolved in __post_init__

    @property
    def makes(self) -> str:  # type: ignore[override]  # other layers make the same whatever their fields are
        return self.f.name

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (z,) = inputs
        h = self.f.value(z)
        return h, {self.f.needs: z if self.f.needs == "z" else h}, state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """`dL/dz = dL/dh f'(z)`, or the product with the Jacobian where units are coupled (softmax)."""
        return (self.f.backward(memo[self.f.needs], d_output),), {}

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        if self.f.coupled:
            self.check_rank(shapes[0])
        return shapes[0]

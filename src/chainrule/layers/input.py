"""Where data enters."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.errors import NetworkError
from chainrule.layers.base import Layer, Shape
from chainrule.limits import COUNT


@dataclass(frozen=True)
class Input(Layer):
    """A named input: `shape` is that of one row, a number for plain vectors."""

    shape: int | Shape

    n_inputs = 0
    formula = "x"

    def __post_init__(self) -> None:
        given = self.shape if isinstance(self.shape, (tuple, list)) else (self.shape,)
        shape = tuple(int(n) if COUNT.holds(n) else 0 for n in given)
        if not shape or 0 in shape:
            raise NetworkError(f"Input: shape is {self.shape!r}; it must be a whole number of at least 1, or several")
        object.__setattr__(self, "shape", shape)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        return self.shape  # type: ignore[return-value]  # a tuple since __post_init__

"""Where data enters."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.errors import NetworkError
from chainrule.layers.base import Layer, Numbers, Shape
from chainrule.limits import COUNT


@dataclass(frozen=True)
class Input(Layer):
    """A named input: where one array of `X` enters the network.

    With `dtype="integer"` it holds codes, as of categories: whole numbers from -2^31 to 2^31 - 1, which stay integers
    from the data to the layer that reads them (`OneHot`). There is no gradient by a code.

    Arguments:
        shape: that of one row; a number for a vector of so many.
        dtype: `"float"`, in the precision of the model, or `"integer"`.

    Raises:
        NetworkError: shape or dtype is none of these.

    >>> Input(4, name="x").shape, Input((28, 28)).shape
    ((4,), (28, 28))
    >>> Input(1, dtype="integer", name="city").to_dict()
    {'type': 'Input', 'name': 'city', 'shape': (1,), 'dtype': 'integer'}
    """

    shape: int | Shape
    dtype: Numbers = "float"

    n_inputs = 0
    formula = "x"

    def __post_init__(self) -> None:
        given = self.shape if isinstance(self.shape, (tuple, list)) else (self.shape,)
        shape = tuple(int(n) if COUNT.holds(n) else 0 for n in given)
        if not shape or 0 in shape:
            raise NetworkError(f"Input: shape is {self.shape!r}; it must be a whole number of at least 1, or several")
        object.__setattr__(self, "shape", shape)
        if self.dtype not in ("float", "integer"):
            raise NetworkError(f'Input: dtype is {self.dtype!r}; it must be "float" or "integer"')

    @property
    def output_dtype(self) -> Numbers:
        return self.dtype

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        return self.shape  # type: ignore[return-value]  # a tuple since __post_init__

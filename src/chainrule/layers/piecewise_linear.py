"""PiecewiseLinear: each number through a learned piecewise-linear function for each unit, with knots that are fixed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import AnyArray, Array, whole
from chainrule.compiled import Native
from chainrule.errors import InputError, NetworkError, listed
from chainrule.initializers import Initializer, get_initializer
from chainrule.layers.base import OF_WEIGHTS, Arrays, Context, Layer, ParameterSpec, Shape
from chainrule.layers.element import Learned, Read, Source, Term
from chainrule.limits import COUNT, check

Knots = tuple[tuple[float, ...], ...]
NARROWEST = float(np.finfo(np.float32).tiny)  # of a bin: narrower ones are flushed to 0 where speed counts


@dataclass(frozen=True)
class PiecewiseLinear(Layer):
    """`z_j = sum_i sum_b W_bj e_b(x_i), e_b(x) = clip((x - t_b) / (t_b+1 - t_b), 0, 1)`: for each unit and input a
    function that is linear between knots `t_0 < t_1 < ... < t_T` and constant outside of them.

    Exactly a `Dense` layer without bias over the piecewise-linear encoding of the inputs, of which a row of `W` is
    what a unit gains over one bin (Gorishniy, Rubachev and Babenko, 2022, "On embeddings for numerical features in
    tabular deep learning"). The encoding is never written down: with the running sums `V_b = W_0 + ... + W_b-1`, made
    once for a batch, a number costs two rows of V, however many bins there are. `W` is of shape (bins of all inputs,
    units), those of the first input first. The gradient by x is the slope of x's bin `t_b <= x < t_b+1`, so at a
    knot that of the bin above it, and 0 outside.

    Arguments:
        knots: for each input its knots, increasing; an input with fewer than two has no bin and adds nothing.
            `quantile_knots` chooses them from training rows. The network takes them in its own precision.
        units: how many outputs.
        initializer: where `W` starts; `"auto"`: as a dense layer over the encoding would (Glorot).
        l1, l2: penalties `l1 |W| + l2 W^2` of this layer; None takes the model's.
        trainable: False keeps `W` as it is.
        rate_factor: what the learning rate is multiplied by for `W`.
        decay_factor: what the optimizer's `weight_decay` is multiplied by for it.

    Raises:
        InputError: knots aren't finite and increasing, in float32 too; there is no bin at all; units isn't a whole
            number of at least 1; a penalty or factor is negative.
        NetworkError: it reads something else than vectors with as many numbers as there are tuples of knots.

    >>> from chainrule import Input, Model, Network
    >>> model = Model(Network([Input(1), PiecewiseLinear(((0, 1, 3),), 1, name="f")]), "squared_error")
    >>> model.set_parameters({"f": {"W": [[10.0], [1.0]]}})
    >>> model.predict([[-1.0], [0.5], [1.0], [2.0], [5.0]]).ravel().tolist()
    [0.0, 5.0, 10.0, 10.5, 11.0]
    """

    knots: Knots
    units: int
    initializer: str | Initializer = "auto"
    l1: float | None = None
    l2: float | None = None
    trainable: bool = True
    rate_factor: float = 1.0
    decay_factor: float = 1.0

    formula = "z_j = sum_b W_bj e_b, e_b = clip((x - t_b) / (t_b+1 - t_b), 0, 1)"
    letter = "z"
    makes = "linear"
    affine_in = "W"
    native = Native("piecewise_linear", counts="knot_counts", knots="all_knots")
    back_formula = "dL/dh_i = sum_j dL/dz_j W_bj / (t_b+1 - t_b)"
    local_formulas = {"W": "dz_j/dW_bj = e_b"}
    limits = {"units": COUNT, **OF_WEIGHTS}

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "knots", _checked(self.knots))
        if self.initializer != "auto":
            object.__setattr__(self, "initializer", get_initializer(self.initializer))

    @property
    def knot_counts(self) -> tuple[int, ...]:
        """How many knots each input has."""
        return tuple(len(knots) for knots in self.knots)

    @property
    def all_knots(self) -> tuple[float, ...]:
        """The knots of all inputs, one after the other."""
        return tuple(knot for knots in self.knots for knot in knots)

    @cached_property
    def _bins(self) -> tuple[AnyArray, Array, Array]:
        """Of all bins the input, where it begins, and where it ends."""
        bins = [(i, *ends) for i, knots in enumerate(self.knots) for ends in pairwise(knots)]
        inputs, begins, ends = zip(*bins, strict=True)
        return np.array(inputs), np.array(begins), np.array(ends)

    def _bins_in(self, dtype: np.dtype) -> tuple[AnyArray, Array, Array]:
        """The same in the precision of a network."""
        inputs, begins, ends = self._bins
        return inputs, begins.astype(dtype), ends.astype(dtype)

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (x,) = inputs
        of, begins, ends = self._bins_in(x.dtype)
        e = (np.clip(x[:, of], begins, ends) - begins) / (ends - begins)
        return e @ parameters["W"], {"x": x, "e": e}, state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """`dL/dW = e^T dL/dz`; `dL/dx` by the slope of the bin that x is in."""
        gradients = {"W": memo["e"].T @ d_output}
        if not wanted:
            return (None,), gradients
        of, begins, ends = self._bins_in(memo["x"].dtype)
        x = memo["x"][:, of]
        slopes = ((begins <= x) & (x < ends)) / (ends - begins)
        d_x = np.zeros_like(memo["x"])
        np.add.at(d_x.T, of, ((d_output @ parameters["W"].T) * slopes.astype(d_x.dtype)).T)
        return (d_x,), gradients

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        """Whole gains of the bins below x, and `W x / width - W t_b / width` of its own bin, in which z is affine."""
        of, begins, ends = self._bins
        e, x = memo["e"][row], memo["x"][row]
        terms: list[Term] = []
        for b in range(len(of)):
            weight, width = Learned("W", (b, unit)), float(ends[b] - begins[b])
            if begins[b] <= x[of[b]] < ends[b]:
                terms.append(Term((weight, Read(int(of[b]))), 1 / width))
                if begins[b] != 0:
                    terms.append(Term((weight,), -float(begins[b]) / width))
            elif e[b] == 1:
                terms.append(Term((weight,)))
        return tuple(terms)

    def reached(self, source: Source, row: int, shapes: tuple[Shape, ...], memo: Arrays) -> Iterable[int]:
        """A bin's gain acts where x is in the bin or above it; x where it is in a bin."""
        of, begins, ends = self._bins
        if isinstance(source, Learned):
            b, unit = source.index
            return (unit,) if memo["x"][row, of[b]] >= begins[b] else ()
        x = memo["x"][row, source.unit]
        return range(self.units) if ((of == source.unit) & (begins <= x) & (x < ends)).any() else ()

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        self.check_rank(shapes[0])
        if shapes[0][0] != len(self.knots):
            raise NetworkError(
                f'PiecewiseLinear "{self.name}" has knots for {len(self.knots)} numbers and reads {shapes[0][0]}'
            )
        return (self.units,)

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        start = get_initializer("glorot_uniform" if self.initializer == "auto" else self.initializer)
        return (
            ParameterSpec(
                "W", (len(self._bins[0]), self.units), "weight", start, self.l1, self.l2, True, self.trainable,
                self.rate_factor, self.decay_factor,
            ),
        )  # fmt: skip


def quantile_knots(X: ArrayLike, bins: int = 32) -> Knots:
    """For each column of X the knots of at most `bins` bins that hold about equally many rows.

    Knots are numbers of the column, rounded to float32 and all different there: a column of two values gets one bin,
    a constant one (in float32) a single knot and so no bin.

    Arguments:
        X: training rows, (rows, columns), finite numbers.
        bins: how many for each column at most.

    Raises:
        InputError: X isn't such a table, or bins isn't a whole number of at least 1.

    >>> quantile_knots([[0, 7, 1], [1, 7, 0], [2, 7, 1], [3, 7, 1], [4, 7, 1]], bins=2)
    ((0.0, 2.0, 4.0), (7.0,), (0.0, 1.0))
    """
    check("quantile_knots", "bins", bins, COUNT)
    try:
        table = np.asarray(whole(X), dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"quantile_knots: X must be numbers: {error}") from None
    if table.ndim != 2 or not table.size:
        raise InputError(
            f"quantile_knots: X has shape {table.shape}; (rows, columns) would be right, at least one each"
        )
    with np.errstate(over="ignore"):
        single = table.astype(np.float32)
    wrong = np.flatnonzero(~np.isfinite(single).all(axis=0))
    if len(wrong):
        raise InputError(
            f"quantile_knots: X holds NaN, or numbers that aren't finite in float32, in columns "
            f"{listed(wrong, limit=5)} (columns count from 0)"
        )
    chosen = np.quantile(single, np.linspace(0, 1, bins + 1), axis=0, method="inverted_cdf")
    return tuple(_apart(np.unique(column)) for column in chosen.T)


def _apart(knots: Array) -> tuple[float, ...]:
    """Of increasing numbers those that are far enough from the one before."""
    kept: list[float] = []
    for knot in map(float, knots):
        if not kept or knot - kept[-1] >= NARROWEST:
            kept.append(knot)
    return tuple(kept)


def _checked(given: object) -> Knots:
    """Knots as tuples of floats; an `InputError` for what are none."""
    if not isinstance(given, (tuple, list)) or not all(isinstance(knots, (tuple, list, np.ndarray)) for knots in given):
        raise InputError("PiecewiseLinear: knots must be a tuple with the knots of each input, themselves tuples")
    result: list[tuple[float, ...]] = []
    for i, knots in enumerate(given):
        try:
            array = np.asarray(knots if len(knots) else np.zeros(0), dtype=float)
        except (TypeError, ValueError):
            array = np.array([[np.nan]])
        with np.errstate(over="ignore"):
            single = array.astype(np.float32)
        if array.ndim != 1 or not np.isfinite(single).all():
            raise InputError(f"PiecewiseLinear: knots of input {i} must be finite numbers, in float32 too")
        with np.errstate(over="ignore"):
            widths = np.diff(single)
        fits = (widths >= NARROWEST) & np.isfinite(widths)
        if not fits.all():
            b = int(np.flatnonzero(~fits)[0])
            raise InputError(
                f"PiecewiseLinear: knots of input {i} must increase by steps that float32 holds; "
                f"knot {b} is {array[b]:.9g}, knot {b + 1} {array[b + 1]:.9g} (inputs and knots count from 0)"
            )
        result.append(tuple(array.tolist()))
    if not any(len(knots) > 1 for knots in result):
        raise InputError("PiecewiseLinear: no input has two knots, so there is no bin at all")
    return tuple(result)

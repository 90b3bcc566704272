"""Losses: each with its formula and its gradient, one under the other.

A loss compares targets with the outputs `h` of a head, both of shape (rows, outputs). `rows` gives every row's
own loss, summed over its outputs; `gradient` gives `dL_row/dh`. Whoever trains weights the rows and divides.

Known pairs are also computed together from the pre-activation `z` (`fuses_with` names the partner): the
exponentials cancel, so logits of +-1000 give finite losses, and `dL_row/dz` is a difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from chainrule.activations import sigmoid
from chainrule.arrays import AnyArray, Array, whole
from chainrule.compiled import Native
from chainrule.errors import InputError, listed
from chainrule.limits import FRACTION, OPEN_FRACTION, POSITIVE, Limited
from chainrule.resolve import resolve


@dataclass(frozen=True)
class Loss(Limited):
    """What every loss has: a loss for each row, and its gradient; whoever trains weights the rows and divides.

    Your own: subclass it as a frozen dataclass, give `rows` and `gradient`, and hand in an instance. In all methods
    `target` and `output` have shape (rows, outputs); so has `z`, the pre-activation of the activation it fuses with.

    >>> @dataclass(frozen=True)
    ... class Quartic(Loss):
    ...     def rows(self, target, output):
    ...         return ((output - target) ** 4).sum(axis=1)
    ...
    ...     def gradient(self, target, output):
    ...         return 4 * (output - target) ** 3
    >>> Quartic().rows(np.array([[1.0]]), np.array([[3.0]])).tolist()
    [16.0]
    >>> Quartic().gradient(np.array([[1.0]]), np.array([[3.0]])).tolist()
    [[32.0]]
    """

    name: ClassVar[str] = "custom"
    formula: ClassVar[str] = ""
    gradient_formula: ClassVar[str] = ""
    fuses_with: ClassVar[str | None] = None  # the output activation it is computed together with
    fused_formula: ClassVar[str] = ""
    fused_gradient_formula: ClassVar[str] = ""
    reads: ClassVar[str] = "any number"  # what outputs must be for it, in words
    yes_or_no: ClassVar[bool] = False  # whether each output is an answer of its own, not one class of several
    separable: ClassVar[bool] = False  # whether a row's loss is a sum of one term for each output

    def rows(self, target: Array, output: Array) -> Array:
        """Every row's loss, shape (rows,).

        Arguments:
            target: what `prepare` made of the targets.
            output: the head's outputs, of the same shape.
        """
        raise NotImplementedError

    def gradient(self, target: Array, output: Array) -> Array:
        """`dL_row/dh`, shape (rows, outputs).

        Arguments:
            target: what `prepare` made of the targets.
            output: the head's outputs, of the same shape.
        """
        raise NotImplementedError

    def fused_rows(self, target: Array, z: Array) -> Array:
        """Every row's loss from the pre-activation of the activation that it fuses with, shape (rows,).

        Arguments:
            target: what `prepare` made of the targets.
            z: the pre-activations of the head; any size is fine, where `rows` would see a rounded 0 or 1.

        >>> BinaryCrossEntropy().fused_rows(np.array([[0.0]]), np.array([[1000.0]])).tolist()
        [1000.0]
        """
        return self.rows(target, z)

    def fused_gradient(self, target: Array, z: Array) -> Array:
        """`dL_row/dz`, shape (rows, outputs).

        Arguments:
            target: what `prepare` made of the targets.
            z: the pre-activations of the head.

        >>> BinaryCrossEntropy().fused_gradient(np.array([[0.0]]), np.array([[1000.0]])).tolist()
        [[1.0]]
        """
        return self.gradient(target, z)

    def apart(self, target: AnyArray, outputs: int) -> tuple[Loss, Array]:
        """The loss and the targets (rows, outputs) by which single outputs can be asked, where it is separable.

        Arguments:
            target: what `prepare` made of the targets.
            outputs: the number of the head's outputs.

        >>> CrossEntropy().apart(np.array([2]), outputs=3)[1].tolist()
        [[0.0, 0.0, 1.0]]
        """
        return self, target

    def prepare(self, y: ArrayLike, outputs: int, dtype: np.dtype, head: str) -> AnyArray:
        """Targets in the form that `rows` takes: checked, of the right type, shape (rows, outputs).

        Arguments:
            y: targets as the user has them; a head of one output takes a plain list.
            outputs: the number of the head's outputs.
            dtype: the type of the model's numbers.
            head: its name, for messages.

        Raises:
            InputError: targets of another shape, no numbers, NaN, infinite, or outside of what the loss is defined for.

        >>> SquaredError().prepare([1, 2], outputs=1, dtype=np.dtype("float64"), head="age").tolist()
        [[1.0], [2.0]]
        """
        target = _numbers(y, dtype, head)
        if target.ndim == 1 and outputs == 1:
            target = target[:, None]
        if target.ndim != 2 or target.shape[1] != outputs:
            raise InputError(
                f'targets of head "{head}" have shape {target.shape}; '
                f"it has {outputs} output{'s' * (outputs != 1)}, so (rows, {outputs}) would be right"
            )
        _check_finite(target, head)
        return self.check_targets(target, head)

    def as_numbers(self, target: AnyArray, outputs: int, dtype: np.dtype) -> Array:
        """Targets of which means can be taken, shape (rows, outputs), as mixing rows does: labels as one-hot rows.

        Arguments:
            target: what `prepare` made of the targets.
            outputs: the number of the head's outputs.
            dtype: the type of the model's numbers.

        >>> CrossEntropy().as_numbers(np.array([2]), outputs=3, dtype=np.dtype("float32")).tolist()
        [[0.0, 0.0, 1.0]]
        """
        return target

    def check_targets(self, target: AnyArray, head: str) -> AnyArray:
        """The targets, or an `InputError` where one is outside what the loss is defined for.

        Arguments:
            target: finite numbers of shape (rows, outputs).
            head: the head's name, for messages.

        >>> Poisson().check_targets(np.array([[-1.0]]), head="visits")
        Traceback (most recent call last):
            ...
        chainrule.errors.InputError: targets of head "visits": row 0 has [-1.0]; Poisson counts are not negative
        """
        return target

    def stand_in(self, rows: int, outputs: int) -> AnyArray:
        """Targets that `prepare` takes, for whoever has none and asks for nothing that depends on them.

        Arguments:
            rows: how many.
            outputs: the number of the head's outputs.

        >>> SquaredError().stand_in(rows=1, outputs=2).tolist()
        [[0.0, 0.0]]
        """
        return np.zeros((rows, outputs))


@dataclass(frozen=True)
class SquaredError(Loss):
    """The squared error, without the half: `L = sum_j (h_j - y_j)^2`; `"half_squared_error"` has it.

    Its best constant is the mean of the targets. Outputs and targets: any numbers.

    >>> SquaredError().rows(np.array([[1.0, 2.0]]), np.array([[3.0, 1.0]])).tolist()
    [5.0]
    """

    name = "squared_error"
    native = Native("squared_error")
    separable = True
    formula = "L = sum_j (h_j - y_j)^2"
    gradient_formula = "dL/dh_j = 2 (h_j - y_j)"
    fuses_with = "linear"
    fused_formula = formula
    fused_gradient_formula = "dL/dz_j = 2 (z_j - y_j)"

    def rows(self, target: Array, output: Array) -> Array:
        return ((output - target) ** 2).sum(axis=1)

    def gradient(self, target: Array, output: Array) -> Array:
        return 2 * (output - target)


@dataclass(frozen=True)
class HalfSquaredError(Loss):
    """Half the squared error, `L = 1/2 sum_j (h_j - y_j)^2`: its gradient is the plain difference.

    >>> HalfSquaredError().gradient(np.array([[1.0, 2.0]]), np.array([[3.0, 1.0]])).tolist()
    [[2.0, -1.0]]
    """

    name = "half_squared_error"
    native = Native("half_squared_error")
    separable = True
    formula = "L = 1/2 sum_j (h_j - y_j)^2"
    gradient_formula = "dL/dh_j = h_j - y_j"
    fuses_with = "linear"
    fused_formula = formula
    fused_gradient_formula = "dL/dz_j = z_j - y_j"

    def rows(self, target: Array, output: Array) -> Array:
        return ((output - target) ** 2).sum(axis=1) / 2

    def gradient(self, target: Array, output: Array) -> Array:
        return output - target


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """The absolute error, `L = sum_j |h_j - y_j|`; its best constant is the median.

    Where `h = y`, and no derivative exists, the gradient is 0.

    >>> AbsoluteError().rows(np.array([[1.0, 2.0]]), np.array([[3.0, 1.0]])).tolist()
    [3.0]
    """

    name = "absolute_error"
    native = Native("absolute_error")
    separable = True
    formula = "L = sum_j |h_j - y_j|"
    gradient_formula = "dL/dh_j = sign(h_j - y_j)"

    def rows(self, target: Array, output: Array) -> Array:
        return np.abs(output - target).sum(axis=1)

    def gradient(self, target: Array, output: Array) -> Array:
        return np.sign(output - target)


@dataclass(frozen=True)
class Huber(Loss):
    """Half the squared error near the target, linear from `delta` on, so that outliers pull no harder than others.

    With `e = h - y`: `e^2 / 2` where `|e| <= delta`, `delta (|e| - delta / 2)` beyond, summed over the outputs.
    Huber, 1964, "Robust estimation of a location parameter".

    Arguments:
        delta: the difference from which on it is linear, above 0, in the units of the targets.

    Raises:
        InputError: delta isn't a number above 0.

    >>> Huber(delta=1.0).rows(np.array([[0.0, 0.0]]), np.array([[0.5, 3.0]])).tolist()
    [2.625]
    """

    delta: float = 1.0

    name = "huber"
    native = Native("huber", parameter="delta")
    separable = True
    formula = "L = sum_j e_j^2 / 2 if |e_j| <= delta else delta (|e_j| - delta / 2), e = h - y"
    gradient_formula = "dL/dh_j = min(max(e_j, -delta), delta), e = h - y"
    limits = {"delta": POSITIVE}

    def rows(self, target: Array, output: Array) -> Array:
        size = np.abs(output - target)
        near = np.minimum(size, self.delta)
        return (near * (size - near / 2)).sum(axis=1)

    def gradient(self, target: Array, output: Array) -> Array:
        return np.clip(output - target, -self.delta, self.delta)


@dataclass(frozen=True)
class Quantile(Loss):
    """The pinball loss, `L = sum_j max(level (y_j - h_j), (level - 1) (y_j - h_j))`: its best constant is a quantile.

    Too low an output costs `level` for each unit, too high a one `1 - level` (Koenker and Bassett, 1978, "Regression
    quantiles"). Where `h = y` the gradient is taken as 0.

    Arguments:
        level: which quantile of the targets, between 0 and 1; 0.5 is the median.

    Raises:
        InputError: level isn't a number between 0 and 1.

    >>> Quantile(level=0.75).rows(np.array([[1.0], [1.0]]), np.array([[0.0], [2.0]])).tolist()
    [0.75, 0.25]
    """

    level: float = 0.5

    name = "quantile"
    native = Native("quantile", parameter="level")
    separable = True
    formula = "L = sum_j max(level (y_j - h_j), (level - 1) (y_j - h_j))"
    gradient_formula = "dL/dh_j = -level if y_j > h_j else 1 - level if h_j > y_j else 0"
    limits = {"level": OPEN_FRACTION}

    def rows(self, target: Array, output: Array) -> Array:
        short = target - output
        return np.maximum(self.level * short, (self.level - 1) * short).sum(axis=1)

    def gradient(self, target: Array, output: Array) -> Array:
        short = target - output
        return np.where(short < 0, output.dtype.type(1 - self.level), output.dtype.type(-self.level) * (short > 0))


@dataclass(frozen=True)
class Poisson(Loss):
    """The Poisson negative log-likelihood for counts, without its constant `log(y!)`: `L = sum_j h_j - y_j log(h_j)`.

    Outputs must be positive, as after the exponential, with which it is computed together; targets are 0 or more.

    >>> Poisson().rows(np.array([[0.0, 2.0]]), np.array([[3.0, 1.0]])).tolist()
    [4.0]
    """

    name = "poisson"
    native = Native("poisson")
    reads = "positive numbers"
    separable = True
    formula = "L = sum_j h_j - y_j log(h_j)"
    gradient_formula = "dL/dh_j = 1 - y_j / h_j"
    fuses_with = "exponential"
    fused_formula = "L = sum_j exp(z_j) - y_j z_j"
    fused_gradient_formula = "dL/dz_j = exp(z_j) - y_j"

    def rows(self, target: Array, output: Array) -> Array:
        return (output - _x_log_y(target, output)).sum(axis=1)

    def gradient(self, target: Array, output: Array) -> Array:
        return 1 - _ratio(target, output)

    def fused_rows(self, target: Array, z: Array) -> Array:
        return (np.exp(z) - target * z).sum(axis=1)

    def fused_gradient(self, target: Array, z: Array) -> Array:
        return np.exp(z) - target

    def check_targets(self, target: AnyArray, head: str) -> AnyArray:
        _check_range(target, 0, np.inf, head, "Poisson counts are not negative")
        return target


@dataclass(frozen=True)
class PoissonDeviance(Poisson):
    """Half the Poisson deviance, `L = sum_j y_j log(y_j / h_j) - y_j + h_j`: the Poisson loss, and 0 where `h = y`.

    Its gradient is the Poisson loss's; the constant makes losses of different targets comparable.

    >>> PoissonDeviance().rows(np.array([[3.0, 0.0]]), np.array([[3.0, 0.5]])).tolist()
    [0.5]
    """

    name = "poisson_deviance"
    native = Native("poisson_deviance")
    formula = "L = sum_j y_j log(y_j / h_j) - y_j + h_j"
    fused_formula = "L = sum_j exp(z_j) - y_j z_j + y_j log(y_j) - y_j"

    def rows(self, target: Array, output: Array) -> Array:
        return super().rows(target, output) + self._constant(target)

    def fused_rows(self, target: Array, z: Array) -> Array:
        return super().fused_rows(target, z) + self._constant(target)

    @staticmethod
    def _constant(target: Array) -> Array:
        return (_x_log_y(target, target) - target).sum(axis=1)


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """The cross-entropy of yes-or-no targets, one for each output: `L = -sum_j y_j log(h_j) + (1 - y_j) log(1 - h_j)`.

    Targets are 0, 1 or a probability, outputs probabilities, as after the sigmoid, with which it is computed together.
    With smoothing the targets `y` become `(1 - s) y + s / 2`, as `CrossEntropy` smooths those of two classes.

    Arguments:
        label_smoothing: the share s of each target that is spread over yes and no, from 0 to below 1.

    Raises:
        InputError: label_smoothing is outside of this.

    >>> BinaryCrossEntropy().rows(np.array([[1.0]]), np.array([[0.25]])).round(4).tolist()
    [1.3863]
    >>> BinaryCrossEntropy(label_smoothing=0.2).smoothed(np.array([[1.0, 0.0]])).round(4).tolist()
    [[0.9, 0.1]]
    """

    label_smoothing: float = 0.0

    name = "binary_cross_entropy"
    native = Native("binary_cross_entropy", parameter="label_smoothing")
    reads = "probabilities"
    yes_or_no = True
    separable = True
    formula = "L = -sum_j y_j log(h_j) + (1 - y_j) log(1 - h_j)"
    gradient_formula = "dL/dh_j = -(y_j / h_j - (1 - y_j) / (1 - h_j))"
    fuses_with = "sigmoid"
    fused_formula = "L = sum_j log(1 + exp(z_j)) - y_j z_j"
    fused_gradient_formula = "dL/dz_j = h_j - y_j"
    limits = {"label_smoothing": FRACTION}

    def rows(self, target: Array, output: Array) -> Array:
        y = self.smoothed(target)
        return -(_x_log_y(y, output) + _x_log_y(1 - y, 1 - output)).sum(axis=1)

    def gradient(self, target: Array, output: Array) -> Array:
        y = self.smoothed(target)
        return _ratio(1 - y, 1 - output) - _ratio(y, output)

    def fused_rows(self, target: Array, z: Array) -> Array:
        return (np.logaddexp(z, 0) - self.smoothed(target) * z).sum(axis=1)

    def fused_gradient(self, target: Array, z: Array) -> Array:
        return sigmoid(z) - self.smoothed(target)

    def smoothed(self, target: Array) -> Array:
        """The targets that count, shape (rows, outputs).

        Arguments:
            target: those that were given.
        """
        return (1 - self.label_smoothing) * target + self.label_smoothing / 2 if self.label_smoothing else target

    def apart(self, target: AnyArray, outputs: int) -> tuple[Loss, Array]:
        return BinaryCrossEntropy(), self.smoothed(target)

    def check_targets(self, target: AnyArray, head: str) -> AnyArray:
        _check_range(target, 0, 1, head, "binary cross-entropy takes 0, 1 or a probability")
        return target


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """The cross-entropy of classes, `L = -sum_j y_j log(h_j)`.

    Targets are labels 0 ... k-1, one-hot rows or probabilities; outputs are probabilities that sum to 1, as after
    softmax, with which it is computed together. With smoothing the targets `y` become `(1 - s) y + s / k` (Szegedy et
    al., 2016, "Rethinking the Inception architecture for computer vision").

    Arguments:
        label_smoothing: the share s of each target that is spread over all k classes, from 0 to below 1.

    Raises:
        InputError: label_smoothing is outside of this.

    >>> CrossEntropy().rows(np.array([1]), np.array([[0.25, 0.5, 0.25]])).round(4).tolist()
    [0.6931]
    >>> CrossEntropy(label_smoothing=0.3).distribution(np.array([1]), np.zeros((1, 3))).round(4).tolist()
    [[0.1, 0.8, 0.1]]
    """

    label_smoothing: float = 0.0

    name = "cross_entropy"
    native = Native("cross_entropy", parameter="label_smoothing")
    reads = "probabilities"
    separable = True
    formula = "L = -sum_j y_j log(h_j)"
    gradient_formula = "dL/dh_j = -y_j / h_j"
    fuses_with = "softmax"
    fused_formula = "L = log(sum_k exp(z_k)) - sum_j y_j z_j"
    fused_gradient_formula = "dL/dz_j = h_j - y_j"
    limits = {"label_smoothing": FRACTION}

    def rows(self, target: Array, output: Array) -> Array:
        return -_x_log_y(self.distribution(target, output), output).sum(axis=1)

    def gradient(self, target: Array, output: Array) -> Array:
        return -_ratio(self.distribution(target, output), output)

    def fused_rows(self, target: Array, z: Array) -> Array:
        shifted = z - z.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1))
        return log_sum - (self.distribution(target, z) * shifted).sum(axis=1)

    def fused_gradient(self, target: Array, z: Array) -> Array:
        e = np.exp(z - z.max(axis=1, keepdims=True))
        e /= e.sum(axis=1, keepdims=True)
        return e - self.distribution(target, z)

    def distribution(self, target: AnyArray, like: Array) -> Array:
        """Targets as probabilities of the classes, shape (rows, classes), smoothed.

        Arguments:
            target: labels, shape (rows,), or probabilities.
            like: an array of the shape and type that the result has.
        """
        if target.ndim == 1:
            labels, target = target, np.zeros_like(like)
            target[np.arange(len(labels)), labels] = 1
        if self.label_smoothing:
            target = (1 - self.label_smoothing) * target + self.label_smoothing / like.shape[1]
        return target

    def as_numbers(self, target: AnyArray, outputs: int, dtype: np.dtype) -> Array:
        return np.eye(outputs, dtype=dtype)[target] if target.ndim == 1 else target

    def stand_in(self, rows: int, outputs: int) -> AnyArray:
        return np.zeros(rows, dtype=np.int64)

    def apart(self, target: AnyArray, outputs: int) -> tuple[Loss, Array]:
        return CrossEntropy(), self.distribution(target, np.zeros((len(target), outputs)))

    def prepare(self, y: ArrayLike, outputs: int, dtype: np.dtype, head: str) -> AnyArray:
        labels = _numbers(y, None, head)
        if labels.ndim == 2 and labels.shape[1] == 1 and outputs > 1:
            labels = labels[:, 0]
        if labels.ndim != 1:
            return super().prepare(labels, outputs, dtype, head)
        numbers = _numbers(labels, np.dtype(float), head)
        _check_finite(numbers, head)
        wrong = np.flatnonzero((numbers != np.floor(numbers)) | (numbers < 0) | (numbers >= outputs))
        if len(wrong):
            raise InputError(
                f'labels of head "{head}" must be whole numbers from 0 to {outputs - 1} (it has {outputs} '
                f"outputs); row {wrong[0]} has {labels[wrong[0]]} ({len(wrong)} such row{'s' * (len(wrong) > 1)})"
            )
        return numbers.astype(np.int64)

    def check_targets(self, target: AnyArray, head: str) -> AnyArray:
        _check_range(target, 0, 1, head, "rows of class targets are probabilities")
        off = np.flatnonzero(np.abs(target.sum(axis=1) - 1) > 1e-4)
        if len(off):
            raise InputError(
                f'targets of head "{head}": row {off[0]} sums to {target[off[0]].sum():g}; '
                "the probabilities of the classes must sum to 1"
            )
        return target / target.sum(axis=1, keepdims=True)  # to the last digit: the fused gradient `h - y` counts on it


@dataclass(frozen=True)
class CustomLoss(Loss):
    """Your own loss from two functions of (target, output), both of shape (rows, outputs).

    A file holds no code: whoever loads the model and trains on hands it in again, `chainrule.load(path, loss=...)`.

    Arguments:
        row_losses: each row's loss, shape (rows,).
        output_gradient: its gradient by the output, shape (rows, outputs).
        title: what it is called in messages and files.

    Raises:
        InputError: when it is asked: a function returned another shape.

    >>> quartic = CustomLoss(
    ...     row_losses=lambda y, h: ((h - y) ** 4).sum(axis=1), output_gradient=lambda y, h: 4 * (h - y) ** 3,
    ...     title="quartic",
    ... )
    >>> quartic.rows(np.array([[1.0]]), np.array([[3.0]])).tolist()
    [16.0]
    """

    row_losses: Callable[[Array, Array], Array]
    output_gradient: Callable[[Array, Array], Array]
    title: str = "custom"

    formula = "L = your own function"
    gradient_formula = "dL/dh = your own function"

    def rows(self, target: Array, output: Array) -> Array:
        return _of_shape(self.row_losses(target, output), output.shape[:1], self.title, "row_losses")

    def gradient(self, target: Array, output: Array) -> Array:
        return _of_shape(self.output_gradient(target, output), output.shape, self.title, "output_gradient")


@dataclass(frozen=True)
class MissingLoss(Loss):
    """Stands where a loaded model had a loss of its user's own: files hold no code. Prediction doesn't need it."""

    title: str

    def rows(self, target: Array, output: Array) -> Array:
        raise InputError(
            f'this model was trained with a loss of your own, "{self.title}", which its file doesn\'t hold: '
            "hand it in again, chainrule.load(path, loss=...)"
        )

    def gradient(self, target: Array, output: Array) -> Array:
        return self.rows(target, output)


def _of_shape(result: object, shape: tuple[int, ...], title: str, what: str) -> Array:
    array = np.asarray(result)
    if array.shape != shape:
        raise InputError(f'loss "{title}": {what} returned shape {array.shape}; {shape} would be right')
    return array


def _x_log_y(x: Array, y: Array) -> Array:
    """`x log y`, 0 where x is 0 (its limit), whatever y is."""
    return x * np.log(y, where=x != 0, out=np.zeros_like(y))


def _ratio(x: Array, y: Array) -> Array:
    """`x / y`, 0 where x is 0."""
    return np.divide(x, y, where=x != 0, out=np.zeros_like(y))


def _numbers(y: ArrayLike, dtype: np.dtype | None, head: str) -> AnyArray:
    try:
        with np.errstate(over="ignore"):  # what is too large for float32 is infinite there, and refused as such
            return np.asarray(whole(y), dtype=dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f'targets of head "{head}" must be numbers: {error}') from None


def _check_finite(target: AnyArray, head: str) -> None:
    bad = np.flatnonzero(~np.isfinite(target).all(axis=tuple(range(1, target.ndim))))
    if len(bad):
        raise InputError(f'targets of head "{head}" are NaN or infinite in rows {listed(bad, limit=5)}')


def _check_range(target: AnyArray, low: float, high: float, head: str, why: str) -> None:
    bad = np.flatnonzero(((target < low) | (target > high)).any(axis=1))
    if len(bad):
        raise InputError(f'targets of head "{head}": row {bad[0]} has {target[bad[0]].tolist()}; {why}')


LOSSES: dict[str, type[Loss]] = {
    cls.name: cls
    for cls in (
        SquaredError, HalfSquaredError, AbsoluteError, Huber, Quantile, Poisson, PoissonDeviance, BinaryCrossEntropy,
        CrossEntropy,
    )
}  # fmt: skip
ALIASES = {
    "mse": SquaredError, "mae": AbsoluteError, "bce": BinaryCrossEntropy, "log_loss": CrossEntropy, "pinball": Quantile,
}  # fmt: skip


def get_loss(given: object) -> Loss:
    """The loss that a name, a JSON form or an object stands for.

    Arguments:
        given: a name or another name of it ("mse"), the form of a saved model, a loss or its class.

    Raises:
        InputError: there is no such loss, or no such option of it.

    >>> get_loss("huber")
    Huber(delta=1.0)
    """
    return resolve("loss", given, Loss, {**LOSSES, **ALIASES})

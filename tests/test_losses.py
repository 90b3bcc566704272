"""Losses: values, gradients, the fused forms, the checks of targets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from finite_differences import STEP
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from problems import QUARTIC, targets_for
from registered import LOSSES as EVERY
from registered import label, loss_kinks, nothing_missing

from chainrule import CrossEntropy, CustomLoss, Huber, InputError, Loss, Model, Network, Quantile, losses
from chainrule.activations import get_activation
from chainrule.losses import LOSSES, MissingLoss, get_loss
from chainrule.resolve import to_form

F64, F32 = np.dtype("float64"), np.dtype("float32")
LN2 = math.log(2)

# loss, targets, outputs, each row's loss, dL/dh: by hand
BY_HAND: list[tuple[Loss, Any, Any, Any, Any]] = [
    (losses.SquaredError(), [[1, 2], [0, 0]], [[3, 1], [0, 0]], [5, 0], [[4, -2], [0, 0]]),
    (losses.HalfSquaredError(), [[1, 2], [0, 0]], [[3, 1], [0, 0]], [2.5, 0], [[2, -1], [0, 0]]),
    (losses.AbsoluteError(), [[1, 2], [0, 0]], [[3, 1], [0, 0]], [3, 0], [[1, -1], [0, 0]]),
    (Huber(delta=2), [[0, 0], [0, 0]], [[1, 2], [5, -5]], [0.5 + 2, 8 + 8], [[1, 2], [2, -2]]),
    (Quantile(level=0.9), [[1, 1, 1]], [[3, 0, 1]], [0.2 + 0.9], [[0.1, -0.9, 0]]),
    (losses.Poisson(), [[0, 2]], [[3, 1]], [3 + 1], [[1, -1]]),
    (losses.Poisson(), [[0]], [[0]], [0], [[1]]),
    (losses.PoissonDeviance(), [[0, 2]], [[3, 1]], [3 + 2 * LN2 - 2 + 1], [[1, -1]]),
    (losses.PoissonDeviance(), [[3, 0]], [[3, 0]], [0], [[0, 1]]),
    (losses.BinaryCrossEntropy(), [[1, 0]], [[0.5, 0.75]], [LN2 + 2 * LN2], [[-2, 4]]),
    (losses.BinaryCrossEntropy(), [[0.25]], [[0.5]], [LN2], [[-0.5 + 1.5]]),
    (losses.BinaryCrossEntropy(), [[1, 0]], [[1, 0]], [0], [[-1, 1]]),
    (losses.BinaryCrossEntropy(0.5), [[1]], [[0.5]], [LN2], [[-1.5 + 0.5]]),  # of 3/4
    (losses.BinaryCrossEntropy(0.5), [[0, 0.5]], [[0.5, 0.5]], [2 * LN2], [[-0.5 + 1.5, 0]]),  # of 1/4 and 1/2
    (CrossEntropy(), [[0, 1, 0]], [[0.25, 0.5, 0.25]], [LN2], [[0, -2, 0]]),
    (CrossEntropy(), [[0, 1]], [[0, 1]], [0], [[0, -1]]),
    (CrossEntropy(), [[0.5, 0.5]], [[0.5, 0.25]], [1.5 * LN2], [[-1, -2]]),
    (CrossEntropy(label_smoothing=0.5), [[0, 1]], [[0.5, 0.25]], [0.25 * LN2 + 0.75 * 2 * LN2], [[-0.5, -3]]),
    (QUARTIC, [[1]], [[3]], [16], [[32]]),
]


@pytest.mark.parametrize(
    ("loss", "target", "output", "rows", "gradient"),
    BY_HAND,
    ids=[f"{case[0].name}-{i}" for i, case in enumerate(BY_HAND)],
)
def test_by_hand(loss: Loss, target: Any, output: Any, rows: Any, gradient: Any) -> None:
    target, output = np.array(target, dtype=float), np.array(output, dtype=float)
    np.testing.assert_allclose(loss.rows(target, output), rows, rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(loss.gradient(target, output), gradient, rtol=1e-15, atol=1e-15)


@given(seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("loss", [*EVERY, QUARTIC], ids=label)
def test_gradients_are_the_slopes(loss: Loss, seed: int) -> None:
    """Element by element: outputs from 0.05 to 0.95 (all losses are defined there), 1e-3 away from every kink."""
    rng = np.random.default_rng(seed)
    output = rng.uniform(0.05, 0.95, (3, 2))
    target = targets_for(loss, 3, 2, rng)
    for kink in loss_kinks(loss):
        near = np.abs(output - target - kink) < 1e-3
        target = np.where(near, target + 0.01, target)
    gradient = loss.gradient(target, output)
    for j in range(2):
        step = np.zeros((1, 2))
        step[0, j] = STEP
        slopes = (loss.rows(target, output + step) - loss.rows(target, output - step)) / (2 * STEP)
        # h^2 f''' / 6 with f''' up to 2 y / h^3 = 2 * 8 / 0.05^3, and eps f / h with f up to 30
        np.testing.assert_allclose(gradient[:, j], slopes, rtol=1e-6, atol=2e-8)


FUSED = [loss for loss in EVERY if loss.fuses_with is not None]


@given(seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("loss", FUSED, ids=label)
def test_fused_and_plain_routes_agree_where_both_are_finite(loss: Loss, seed: int) -> None:
    """Logits within +-12: the plain route's `log(1 - h)` loses digits as h nears 1: eps / (1 - h) = 4e-11 at 12."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(-12, 12, (4, 3))
    target = targets_for(loss, 4, 3, rng)
    f = get_activation(loss.fuses_with)
    h = f.value(z)
    kept = z if f.needs == "z" else h
    np.testing.assert_allclose(loss.fused_rows(target, z), loss.rows(target, h), rtol=1e-9, atol=1e-9)
    plain = f.backward(kept, loss.gradient(target, h))
    np.testing.assert_allclose(loss.fused_gradient(target, z), plain, rtol=1e-9, atol=1e-9)


# loss, target, logits, the loss and the gradient: exact, since every exponential is 0 or 1 to all digits
STABLE: list[tuple[Loss, Any, Any, float, Any]] = [
    (losses.BinaryCrossEntropy(), [[1.0]], [[1000.0]], 0, [[0]]),
    (losses.BinaryCrossEntropy(), [[0.0]], [[1000.0]], 1000, [[1]]),
    (losses.BinaryCrossEntropy(), [[1.0]], [[-1000.0]], 1000, [[-1]]),
    (losses.BinaryCrossEntropy(), [[0.0]], [[-1000.0]], 0, [[0]]),
    (losses.BinaryCrossEntropy(), [[0.25, 1.0]], [[1000.0, -1000.0]], 1750, [[0.75, -1]]),
    (losses.BinaryCrossEntropy(0.5), [[1.0, 0.0]], [[1000.0, 1000.0]], 1000, [[0.25, 0.75]]),
    (CrossEntropy(), np.array([0]), [[1000.0, -1000.0, 0.0]], 0, [[0, 0, 0]]),
    (CrossEntropy(), np.array([1]), [[1000.0, -1000.0, 0.0]], 2000, [[1, -1, 0]]),
    (CrossEntropy(), [[0.5, 0.5, 0.0]], [[1000.0, -1000.0, 0.0]], 1000, [[0.5, -0.5, 0]]),
    (CrossEntropy(label_smoothing=0.3), np.array([0]), [[1000.0, -1000.0, 0.0]], 300, [[0.2, -0.1, -0.1]]),
    (losses.Poisson(), [[3.0]], [[-1000.0]], 3000, [[-3]]),
    (losses.SquaredError(), [[0.0]], [[1000.0]], 1e6, [[2000]]),
]


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize(
    ("loss", "target", "z", "value", "gradient"), STABLE, ids=[f"{c[0].name}-{i}" for i, c in enumerate(STABLE)]
)
def test_fused_losses_at_logits_of_1000(
    loss: Loss, target: Any, z: Any, value: float, gradient: Any, dtype: np.dtype
) -> None:
    """No warning and no infinity; float32 in, float32 out."""
    if not isinstance(target, np.ndarray):
        target = np.array(target, dtype=dtype)
    logits = np.array(z, dtype=dtype)
    rows, slope = loss.fused_rows(target, logits), loss.fused_gradient(target, logits)
    assert rows.dtype == slope.dtype == dtype
    tolerance = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(rows, [value], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(slope, gradient, rtol=tolerance, atol=tolerance)


OPTIONS = [Huber(delta=np.float64(0.5)), Quantile(level=np.float64(0.3)), CrossEntropy(label_smoothing=np.float64(0.1))]


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize("loss", [*EVERY, *OPTIONS], ids=lambda loss: type(loss).__name__)
def test_precision_stays(loss: Loss, dtype: np.dtype, rng: np.random.Generator) -> None:
    """float32 in, float32 out: rows, gradients and their fused forms, also where an option is a NumPy number."""
    target = loss.prepare(targets_for(loss, 4, 2, rng), 2, dtype, "y")
    output = rng.uniform(0.1, 0.9, (4, 2)).astype(dtype)
    assert target.dtype == dtype
    assert {a.dtype for a in (loss.rows(target, output), loss.gradient(target, output))} == {dtype}
    assert {a.dtype for a in (loss.fused_rows(target, output), loss.fused_gradient(target, output))} == {dtype}


@pytest.mark.parametrize(
    ("loss", "best"),
    [
        (losses.SquaredError(), np.mean),
        (losses.HalfSquaredError(), np.mean),
        (losses.AbsoluteError(), np.median),
        (Quantile(level=0.25), lambda y: np.quantile(y, 0.25)),
        (losses.Poisson(), np.mean),
        (losses.BinaryCrossEntropy(), np.mean),
    ],
    ids=lambda x: x.name if isinstance(x, Loss) else "",
)
def test_the_best_constant_is_the_one_that_the_loss_is_known_for(
    loss: Loss, best: Any, rng: np.random.Generator
) -> None:
    """No constant on a grid is better than the mean, the median or the quantile of the targets."""
    y = rng.uniform(0.05, 0.95, (9, 1))  # 9 rows: the quartile is one of them

    def total(constant: float) -> float:
        return float(loss.rows(y, np.full((9, 1), constant)).sum())

    optimum = total(best(y))
    assert all(optimum <= total(c) + 1e-12 for c in np.linspace(0.01, 0.99, 199))


def test_huber_is_half_the_squared_error_near_and_linear_far() -> None:
    y = np.zeros((1, 1))
    for e, expected in ((0.5, 0.125), (1.0, 0.5), (3.0, 2.5), (-3.0, 2.5)):
        assert Huber().rows(y, np.array([[e]])).item() == pytest.approx(expected, rel=1e-15)


class TestCrossEntropyTargets:
    """Labels, one-hot rows and distributions are the same thing."""

    z = np.array([[0.2, -1.0, 2.0], [1.0, 0.0, 0.5]])

    @pytest.mark.parametrize("smoothing", [0.0, 0.2])
    @pytest.mark.parametrize(
        "y",
        [
            [2, 0], [2.0, 0.0], np.array([2, 0], dtype=np.uint8), [[2], [0]], [[0, 0, 1], [1, 0, 0]],
            [[False, False, True], [True, False, False]],
        ],
        ids=["integers", "floats", "uint8", "column", "one-hot", "booleans"],
    )  # fmt: skip
    def test_forms(self, y: Any, smoothing: float) -> None:
        loss = CrossEntropy(label_smoothing=smoothing)
        target = loss.prepare(y, 3, F64, "mood")
        q = (1 - smoothing) * np.eye(3)[[2, 0]] + smoothing / 3
        p = np.exp(self.z) / np.exp(self.z).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(loss.fused_rows(target, self.z), -(q * np.log(p)).sum(axis=1), rtol=1e-14)
        np.testing.assert_allclose(loss.fused_gradient(target, self.z), p - q, rtol=0, atol=1e-15)
        np.testing.assert_allclose(loss.rows(target, p), -(q * np.log(p)).sum(axis=1), rtol=1e-14)

    def test_a_target_that_sums_to_nearly_1_keeps_both_routes_equal(self) -> None:
        """Rows of float32 probabilities sum to 1 within 1e-7; up to 1e-4 is let in. Fused and plain must not differ."""
        loss = CrossEntropy()
        target = loss.prepare([[0.2, 0.3, 0.50009], [0.1, 0.1, 0.8]], 3, F64, "mood")
        softmax = get_activation("softmax")
        h = softmax.value(self.z)
        plain = softmax.backward(h, loss.gradient(target, h))
        np.testing.assert_allclose(loss.fused_gradient(target, self.z), plain, rtol=0, atol=1e-12)
        np.testing.assert_allclose(loss.fused_rows(target, self.z), loss.rows(target, h), rtol=0, atol=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_yes_or_no_is_smoothed_as_two_classes_are(smoothing: float) -> None:
    """The sigmoid of z is the softmax of (0, z)."""
    z, y = np.array([[2.0], [-1.0], [0.5]]), np.array([1, 0, 0])
    two = np.hstack([np.zeros_like(z), z])
    one, both = losses.BinaryCrossEntropy(smoothing), CrossEntropy(smoothing)
    np.testing.assert_allclose(one.fused_rows(y[:, None], z), both.fused_rows(y, two), rtol=1e-14)
    np.testing.assert_allclose(one.fused_gradient(y[:, None], z)[:, 0], both.fused_gradient(y, two)[:, 1], rtol=1e-14)


@pytest.mark.parametrize("loss", [losses.BinaryCrossEntropy(0.2), CrossEntropy(0.3)], ids=label)
def test_an_explanation_shows_the_smoothed_target(loss: Loss) -> None:
    outputs, output = (1, "sigmoid") if loss.name == "binary_cross_entropy" else (3, "softmax")
    model = Model(Network.mlp(1, [], outputs, output=output), loss, "sgd", dtype="float64")
    work = model.explain([0.5], 1)
    index = 1 if outputs == 1 else 2
    assert work[f"y[output,{index}]"].value == pytest.approx(0.9 if outputs == 1 else 0.8)
    assert work["L"].value == pytest.approx(model.evaluate([[0.5]], [1])["loss"], rel=1e-14)
    slope = work[f"h[output,{index}]"].value - work[f"y[output,{index}]"].value
    assert work[f"dL/dz[output,{index}]"].value == pytest.approx(slope, rel=1e-14)


# loss, targets, outputs of the head, what the message says
BAD: list[tuple[Loss, Any, int, str]] = [
    (losses.SquaredError(), [1.0, 2.0], 2, r'targets of head "y" have shape \(2,\); it has 2 outputs, so \(rows, 2\)'),
    (losses.SquaredError(), [[1.0, 2.0]], 1, r"have shape \(1, 2\); it has 1 output, so \(rows, 1\) would be right"),
    (losses.SquaredError(), 3.0, 1, r"have shape \(\)"),
    (losses.SquaredError(), [[[1.0]]], 1, r"have shape \(1, 1, 1\)"),
    (losses.SquaredError(), [1.0, math.nan, math.inf], 1, "are NaN or infinite in rows 1, 2"),
    (losses.SquaredError(), ["a", "b"], 1, 'targets of head "y" must be numbers: could not convert string to float'),
    (losses.SquaredError(), [[1.0, 2.0], [3.0]], 2, 'targets of head "y" must be numbers'),
    (losses.SquaredError(), [None, 1.0], 1, "NaN or infinite|must be numbers"),
    (losses.Poisson(), [[1.0], [-1.0]], 1, r"row 1 has \[-1.0\]; Poisson counts are not negative"),
    (losses.BinaryCrossEntropy(), [0, 2], 1, r"row 1 has \[2.0\]; binary cross-entropy takes 0, 1 or a probability"),
    (losses.BinaryCrossEntropy(), [[-0.1]], 1, "binary cross-entropy takes 0, 1 or a probability"),
    (
        CrossEntropy(),
        [0, 3],
        3,
        r'labels of head "y" must be whole numbers from 0 to 2 \(it has 3 outputs\); row 1 has 3',
    ),
    (CrossEntropy(), [0, -1, -1], 3, r"row 1 has -1 \(2 such rows\)"),
    (CrossEntropy(), [0.5, 1], 3, r"row 0 has 0.5 \(1 such row\)"),
    (CrossEntropy(), [0, math.nan], 3, "are NaN or infinite in rows 1"),
    (CrossEntropy(), ["happy", "sad"], 3, "must be numbers"),
    (CrossEntropy(), [[0.5, 0.4]], 2, "row 0 sums to 0.9; the probabilities of the classes must sum to 1"),
    (CrossEntropy(), [[1.5, -0.5]], 2, "rows of class targets are probabilities"),
    (CrossEntropy(), [[1, 0, 0]], 2, r"have shape \(1, 3\); it has 2 outputs"),
    (CrossEntropy(), [[1, 0], [1]], 2, 'targets of head "y" must be numbers'),
    (CrossEntropy(), 1, 2, r"have shape \(\)"),
]


@pytest.mark.parametrize(("loss", "y", "outputs", "message"), BAD, ids=[f"{c[0].name}-{i}" for i, c in enumerate(BAD)])
def test_targets_outside_the_definition_are_refused(loss: Loss, y: Any, outputs: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        loss.prepare(y, outputs, F64, "y")


@pytest.mark.parametrize("loss", EVERY, ids=label)
def test_no_targets_at_all_are_an_array_without_rows(loss: Loss) -> None:
    """Who knows the number of rows complains; the loss must not stumble over an empty array."""
    assert len(loss.prepare(np.zeros((0, 2)), 2, F64, "y")) == 0


class TestCustomLoss:
    def test_wrong_shapes_are_named(self) -> None:
        loss = CustomLoss(lambda y, h: (h - y) ** 2, lambda y, h: (h - y).sum(axis=1), title="mine")
        with pytest.raises(InputError, match=r'loss "mine": row_losses returned shape \(2, 3\); \(2,\) would be right'):
            loss.rows(np.zeros((2, 3)), np.zeros((2, 3)))
        with pytest.raises(
            InputError, match=r'loss "mine": output_gradient returned shape \(2,\); \(2, 3\) would be right'
        ):
            loss.gradient(np.zeros((2, 3)), np.zeros((2, 3)))

    def test_a_subclass_is_a_loss_too(self) -> None:
        class Quartic(Loss):
            def rows(self, target: np.ndarray, output: np.ndarray) -> np.ndarray:
                return ((output - target) ** 4).sum(axis=1)

            def gradient(self, target: np.ndarray, output: np.ndarray) -> np.ndarray:
                return 4 * (output - target) ** 3

        loss = get_loss(Quartic())
        assert loss.rows(np.zeros((1, 1)), np.full((1, 1), 2.0)).tolist() == [16.0]

    def test_one_that_a_file_lacks_says_how_to_hand_it_in(self) -> None:
        with pytest.raises(InputError, match=r'a loss of your own, "quartic".*chainrule.load\(path, loss=...\)'):
            MissingLoss("quartic").gradient(np.zeros((1, 1)), np.zeros((1, 1)))


@pytest.mark.parametrize("loss", EVERY, ids=label)
def test_names_and_json_forms_lead_back(loss: Loss) -> None:
    assert get_loss(to_form(loss)) == loss
    assert get_loss(loss.name) == type(loss)()
    assert loss.formula.startswith("L =")
    assert loss.gradient_formula.startswith("dL/dh")
    assert (loss.fuses_with is None) == (not loss.fused_formula) == (not loss.fused_gradient_formula)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("mse", "squared_error"), ("mae", "absolute_error"), ("bce", "binary_cross_entropy"),
        ("log_loss", "cross_entropy"), ("pinball", "quantile"), ("Cross-Entropy", "cross_entropy"),
    ],
)  # fmt: skip
def test_other_names(alias: str, name: str) -> None:
    assert get_loss(alias).name == name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: get_loss("squarederror"), 'there is no loss "squarederror". Did you mean "squared_error"'),
        (lambda: get_loss(7), "loss is 7; it must be a name"),
        (lambda: get_loss(lambda y, h: 0), "it must be a name or one of chainrule's loss objects"),
        (lambda: Huber(delta=0), "Huber: delta is 0; it must be a number above 0"),
        (lambda: Quantile(level=1), r"Quantile: level is 1; it must be a number in \(0, 1\)"),
        (
            lambda: losses.BinaryCrossEntropy(-0.1),
            r"BinaryCrossEntropy: label_smoothing is -0.1; it must be a number in",
        ),
        (
            lambda: CrossEntropy(label_smoothing=1),
            r"CrossEntropy: label_smoothing is 1; it must be a number in \[0, 1\)",
        ),
        (lambda: Huber(delta="1"), "Huber: delta is '1'"),
    ],
)
def test_errors_say_what_would_be_right(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_every_loss_is_worked_by_hand() -> None:
    nothing_missing({case[0].name for case in BY_HAND} - {QUARTIC.name}, LOSSES, "BY_HAND of tests/test_losses.py")


@given(
    z=hnp.arrays(np.float64, (2, 3), elements=st.floats(-1000, 1000)),
    y=st.lists(st.integers(0, 2), min_size=2, max_size=2),
)
def test_cross_entropy_of_any_logits_is_finite_and_not_negative(z: np.ndarray, y: list[int]) -> None:
    loss = CrossEntropy()
    target = loss.prepare(y, 3, F64, "y")
    rows, gradient = loss.fused_rows(target, z), loss.fused_gradient(target, z)
    assert np.isfinite(rows).all()
    assert (rows >= 0).all()
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-15)

"""Augmentation: what it does to rows, from which draws, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from chainrule import Augment, InputError, Network, Objective
from chainrule.augment import get_augment
from chainrule.engines.contract import Rows
from chainrule.losses import get_loss
from chainrule.objective import HeadLoss


def heads(loss: Any = "squared_error", outputs: int = 1) -> tuple[HeadLoss, ...]:
    output = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(get_loss(loss).name, "linear")
    return Objective(loss).on(Network.mlp(2, [], outputs, output=output)).heads


def changed(augment: Augment, data: Rows, loss: Any = "squared_error", outputs: int = 1, **place: Any) -> Rows:
    place = {"batch_size": 8, "seed": 3, "epoch": 2, **place}
    return augment.rows(data, np.arange(len(data)), heads(loss, outputs), **place)


def rows(X: np.ndarray, y: np.ndarray | None = None, w: np.ndarray | None = None) -> Rows:
    return Rows((X,), (np.zeros((len(X), 1), X.dtype) if y is None else y,), (w,))


PICTURES = np.random.default_rng(0).normal(size=(40, 5, 6, 2)).astype("float32")
EVERYTHING = Augment(shift=0.2, rotate=20, scale=0.3, flip="both", erase=0.4, noise=0.2, mixup=0.3)


@examples(40)
@given(st.integers(0, 5), st.integers(1, 4), st.sampled_from(["border", "edge", 0.5]))
def test_how_an_epoch_is_cut_changes_no_bit(begin: int, batches: int, fill: str | float) -> None:
    """A part of whole batches is what it is in the whole epoch, whatever is prepared with it."""
    augment = Augment(shift=0.2, rotate=20, scale=0.3, flip="both", erase=0.4, noise=0.2, mixup=0.3, fill=fill)
    data, order = rows(PICTURES, PICTURES[:, :1, 0, 0]), np.random.default_rng(1).permutation(40)
    how: dict[str, Any] = {"heads": heads(), "batch_size": 7, "seed": 3, "epoch": 2, "member": 1}
    whole = augment.rows(data, order, **how)
    part = slice(7 * begin, 7 * (begin + batches))
    cut = augment.rows(data, order[part], first=7 * begin, **how)
    np.testing.assert_array_equal(cut.inputs[0], whole.inputs[0][part])
    np.testing.assert_array_equal(cut.targets[0], whole.targets[0][part])


@pytest.mark.parametrize("other", [{"seed": 4}, {"epoch": 3}, {"member": 1}, {"first": 8}], ids=str)
@pytest.mark.parametrize(
    "augment",
    [Augment(shift=0.3), Augment(noise=1), Augment(erase=0.9), Augment(mixup=1)],
    ids=["shift", "noise", "erase", "mixup"],
)
def test_seed_epoch_member_and_place_decide(augment: Augment, other: dict[str, int]) -> None:
    one, same, two = (changed(augment, rows(PICTURES), **place).inputs[0] for place in ({}, {}, other))
    np.testing.assert_array_equal(one, same)
    assert (one != two).mean() > 0.2


def test_nothing_asked_for_changes_nothing() -> None:
    assert get_augment(Augment()) is None
    np.testing.assert_array_equal(changed(Augment(), rows(PICTURES)).inputs[0], PICTURES)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_types_and_shapes_stay(dtype: str) -> None:
    X = PICTURES.astype(dtype)
    after = changed(EVERYTHING, rows(X, w=np.ones(40, dtype)))
    for array, like in ((after.inputs[0], X), (after.targets[0], X[:, 0, 0, :1]), (after.weights[0], X[:, 0, 0, 0])):
        assert array.dtype == like.dtype
        assert array.shape == like.shape
    flat = changed(Augment(shift=0.2, rotate=20, shape=(5, 6, 2)), rows(X.reshape(40, -1)))
    picture = changed(Augment(shift=0.2, rotate=20), rows(X))
    np.testing.assert_array_equal(flat.inputs[0], picture.inputs[0].reshape(40, -1))


def test_a_shift_is_as_far_as_it_says_in_every_direction() -> None:
    """The middle of a spot moves with its picture."""
    spot = np.zeros((4000, 21, 31), "float64")
    spot[:, 10, 15] = 1
    after = changed(Augment(shift=0.2), rows(spot)).inputs[0]
    y, x = np.mgrid[:21, :31]
    moved = np.stack([(after * x).sum(axis=(1, 2)) - 15, (after * y).sum(axis=(1, 2)) - 10])
    for distance, most in zip(moved, (0.2 * 31, 0.2 * 21), strict=True):
        assert np.abs(distance).max() <= most + 1e-9
        assert np.abs(distance).max() > 0.95 * most
        assert abs(distance.mean()) < 0.06 * most
    assert abs(np.corrcoef(moved)[0, 1]) < 0.06


def test_a_turn_is_as_far_as_it_says() -> None:
    """A spot to the right of the middle moves along its circle."""
    spot = np.zeros((800, 41, 41), "float64")
    spot[:, 20, 35] = 1
    after = changed(Augment(rotate=30), rows(spot)).inputs[0]
    y, x = np.mgrid[:41, :41] - 20
    total = after.sum(axis=(1, 2))
    angle = np.degrees(np.arctan2((after * y).sum(axis=(1, 2)) / total, (after * x).sum(axis=(1, 2)) / total))
    radius = np.hypot((after * x).sum(axis=(1, 2)), (after * y).sum(axis=(1, 2))) / total
    assert np.abs(radius - 15).max() < 0.5
    assert 28 < np.abs(angle).max() < 32
    assert abs(angle.mean()) < 3


def test_scale_enlarges_and_shrinks() -> None:
    square = np.zeros((2000, 40, 40), "float64")
    square[:, 10:30, 10:30] = 1
    area = changed(Augment(scale=0.5, fill=0.0), rows(square)).inputs[0].sum(axis=(1, 2)) / 400
    assert area.min() == pytest.approx(1 / 1.5**2, abs=0.03)
    assert area.max() == pytest.approx(1.5**2, abs=0.03)
    assert np.median(area) == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize(("flip", "axes"), [("horizontal", (2,)), ("vertical", (1,))])
def test_half_of_the_pictures_are_mirrored(flip: str, axes: tuple[int, ...]) -> None:
    X = np.random.default_rng(1).normal(size=(600, 4, 5, 3))
    after = changed(Augment(flip=flip), rows(X)).inputs[0]
    kept = (after == X).all(axis=(1, 2, 3))
    mirrored = (after == np.flip(X, axes)).all(axis=(1, 2, 3))
    assert (kept ^ mirrored).all()
    assert 0.4 < mirrored.mean() < 0.6


def test_noise_has_the_size_that_it_says() -> None:
    noise = changed(Augment(noise=0.5), rows(np.full((400, 31), 2.0))).inputs[0] - 2
    assert noise.std() == pytest.approx(0.5, rel=0.03)
    assert abs(noise.mean()) < 0.02
    assert len(np.unique(noise)) == noise.size  # no number twice


def test_the_rest_of_several_inputs() -> None:
    """Codes stay; two inputs of numbers have noise of their own."""
    codes, number = np.arange(40, dtype="int32")[:, None], np.zeros((40, 3))
    data = Rows((number, codes, number), (np.zeros((40, 1)),), (None,))
    after = changed(Augment(noise=1.0), data).inputs
    np.testing.assert_array_equal(after[1], codes)
    assert (after[0] != after[2]).all()


# -- mixup -----------------------------------------------------------------------------------------------------------


def shares(X: np.ndarray, batch: int) -> np.ndarray:
    """From rows that were one-hot by their number: who each is mixed of."""
    assert np.allclose(X.sum(axis=1), 1)
    for i, row in enumerate(X):
        assert set(np.flatnonzero(row) // batch) == {i // batch}, "a row of another batch"
    return X[np.arange(len(X)), np.arange(len(X))]


@pytest.mark.parametrize("batch", [2, 5, 8])
def test_mixup_mixes_rows_of_a_batch_and_their_targets_alike(batch: int) -> None:
    X = np.eye(32)
    after = changed(Augment(mixup=0.4), rows(X, X[:, 1::2] @ np.arange(16.0)[:, None]), batch_size=batch)
    own = shares(after.inputs[0], batch)
    assert 0 < own.mean() < 1
    np.testing.assert_allclose(after.targets[0], after.inputs[0][:, 1::2] @ np.arange(16.0)[:, None])


def test_shares_are_from_the_beta_distribution() -> None:
    from scipy import stats

    X = np.tile(np.eye(100), (40, 1))
    after = changed(Augment(mixup=0.3), rows(X), batch_size=100).inputs[0]
    own = after[np.arange(4000), np.tile(np.arange(100), 40)]
    assert stats.kstest(own, stats.beta(0.3, 0.3).cdf).pvalue > 1e-3


def test_a_row_alone_in_its_batch_stays() -> None:
    X = np.eye(9)
    after = changed(Augment(mixup=1.0), rows(X), batch_size=4).inputs[0]
    np.testing.assert_array_equal(after[8], X[8])
    assert (after[:8] != X[:8]).any()


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_classes_become_probabilities(loss: str) -> None:
    """The loss of mixed targets is the mixed loss: `q L(y) + (1 - q) L(y')`."""
    many = loss == "cross_entropy"
    X = np.eye(16)
    y = np.arange(16) % 3 if many else np.arange(16.0)[:, None] % 2
    after = changed(Augment(mixup=0.4), rows(X, y), loss, 3 if many else 1, batch_size=8)
    output = np.tile([0.4, 0.1, 0.5], (16, 1)) if many else np.full((16, 1), 0.3)
    each = get_loss(loss).rows(y, output)
    np.testing.assert_allclose(get_loss(loss).rows(after.targets[0], output), after.inputs[0] @ each)


def test_weights_are_mixed_so_that_each_row_counts_as_much_as_it_did() -> None:
    """`w L(y)` of the mixed row is `q w_1 L(y_1) + (1 - q) w_2 L(y_2)`, also where a label is missing (weight 0)."""
    X, w = np.eye(12), np.array([0, 1, 2, 0.5, 0, 3] * 2)
    y = np.arange(12) % 3
    after = changed(Augment(mixup=0.7), rows(X, y, w), "cross_entropy", 3, batch_size=6)
    output = np.tile([0.2, 0.5, 0.3], (12, 1))
    loss = get_loss("cross_entropy")
    np.testing.assert_allclose(
        after.weights[0] * loss.rows(after.targets[0], output), after.inputs[0] @ (w * loss.rows(y, output))
    )
    np.testing.assert_allclose(after.weights[0], after.inputs[0] @ w)


def test_a_missing_target_reaches_no_other_row() -> None:
    y = np.where(np.arange(12) % 3 == 0, np.nan, 1.0)[:, None]
    after = changed(Augment(mixup=0.7), rows(np.eye(12), y, np.isfinite(y[:, 0]).astype(float)), batch_size=6)
    assert np.isfinite(after.targets[0][after.weights[0] > 0]).all()


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shift": 1.5}, r"shift is 1.5; it must be a number in \[0, 1\)"),
        ({"rotate": -3}, "rotate is -3; it must be a number in"),
        ({"flip": "left"}, 'flip is \'left\'; it must be "none", "horizontal"'),
        ({"fill": "white"}, 'fill is \'white\'; it must be "border", "edge" or a number'),
        ({"fill": float("nan")}, "fill is nan"),
        ({"shape": (8,)}, r"shape is \(8,\); it must be \(height, width\)"),
        ({"shape": (8, 0)}, "a side of shape is 0"),
        ({"noise": "much"}, "noise is 'much'"),
        ({"turn": 3}, r"augment has no 'turn'. It has shift, rotate"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_it_may_be(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        get_augment(given)


@pytest.mark.parametrize(
    ("augment", "inputs", "message"),
    [
        (Augment(rotate=5), [np.zeros((9, 64))], r"rows of 64 numbers: .* shape=\(8, 8\)"),
        (Augment(erase=0.5), [np.zeros((9, 6))], r"as in shape=\(1, 6\)"),
        (Augment(rotate=5, shape=(3, 3)), [np.zeros((9, 8))], "makes 9 numbers; the rows have 8"),
        (Augment(rotate=5, shape=(2, 4)), [np.zeros((9, 8))] * 2, "the network has several"),
        (Augment(mixup=1), [np.zeros((9, 1), "int32"), np.zeros((9, 1))], "mixup can't mix codes"),
        (Augment(noise=1), [np.zeros((9, 1), "int32")], "noise is for numbers"),
    ],
    ids=["flat", "erase", "size", "several", "codes", "noise"],
)
def test_what_doesnt_go_with_the_inputs(augment: Augment, inputs: list[np.ndarray], message: str) -> None:
    with pytest.raises(InputError, match=message):
        augment.check(tuple(inputs), 4)


def test_mixup_needs_two_rows_a_batch() -> None:
    with pytest.raises(InputError, match="batch_size is 1"):
        Augment(mixup=1).check((np.zeros((9, 2)),), 1)

"""PiecewiseLinear: exactly a dense layer over the encoding, knots that are refused, and knots from rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import problems
import pytest
from finite_differences import check_layer
from hypothesis import given
from hypothesis import strategies as st

from chainrule import Adam, Dense, Input, InputError, Model, Network, NetworkError, PiecewiseLinear, quantile_knots
from chainrule.layers import Context

KNOTS = ((-1.0, 0.0, 0.5, 2.0), (), (0.0, 1.0), (3.0,), tuple(np.linspace(-2, 2, 33)))


def encoded(x: np.ndarray, knots: tuple[tuple[float, ...], ...]) -> np.ndarray:
    """The definition, bin by bin, in the precision of x."""
    columns = []
    for i, own in enumerate(knots):
        t = np.array(own, x.dtype)
        columns += [np.clip((x[:, i] - t[b]) / (t[b + 1] - t[b]), 0, 1) for b in range(len(own) - 1)]
    return np.stack(columns, axis=1)


def test_backward(rng: np.random.Generator) -> None:
    check_layer(PiecewiseLinear(KNOTS, 3), ((5,),), rng, Context())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("units", [1, 7, 64, 300])
def test_it_is_a_dense_layer_over_the_encoding(units: int, dtype: str, engine: str, rng: np.random.Generator) -> None:
    x = rng.normal(size=(300, 5)).astype(dtype)
    y = rng.normal(size=(300, 1))
    W = rng.normal(size=(3 + 1 + 32, units)) / 6
    ends = []
    for layer, X in (
        (PiecewiseLinear(KNOTS, units, name="f"), x),
        (Dense(units, bias=False, name="f"), encoded(x, KNOTS)),
    ):
        network = Network([Input(X.shape[1]), layer, Dense(1, name="out", initializer="zeros")])
        model = Model(network, "squared_error", Adam(0.01), dtype=dtype, engine=engine)
        model.set_parameters({"f": {"W": W}, "out": {"W": np.ones((units, 1)) / units}})
        model.fit(X, y, epochs=3, batch_size=32, progress=False)
        ends.append(problems.flat(model.parameters) | {"predictions": model.predict(X)})
    problems.assert_same(*ends, tolerance={"float32": 3e-4, "float64": 1e-10}[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shift", [0.0, 1e4, 1e7])
def test_knots_far_from_zero(shift: float, dtype: str, engine: str) -> None:
    """Differences are taken first: they are exact in the precision of the numbers."""
    knots = (tuple(float(np.float32(shift + t)) for t in (0, 2, 8, 64)),)
    x = np.array([[shift + t] for t in (-1, 0, 1, 2, 5, 8, 22, 64, 65)], dtype)
    model = Model(Network([Input(1), PiecewiseLinear(knots, 2, name="f")]), "squared_error", dtype=dtype, engine=engine)
    W = np.array([[1.0, -1], [10, 0], [100, 3]])
    model.set_parameters({"f": {"W": W}})
    np.testing.assert_allclose(
        model.predict(x), encoded(x, knots) @ W, rtol=0, atol=2e-5 if dtype == "float32" else 1e-13
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_beyond_everything(dtype: str, engine: str) -> None:
    network = Network([Input(1), PiecewiseLinear(((-1e38, 0, 1e-30, 1e38),), 1, name="f")])
    model = Model(network, "squared_error", dtype=dtype, engine=engine)
    model.set_parameters({"f": {"W": [[1.0], [2.0], [4.0]]}})
    assert model.predict([[-3e38], [3e38], [-1e38], [0.0], [1e-30]]).ravel().tolist() == [0, 7, 0, 1, 3]


def test_the_gradient_by_x_is_the_slope_of_the_bin_above_a_knot(engine: str) -> None:
    network = Network([Input(1), Dense(1, name="x"), PiecewiseLinear(((0, 1, 3),), 1, name="f")])
    model = Model(network, "absolute_error", dtype="float64", engine=engine)
    model.set_parameters({"x": {"W": [[1.0]]}, "f": {"W": [[5.0], [8.0]]}})
    slopes = [model.loss_and_gradients([[x]], [-1.0])[1]["x"]["b"].item() for x in (-0.5, 0, 0.5, 1, 2, 3, 4)]
    assert slopes == [0, 5, 5, 4, 4, 0, 0]


def test_threads_change_nothing(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(600, 20)), rng.normal(size=(600, 1))
    ends = []
    for threads in (1, 2, 3):
        layers = Dense(20), PiecewiseLinear(quantile_knots(x), 128), PiecewiseLinear(((-1, 0, 1),) * 128, 64)
        model = Model(Network([Input(20), *layers, Dense(1)]), "squared_error", seed=3, threads=threads)
        model.fit(x, y, epochs=3, batch_size=128, progress=False)
        ends.append(problems.flat(model.parameters) | {"predictions": model.predict(x)})
    problems.assert_same(ends[0], ends[1])
    problems.assert_same(ends[0], ends[2])


@pytest.mark.parametrize(
    ("knots", "message"),
    [
        (((0, 0),), r"knots of input 0 must increase by steps that float32 holds; knot 0 is 0, knot 1 0"),
        (((0, 1), (0, 2, 1)), r"knots of input 1 must increase .*; knot 1 is 2, knot 2 1"),
        (((1e8, 1e8 + 1),), "must increase by steps that float32 holds"),
        (((0, 1e-40),), "must increase by steps that float32 holds"),
        (((-3e38, 3e38),), "must increase by steps that float32 holds"),
        (((0, float("nan")),), "knots of input 0 must be finite numbers, in float32 too"),
        (((0, 1e39),), "must be finite numbers, in float32 too"),
        ((("a", 1),), "must be finite numbers"),
        ((((0, 1),),), "must be finite numbers"),
        ((0, 1), "a tuple with the knots of each input"),
        (3, "a tuple with the knots of each input"),
        (((), (1,)), "so there is no bin at all"),
        ((), "so there is no bin at all"),
    ],
)
def test_knots_are_checked(knots: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"PiecewiseLinear: .*{message}"):
        PiecewiseLinear(knots, 2)


@pytest.mark.parametrize("options", [{"units": 0}, {"units": 2, "decay_factor": -1}, {"units": 2, "l1": "much"}])
def test_fields_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"PiecewiseLinear: (units|decay_factor|l1) is .*; it must be a"):
        PiecewiseLinear(((0, 1),), **options)


def test_knots_for_each_number() -> None:
    with pytest.raises(NetworkError, match=r'PiecewiseLinear "f" has knots for 1 numbers and reads 2'):
        Network([Input(2), PiecewiseLinear(((0, 1),), 2, name="f")])


def test_knots_of_arrays_and_of_files_are_the_same() -> None:
    plain = PiecewiseLinear(((0, 1, 2), ()), 2)
    assert PiecewiseLinear([[0.0, 1.0, 2.0], []], 2) == PiecewiseLinear((np.arange(3), np.zeros(0)), 2) == plain  # type: ignore[arg-type]


def test_quantile_knots_hold_about_equally_many_rows(rng: np.random.Generator) -> None:
    x = np.exp(rng.normal(size=(3200, 1)))
    (knots,) = quantile_knots(x, bins=16)
    assert (knots[0], knots[-1], len(knots)) == (np.float32(x.min()), np.float32(x.max()), 17)
    counts, _ = np.histogram(x, np.array(knots) * (1 + 1e-7))
    assert abs(counts - 200).max() <= 2


def test_quantile_knots_of_columns_that_hardly_vary() -> None:
    X = np.stack(
        [
            np.full(100, 3.0), np.arange(100) % 2, 1e8 + np.arange(100) / 1e3, np.arange(100) == 5,
            np.arange(100) * 1e-44, np.repeat([0, 1, 2], [98, 1, 1]),
        ], axis=1,
    )  # fmt: skip
    knots = quantile_knots(X, bins=4)
    assert [len(own) for own in knots] == [1, 2, 1, 2, 1, 2]
    assert PiecewiseLinear(knots, 1).knot_counts == (1, 2, 1, 2, 1, 2)


@pytest.mark.parametrize(
    ("X", "bins", "message"),
    [
        ([[1.0], [np.nan]], 4, r"NaN, or numbers that aren't finite in float32, in columns 0"),
        ([[1.0, 1e39]], 4, "in columns 1"),
        ([1.0, 2.0], 4, r"X has shape \(2,\); \(rows, columns\) would be right"),
        (np.zeros((0, 2)), 4, "at least one each"),
        ([["a"]], 4, "X must be numbers"),
        ([[1.0]], 0, "bins is 0; it must be a whole number of at least 1"),
    ],
)
def test_rows_for_quantile_knots_are_checked(X: Any, bins: int, message: str) -> None:
    with pytest.raises(InputError, match=f"quantile_knots: .*{message}"):
        quantile_knots(X, bins)


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=30), st.integers(1, 12))
def test_quantile_knots_are_knots(numbers: list[float], bins: int) -> None:
    (knots,) = quantile_knots(np.array(numbers)[:, None], bins)
    assert 1 <= len(knots) <= bins + 1
    if len(knots) > 1:
        assert PiecewiseLinear((knots,), 1).knots == (knots,)

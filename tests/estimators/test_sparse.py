"""Sparse tables are made dense in parts: the numbers are the same, and memory doesn't grow with the table."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy import sparse as scipy_sparse

from chainrule import MLPClassifier, MLPRegressor
from chainrule.estimators import sparse
from chainrule.estimators.sparse import SparseRows, engine_rows, rows_at_once

RNG = np.random.default_rng(0)
DENSE = np.where(RNG.uniform(size=(90, 12)) < 0.2, RNG.normal(size=(90, 12)), 0)
THIN = scipy_sparse.csr_array(DENSE)
CLASSES = RNG.integers(0, 3, 90)
NUMBERS = DENSE[:, :2] @ [[1.0, 2.0], [0.5, -1.0]]
WEIGHTS = np.where(np.arange(90) < 35, 0.0, RNG.uniform(0.1, 3, 90))  # the first parts weigh nothing at all
FEW: dict[str, Any] = {"hidden_layer_sizes": (7,), "max_iter": 6, "random_state": 0, "alpha": 0.5}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty rows may be dense at once."""
    monkeypatch.setattr(sparse, "DENSE_BYTES", 30 * 12 * 8)


SETTINGS: list[dict[str, Any]] = [
    {},
    {"batch_size": 7},
    {"batch_size": 7, "n_members": 3},
    {"batch_size": 64, "dropout": 0.3},
    {"solver": "sgd", "batch_size": 7, "early_stopping": True},
    {"solver": "sgd", "batch_size": 40, "batch_norm": True},
    {"solver": "lbfgs"},
    {"solver": "lbfgs", "n_members": 2},
    {"solver": "lbfgs", "batch_norm": True},
]


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weights"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_numbers_are_those_of_the_dense_table(settings: dict[str, Any], weights: Any, engine: str) -> None:
    for cls, y in ((MLPClassifier, CLASSES), (MLPRegressor, NUMBERS)):
        if settings.get("early_stopping") and cls is MLPClassifier and weights is not None:
            continue  # a split may hold rows of no weight only
        whole, thin = (cls(engine=engine, **{**FEW, **settings}).fit(X, y, weights) for X in (DENSE, THIN))
        assert isinstance(thin._as_table(THIN, y, None).rows(np.dtype(np.float64)), SparseRows)
        for ours, theirs in zip(thin.coefs_ + thin.intercepts_, whole.coefs_ + whole.intercepts_, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-7)
        np.testing.assert_allclose(thin.history_["loss"], whole.history_["loss"], rtol=1e-9)
        np.testing.assert_allclose(thin.predict(THIN), whole.predict(DENSE), atol=1e-7)


@pytest.mark.usefixtures("parts")
def test_held_out_rows_and_gradients(engine: str) -> None:
    held_out: list[Any] = [
        MLPRegressor(engine=engine, **FEW).fit(X, NUMBERS, X_val=X, y_val=NUMBERS, sample_weight_val=WEIGHTS)
        for X in (DENSE, THIN)
    ]
    np.testing.assert_allclose(*(one.validation_loss_curve_ for one in held_out), rtol=1e-9)
    np.testing.assert_allclose(*(one.validation_scores_ for one in held_out), rtol=1e-9)
    for weights in (None, WEIGHTS):
        whole, thin = (held_out[1].loss_and_gradients(X, NUMBERS, weights) for X in (DENSE, THIN))
        assert thin[0] == pytest.approx(whole[0], rel=1e-12)
        for layer, arrays in whole[1].items():
            for name, gradient in arrays.items():
                np.testing.assert_allclose(thin[1][layer][name], gradient, atol=1e-12)


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_a_diverging_loss_says_where(solver: str, engine: str) -> None:
    rows = THIN.copy()
    rows.data[:] = 1e200
    with pytest.raises(ValueError, match="The loss became NaN or infinite in epoch 1, step 1"):
        MLPRegressor(solver=solver, engine=engine, **FEW).fit(rows, NUMBERS)


@pytest.mark.parametrize("kind", ["mean", "zero"])
def test_missing_values_among_those_stored(kind: str) -> None:
    holed = THIN.copy()
    holed.data[::5] = np.nan
    whole, thin = (MLPRegressor(missing_values=kind, **FEW).fit(X, NUMBERS) for X in (holed.toarray(), holed))
    np.testing.assert_allclose(thin.coefs_[0], whole.coefs_[0])
    np.testing.assert_allclose(thin.predict(holed), whole.predict(holed.toarray()))
    if kind == "mean":
        np.testing.assert_allclose(thin.missing_means_, whole.missing_means_)
    assert np.isnan(holed.data).any()  # the user's own table is as it was


@pytest.mark.parametrize("settings", [{}, {"n_members": 2}, {"batch_norm": True, "dropout": 0.2}], ids=str)
def test_a_thin_table_is_predicted_by_what_it_stores(settings: dict[str, Any], engine: str) -> None:
    rows = np.zeros((90, 12))
    rows[::3, 5] = 1.0
    for dtype in (np.float64, np.float32):
        fitted = MLPRegressor(engine=engine, **{**FEW, **settings}).fit(DENSE.astype(dtype), NUMBERS)
        thin = fitted.predict(scipy_sparse.csr_array(rows.astype(dtype)))
        np.testing.assert_allclose(thin, fitted.predict(rows.astype(dtype)), atol=float(64 * np.finfo(dtype).eps))
        assert thin.dtype == dtype
    several = MLPClassifier(multi_output=True, engine=engine, **FEW).fit(DENSE, np.c_[CLASSES, CLASSES > 0])
    np.testing.assert_array_equal(several.predict(scipy_sparse.csc_array(rows)), several.predict(rows))


def test_a_small_table_is_made_dense_at_once() -> None:
    dtype = np.dtype(np.float64)
    assert not isinstance(engine_rows(THIN, (NUMBERS,), None, dtype), SparseRows)
    assert rows_at_once(20_000, dtype) == 419
    assert rows_at_once(10**9, dtype) == 1


def test_memory_does_not_grow_with_the_table() -> None:
    """30,000 x 5,000 would be 1.2 GB; the parts take 64 MiB, and their rows, orders and gradients a little more."""
    n, width = 30_000, 5_000
    rows = scipy_sparse.random_array((n, width), density=1e-4, rng=np.random.default_rng(0), format="csr")
    y = np.asarray(rows.sum(axis=1)).ravel()
    regressor = MLPRegressor(hidden_layer_sizes=(2,), max_iter=1, early_stopping=True, random_state=0)
    tracemalloc.start()
    try:
        regressor.fit(rows, y).predict(rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * sparse.DENSE_BYTES

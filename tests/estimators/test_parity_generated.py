"""Generated settings of scikit-learn's own arguments: whatever they are, the numbers are its own.

Rates are small and batches not tiny: where training is chaotic, a rounding error doubles with every few steps.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import neural_network
from sklearn.datasets import load_iris

from chainrule import MLPClassifier, MLPRegressor

X, SPECIES = load_iris(return_X_y=True)
TARGETS: dict[str, Any] = {
    "three classes": SPECIES,
    "words": np.array(["setosa", "versicolor", "virginica"], dtype=object)[SPECIES],
    "two classes": SPECIES > 1,
    "labels": np.c_[SPECIES > 0, SPECIES > 1, SPECIES == 1].astype(int),
    "numbers": X[:, 0] - 5,
    "counts": np.round(X[:, 2]),
}

SHARED = {
    "hidden_layer_sizes": st.sampled_from([(), (3,), [4, 3], 5]),
    "activation": st.sampled_from(["identity", "logistic", "tanh", "relu"]),
    "alpha": st.sampled_from([0.0, 1e-4, 1.0]),
    "batch_size": st.sampled_from(["auto", 13, 64, 150]),
    "shuffle": st.booleans(),
    "tol": st.sampled_from([0.0, 1e-4, 0.1]),
    "n_iter_no_change": st.sampled_from([1, 3, np.inf]),
    "early_stopping": st.booleans(),
    "validation_fraction": st.sampled_from([0.1, 0.35]),
    "learning_rate_init": st.sampled_from([1e-3, 0.01]),
    "random_state": st.integers(0, 5),
    "max_iter": st.integers(1, 6),
    "warm_start": st.booleans(),
}
SGD = {
    "solver": st.just("sgd"),
    "learning_rate": st.sampled_from(["constant", "invscaling", "adaptive"]),
    "power_t": st.sampled_from([0.0, 0.5]),
    "momentum": st.sampled_from([0.0, 0.5, 0.9]),
    "nesterovs_momentum": st.booleans(),
}
ADAM = {
    "solver": st.just("adam"),
    "beta_1": st.sampled_from([0.5, 0.9]),
    "beta_2": st.sampled_from([0.9, 0.999]),
    "epsilon": st.sampled_from([1e-8, 1e-3]),
}


@given(
    problem=st.sampled_from(sorted(TARGETS)),
    settings=st.one_of(st.fixed_dictionaries({**SHARED, **SGD}), st.fixed_dictionaries({**SHARED, **ADAM})),
    weighted=st.booleans(),
    calls=st.lists(st.sampled_from(["fit", "partial_fit"]), min_size=1, max_size=3),
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_same_numbers(problem: str, settings: dict[str, Any], weighted: bool, calls: list[str]) -> None:
    y = TARGETS[problem]
    weights = np.random.default_rng(0).uniform(0.1, 2, 150) if weighted else None
    kind, own = "MLPClassifier", MLPClassifier
    if problem in ("numbers", "counts"):
        kind, own = "MLPRegressor", MLPRegressor
        settings = {**settings, "loss": "poisson" if problem == "counts" else "squared_error"}
    pair = own(**settings), getattr(neural_network, kind)(**settings)
    for call in calls:
        said = [outcome(one, call, y, weights) for one in pair]
        assert said[0] == said[1]
        if said[0] is not None:
            return
        ours, theirs = pair
        assume(max(theirs.loss_curve_) < 10)  # far up, theirs cuts probabilities and overflows where ours doesn't
        for name in ("n_iter_", "t_", "_no_improvement_count"):
            assert getattr(ours, name) == getattr(theirs, name), name
        for a, b in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-7, rtol=1e-6)
        for name in ("loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_"):
            mine, yours = getattr(ours, name), getattr(theirs, name)
            assert (mine is None) == (yours is None), name
            if mine is not None:
                np.testing.assert_allclose(mine, yours, atol=1e-7)


def outcome(estimator: Any, call: str, y: Any, weights: Any) -> str | None:
    """Fit, and say how a refusal begins."""
    first = call == "partial_fit" and hasattr(estimator, "predict_proba") and not hasattr(estimator, "classes_")
    classes = {} if not first else {"classes": np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            getattr(estimator, call)(X, y, weights, **classes)
    except (ValueError, AttributeError) as error:
        return f"{type(error).__name__}: {str(error)[:40]}"
    return None

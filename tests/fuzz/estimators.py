"""scikit-learn estimators: beside scikit-learn's own, settings are accepted or refused alike, and numbers agree."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.findings import expect

SETTINGS: dict[str, tuple[Any, ...]] = {
    "hidden_layer_sizes": ([], [3], [4, 3], 5, [0], [-1], 0, "3", [2.5]),
    "activation": ("identity", "logistic", "tanh", "relu"),
    "solver": ("adam", "adam", "sgd", "lbfgs", "newton"),
    "alpha": (0.0, 1e-4, 1.0, -1.0, 1e10, "a"),
    "batch_size": ("auto", 1, 7, 100, 0, -1, "full", 2.5),
    "learning_rate": ("constant", "invscaling", "adaptive", "falling"),
    "learning_rate_init": (0.001, 0.1, 0.0, -1.0, 1.0),
    "power_t": (0.5, 0.0, 2.0, -1.0),
    "max_iter": (1, 3, 8, 20, 0, -1, 1.5),
    "shuffle": (True, False, 1),
    "random_state": (0, 1, 123, -1, None),
    "tol": (1e-4, 0.0, 0.1, -1.0),
    "warm_start": (True, False),
    "momentum": (0.9, 0.0, 0.5, 1.0, 1.5),
    "nesterovs_momentum": (True, False),
    "early_stopping": (True, True, False),
    "validation_fraction": (0.1, 0.3, 0.0, 1.0, 0.99),
    "beta_1": (0.9, 0.0, 1.0),
    "beta_2": (0.999, 0.0, 1.0),
    "epsilon": (1e-8, 1e-3, 0.0),
    "n_iter_no_change": (1, 3, 10, 0, float("1e300")),
    "max_fun": (15000, 5, 1, 0),
}
OURS: dict[str, tuple[Any, ...]] = {
    "dropout": (0.2, 0.0, 1.0, -0.1),
    "batch_norm": (True,),
    "schedule": ("cosine", "one_cycle", "falling"),
    "clip_norm": (1.0, 1e-3, 0.0, -1.0),
    "restore_best": (True,),
    "warm_start_optimizer": (True,),
    "missing_values": ("mean", "zero", "median"),
    "n_members": (2, 3, 0, -1),
    "folds": (2, 3, 1, 0),
    "bins": (2, 8, 1, -1),
    "engine": ("reference", "native", "gpu"),
    "n_jobs": (1, 2, 3, -1, 0, 2**40),
    "class_weight": ("balanced", "even"),
    "scoring": ("accuracy", "r2", "nonsense"),
    "activation": ("gelu", "silu", "mish", "softmax", "nonsense", ["tanh", "relu"]),
    "solver": ("adamw", "rmsprop", "adagrad"),
    "loss": ("huber", "absolute_error", "nonsense"),
}


def generate(rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(["classifier", "regressor"])
    names = [name for name in SETTINGS if rng.random() < 0.2]
    settings = {name: rng.choice(SETTINGS[name][:4] if rng.random() < 0.85 else SETTINGS[name]) for name in names}
    settings.setdefault("max_iter", rng.choice([1, 3, 8]))
    settings.setdefault("random_state", rng.randint(0, 5))
    settings.setdefault("hidden_layer_sizes", rng.choice([[3], [4, 3], []]))
    if rng.random() < 0.1 and kind == "regressor":
        settings["loss"] = rng.choice(["squared_error", "poisson"])
    return {
        "kind": kind,
        "settings": settings,
        "ours": {name: rng.choice(OURS[name]) for name in rng.sample(sorted(OURS), rng.choice([1, 2, 3]))}
        if rng.random() < 0.35
        else {},
        "rows": rng.choice([0, 1, 2, 3, 5, 10, 30, 60, 60]),
        "columns": rng.choice([1, 1, 2, 5, 0]),
        "x": rng.choice(
            ["normal"] * 6 + ["float32", "integers", "same", "large", "nan", "inf", "text", "list", "sparse", "flat"]
        ),
        "y": rng.choice(
            ["plain"] * 6
            + ["one class", "strings", "several", "numbers", "short", "nan", "large", "column", "booleans"]
        ),
        "weights": rng.choice([None] * 5 + ["random", "zeros", "nothing", "short", "negative", "nan", "scalar"]),
        "calls": rng.choice(
            [["fit"]] * 4
            + [["fit", "fit"], ["partial_fit"], ["partial_fit", "partial_fit"], ["fit", "partial_fit"], ["predict"]]
        ),
        "seed": rng.getrandbits(31),
    }


def rows(case: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Rows, targets and weights, good or odd."""
    rng = np.random.default_rng(case["seed"])
    n = case["rows"]
    X: Any = rng.normal(size=(n, case["columns"]))
    kind = case["x"]
    if kind == "float32":
        X = X.astype(np.float32)
    elif kind == "integers":
        X = rng.integers(-5, 5, X.shape)
    elif kind == "same":
        X = np.ones_like(X)
    elif kind == "large":
        X = X * 1e150
    elif kind in ("nan", "inf") and X.size:
        X.flat[0] = float(kind)
    elif kind == "text":
        X = X.astype(str).astype(object)
    elif kind == "list":
        X = X.tolist()
    elif kind == "sparse":
        import scipy.sparse

        X = scipy.sparse.csr_matrix(X)
    elif kind == "flat":
        X = X.ravel()
    return X, targets(case, n, rng), weights(case["weights"], n, rng)


def targets(case: Mapping[str, Any], n: int, rng: np.random.Generator) -> Any:
    """Labels or numbers, good or odd."""
    classes = case["kind"] == "classifier"
    y: Any = rng.integers(0, rng.integers(2, 4), n) if classes else rng.normal(size=n)
    kind = case["y"]
    if case["settings"].get("loss") == "poisson":
        y = np.abs(y)
    if kind == "one class":
        y = np.zeros(n) if not classes else np.zeros(n, int)
    elif kind == "strings":
        y = np.array(["b", "a", "c"])[np.asarray(y, int) % 3]
    elif kind == "several":
        y = rng.integers(0, 2, (n, 2)) if classes else rng.normal(size=(n, 2))
    elif kind == "numbers":
        y = rng.normal(size=n)
    elif kind == "short":
        y = y[:-1]
    elif kind == "nan" and n:
        y = np.asarray(y, float)
        y[0] = np.nan
    elif kind == "large":
        y = y * 10**9 if classes else y * 1e160
    elif kind == "column":
        y = y[:, None]
    elif kind == "booleans":
        y = np.asarray(y) > 0
    return y


def weights(kind: str | None, n: int, rng: np.random.Generator) -> Any:
    """Row weights, good or odd."""
    if kind is None:
        return None
    if kind == "scalar":
        return 2.0
    w = rng.uniform(0.1, 3, n)
    if kind == "zeros":
        w[: n // 2] = 0
    elif kind == "nothing":
        w[:] = 0
    elif kind == "short":
        w = w[:-1]
    elif kind == "negative":
        w[: n // 3] *= -1
    elif kind == "nan" and n:
        w[0] = np.nan
    return w


def play(kind: Any, settings: Mapping[str, Any], case: Mapping[str, Any]) -> Any:
    """An estimator and the calls of a case; gives it, or the error."""
    X, y, w = rows(case)
    try:
        estimator = kind(**settings)
        for call in case["calls"]:
            if call == "predict":
                estimator.predict(X)
                continue
            more = {} if w is None else {"sample_weight": w}
            if call == "partial_fit" and case["kind"] == "classifier":
                more["classes"] = np.unique(y)
            getattr(estimator, call)(X, y, **more)
    except Exception as error:
        return error
    return estimator


def check(case: dict[str, Any]) -> None:
    import sklearn.neural_network

    import chainrule

    name = "MLPClassifier" if case["kind"] == "classifier" else "MLPRegressor"
    settings = dict(case["settings"])
    mine = play(getattr(chainrule, name), {**settings, **case["ours"]}, case)
    if not case["ours"]:
        theirs = play(getattr(sklearn.neural_network, name), settings, case)
        compare(case, mine, theirs)
    if isinstance(mine, Exception):
        expect_error(mine)
    else:
        check_answers(case, mine)


def expect_error(error: Exception) -> None:
    """An error that says something, of a kind that scikit-learn's users expect."""
    from sklearn.exceptions import NotFittedError

    import chainrule

    if "has no attribute 'partial_fit'" in str(error):  # of L-BFGS, as there
        return
    kinds = (ValueError, TypeError, NotFittedError, chainrule.ChainruleError)
    if not isinstance(error, kinds) or type(error).__name__ in ("UnicodeDecodeError", "AxisError"):
        raise error
    expect(str(error).strip(), f"a {type(error).__name__} without a message")
    expect(len(str(error)) < 50_000, f"a message of {len(str(error))} letters")  # scikit-learn's own quote whole arrays


def documented(case: Mapping[str, Any], mine: Any, theirs: Any) -> bool:
    """The differences that docs/how-to/switch-from-scikit-learn.md names, and what has no size in common."""
    text = f"{mine} {theirs}"
    return (
        case["settings"].get("loss") == "poisson"  # negative targets
        or "finite" in text  # a loss that isn't finite
        or "negative sample weights" in text  # with which L-BFGS falls without end
        or case["y"] == "large"  # targets whose squares are no numbers any more
        or (case["x"] == "float32" and case["settings"].get("solver") == "lbfgs")
    )


def compare(case: Mapping[str, Any], mine: Any, theirs: Any) -> None:
    """Accepted or refused alike; the same weights where both accept."""
    if isinstance(mine, Exception) or isinstance(theirs, Exception):
        if isinstance(mine, Exception) and isinstance(theirs, Exception):
            return
        if not documented(case, mine, theirs):
            expect(isinstance(theirs, Exception), f"refused, scikit-learn accepts it: {mine!r:.300}")
            refused = isinstance(theirs, (ValueError, TypeError))  # what else it raises is a slip of its own
            expect(isinstance(mine, Exception) or not refused, f"accepted, scikit-learn refuses it: {theirs!r:.300}")
        return
    if case["settings"].get("random_state") is None or case["x"] in ("float32", "large") or case["y"] == "large":
        return
    several = case["y"] == "several" and case["kind"] == "regressor"
    if several or documented(case, mine, theirs):
        return
    if (
        case["settings"].get("solver") == "lbfgs"
        or case["settings"].get("epsilon") == 0.0
        or case["settings"].get("beta_2") == 0.0
    ):
        return  # what rounding leaves is magnified
    expect(mine.n_iter_ == theirs.n_iter_, f"{mine.n_iter_} epochs, scikit-learn's {theirs.n_iter_}")
    for a, b in zip([*mine.coefs_, *mine.intercepts_], [*theirs.coefs_, *theirs.intercepts_], strict=True):
        if np.all(np.isfinite(b)) and np.max(np.abs(b), initial=0) < 1e6:
            expect(
                np.allclose(a, b, rtol=1e-6, atol=1e-8),
                f"other weights than scikit-learn's: {a.ravel()[:3]}, {b.ravel()[:3]}",
            )


def check_answers(case: Mapping[str, Any], model: Any) -> None:
    """Finite predictions of the right length, and the same after a round trip through a file."""
    import chainrule

    X = rows(case)[0]
    n = case["rows"]
    try:
        predictions = model.predict(X)
    except (ValueError, chainrule.ChainruleError):
        return
    expect(len(predictions) == n, f"{n} rows in, {len(predictions)} predictions out")
    if predictions.dtype.kind == "f":
        expect(np.all(np.isfinite(predictions)), "predictions aren't finite")
    if case["kind"] == "classifier":
        for p in np.atleast_3d(model.predict_proba(X)):
            expect(
                np.all(np.isfinite(p)) and np.all(p >= 0) and np.all(p <= 1 + 1e-6),
                "probabilities aren't probabilities",
            )
    for a in [*model.coefs_, *model.intercepts_]:
        expect(np.all(np.isfinite(a)), "the fit ended well, with weights that aren't finite")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        model.save(path)
        again = chainrule.load(path)
        expect(np.array_equal(again.predict(X), predictions), "saved and loaded, it predicts something else")

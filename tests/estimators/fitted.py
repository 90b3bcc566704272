"""Small fits that tests of parameters compare."""

from __future__ import annotations

from typing import Any

from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from chainrule import MLPClassifier, MLPRegressor

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
FEW: dict[str, Any] = {"hidden_layer_sizes": (8,), "max_iter": 20, "random_state": 0}


def classifier(**parameters: Any) -> Any:
    return MLPClassifier(**{**FEW, **parameters}).fit(X, y)


def regressor(**parameters: Any) -> Any:
    return MLPRegressor(**{**FEW, **parameters}).fit(X, y.astype(float))

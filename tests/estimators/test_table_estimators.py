"""`TableClassifier` and `TableRegressor`: scikit-learn's checks, and its tools on frames as they are."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.ensemble import StackingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule import InputError, TableClassifier, TableModel, TableRegressor

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
FEW: dict[str, Any] = {"settings": {"epochs": 60, "hidden": (16,)}, "random_state": 0}
QUICK: dict[str, Any] = {"effort": "quick", **FEW}


@parametrize_with_checks([TableClassifier(**QUICK), TableRegressor(**QUICK), TableRegressor(members=2, **FEW)])
def test_scikit_learn_s_own_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.read_csv(PENGUINS)


@pytest.fixture(scope="module")
def X(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="species")


@pytest.fixture(scope="module")
def species(frame: pd.DataFrame, X: pd.DataFrame) -> TableClassifier:
    return TableClassifier(**QUICK).fit(X, frame["species"])


class TestFramesAsTheyAre:
    def test_categories_and_missing_values(self, species, X, frame):
        assert species.classes_.tolist() == ["Adelie", "Chinstrap", "Gentoo"]
        assert species.score(X, frame["species"]) > 0.95
        chances = species.predict_proba(X)
        np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-6)
        assert (species.classes_[chances.argmax(axis=1)] == species.predict(X)).all()
        assert species.feature_names_in_.tolist() == list(X.columns)

    def test_it_is_the_table_model(self, species, X, frame):
        """Trained with the seed that the random state draws, on all rows."""
        seed = int(np.random.RandomState(0).randint(2**31 - 1))
        codes = np.unique(frame["species"], return_inverse=True)[1]
        model = TableModel.train(
            X.assign(target=codes), "target", task="classification", effort="quick", test=0, seed=seed, progress=False,
            **FEW["settings"],
        )  # fmt: skip
        np.testing.assert_allclose(species.predict_proba(X), model.predict_proba(X), rtol=1e-5)

    @pytest.mark.parametrize("library", ["polars", "pyarrow", "lists"])
    def test_of_any_library(self, species, library, X, frame):
        table = pl.read_csv(PENGUINS).drop("species")
        given: Any = {"polars": table, "pyarrow": table.to_arrow(), "lists": table.to_dict(as_series=False)}[library]
        other = clone(species).fit(given, frame["species"])
        assert (other.predict(given) == species.predict(X)).all()

    def test_arrays(self, frame):
        rows = frame.dropna()[["bill_length_mm", "bill_depth_mm"]].to_numpy()
        y = frame.dropna()["body_mass_g"].to_numpy()
        model = TableRegressor(**QUICK).fit(rows, y)
        assert model.model_.encoding.feature_names == ("x0", "x1")
        rows[0, 0] = np.nan
        assert np.isfinite(model.predict(rows)).all()

    def test_columns_that_are_called_like_ours(self, frame, X):
        odd = X.assign(target=1.5 * np.arange(len(X)), target_=2.5 * np.arange(len(X)), group="x")
        model = TableClassifier(**QUICK).fit(odd, frame["species"], groups=np.arange(len(X)) % 20)
        assert {"target", "target_"} <= {column.name for column in model.model_.encoding.columns}

    def test_other_columns_are_refused(self, species, X):
        with pytest.raises(ValueError, match="feature names should match"):
            species.predict(X[X.columns[::-1]])
        with pytest.raises(ValueError, match=r"sex"):
            species.predict(X.drop(columns="sex"))


class TestTools:
    def test_cross_validation(self, frame, X):
        assert cross_val_score(TableClassifier(**QUICK), X, frame["species"], cv=3).mean() > 0.95
        scores = cross_val_score(
            TableClassifier(**QUICK), X, frame["species"], cv=GroupKFold(2), groups=frame["sex"].fillna("?"),
            scoring="neg_log_loss",
        )  # fmt: skip
        assert (scores > -0.5).all()

    def test_permutation_importance(self, species, frame, X):
        found = permutation_importance(species, X, frame["species"], n_repeats=2, random_state=0).importances_mean
        assert X.columns[found.argmax()] == "bill_length_mm"

    def test_stacking(self, frame, X):
        stack = StackingClassifier([("table", TableClassifier(**QUICK))], LogisticRegression(), cv=2)
        assert stack.fit(X, frame["species"]).score(X, frame["species"]) > 0.95

    def test_pickle_and_clone(self, species, X):
        again = pickle.loads(pickle.dumps(species))
        assert (again.predict_proba(X) == species.predict_proba(X)).all()
        assert clone(species).get_params() == species.get_params()

    def test_explanations_and_intervals(self, species, frame, X):
        assert species.explain(X.head(3), row=2).notes[-1].text.startswith("This network: target = ")
        known = frame[frame["body_mass_g"].notna()]
        columns = known.drop(columns="body_mass_g")
        model = TableRegressor(members=3, **FEW).fit(columns, known["body_mass_g"], groups=known["island"])
        assert (model.model_.members, model.model_.rows["test"]) == (3, 0)
        bounds = model.predict_interval(columns, coverage=0.8)
        inside = (bounds[:, 0] <= known["body_mass_g"]) & (known["body_mass_g"] <= bounds[:, 1])
        assert inside.mean() > 0.7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"effort": "great"}, "effort is 'great'"),
        ({"members": 0}, "members is 0"),
        ({"folds": 9, "members": 3}, "folds is 9, members 3"),
        ({"settings": {"hiden": (3,)}}, 'there is no setting "hiden"'),
        ({"time_limit": 0}, "time_limit is 0"),
        ({"engine": "gpu"}, "engine is 'gpu'"),
    ],
    ids=str,
)
def test_parameters_that_cannot_be(frame, X, options, message):
    with pytest.raises(InputError, match=message):
        TableClassifier(**options).fit(X, frame["species"])

"""`TableClassifier` and `TableRegressor`: scikit-learn's checks, and its tools on frames as they are."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import problems
import pytest
from registered import ENGINES
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
    if "native" not in ENGINES and "invariance" in str(check):
        pytest.skip("NumPy rounds a product in float32 by how many rows it has: the last digit isn't the same")
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


class TestSeveralTargets:
    """y of several columns, scikit-learn's multi-output form: one network with a head for each."""

    def test_numbers(self):
        X, y = problems.people(300)
        y = np.stack([y["age"], X.pop("sleep")], axis=1)
        y[::3, 0], y[1::4, 1] = np.nan, np.nan
        model = TableRegressor(**QUICK).fit(pd.DataFrame(X), y)
        said = model.predict(pd.DataFrame(X))
        assert (model.n_outputs_, said.shape) == (2, (300, 2))
        known = ~np.isnan(y).any(axis=1)
        assert model.score(pd.DataFrame(X)[known], y[known]) > 0.4
        bounds = model.predict_interval(pd.DataFrame(X), coverage=0.8)
        assert bounds.shape == (300, 2, 2)
        assert (bounds[..., 0] < bounds[..., 1]).all()
        with pytest.raises(ValueError, match="infinity"):
            model.fit(pd.DataFrame(X), np.where(np.isnan(y), np.inf, y))

    def test_classes(self):
        X, y = problems.people(300, gaps=0.2)
        both = np.stack([y["gender"], y["mood"]], axis=1)
        model = TableClassifier(**QUICK).fit(pd.DataFrame(X), both)
        assert [classes.tolist() for classes in model.classes_] == [["female", "male"], ["calm", "happy", "sad"]]
        said, chances = model.predict(pd.DataFrame(X)), model.predict_proba(pd.DataFrame(X))
        assert said.shape == (300, 2)
        assert [own.shape for own in chances] == [(300, 2), (300, 3)]
        for i, own in enumerate(chances):
            np.testing.assert_array_equal(model.classes_[i][own.argmax(axis=1)], said[:, i])
        known = np.array([None not in row for row in both.tolist()])
        right = (said == both).all(axis=1)[known]
        assert model.score(pd.DataFrame(X)[known], both[known]) == pytest.approx(right.mean())
        assert right.mean() > 0.6
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict(pd.DataFrame(X)), said)

    @pytest.mark.parametrize("kind", ["numbers", "truths", "pandas"])
    def test_classes_beside_gaps_keep_what_they_are(self, kind):
        """An array of objects, as it is where None stands among numbers; and pandas' own columns with gaps."""
        X, y = problems.people(120, gaps=0.2)
        female = [None if name is None else name == "female" for name in y["gender"]]
        mood = pd.Series(list(y["mood"]), dtype="string")
        if kind == "pandas":
            both = pd.DataFrame({"a": pd.array(female, dtype="boolean"), "b": mood})
        else:
            made = female if kind == "truths" else [None if one is None else 2 + one for one in female]
            both = np.array([made, made[::-1]], object).T
        model = TableClassifier(**QUICK).fit(pd.DataFrame(X), both)
        first = {"numbers": [2, 3], "truths": [False, True], "pandas": [False, True]}[kind]
        assert model.classes_[0].tolist() == first
        assert set(model.predict(pd.DataFrame(X))[:, 0]) <= set(first)

    def test_cross_validated(self):
        X, y = problems.people(150)
        both = np.stack([y["age"], X["sleep"]], axis=1)
        assert cross_val_score(TableRegressor(**QUICK), pd.DataFrame(X), both, cv=2).mean() > 0.3

    def test_one_class_in_a_column(self):
        with pytest.raises(ValueError, match=r"y has one class only, .*'x'"):
            TableClassifier(**QUICK).fit({"a": range(6)}, [["x", "y"], ["x", "z"]] * 3)

    def test_a_column_named_like_the_targets(self):
        X, y = problems.people(60)
        frame = pd.DataFrame({**X, "target0": X["sleep"], "target": X["pulse"]})
        model = TableRegressor(**QUICK).fit(frame, np.stack([y["age"], X["sleep"]], axis=1))
        assert [target.name for target in model.model_.targets] == ["target0_", "target1"]
        assert model.predict(frame).shape == (60, 2)


def test_what_is_said_of_columns_is_heard() -> None:
    rows = range(60)
    frame = pl.DataFrame({
        "id": [i * 7919 % 977 for i in rows], "grade": [i % 4 for i in rows], "cost": [f"{i},5" for i in rows],
        "when": [f"{1 + i % 12:02}/{1 + i % 9:02}/2024" for i in rows],
        "note": ["tbd" if i % 9 == 0 else "x" for i in rows],
    })  # fmt: skip
    said = {"drop": "id", "categorical": ["grade"], "date": ["when=%d/%m/%Y"], "missing": "tbd"}
    model = TableRegressor("quick", random_state=0, settings={"epochs": 1, "hidden": (4,)}, **said)
    encoding = model.fit(frame, [float(i) for i in rows]).model_.encoding
    assert [(type(column).__name__, column.name) for column in encoding.columns] == [
        ("CategoricalColumn", "grade"), ("NumericColumn", "cost"), ("DateColumn", "when"),
        ("CategoricalColumn", "note"),
    ]  # fmt: skip
    assert model.predict(frame[:2]).shape == (2,)

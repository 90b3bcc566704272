"""Each parameter that chainrule adds does what it says."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from estimators.fitted import FEW, X, classifier, regressor, y
from sklearn.metrics import log_loss

import chainrule as cr
from chainrule import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_loss() -> None:
    smooth = classifier(loss=cr.CrossEntropy(label_smoothing=0.5), solver="lbfgs", max_iter=200)
    assert np.median(smooth.predict_proba(X).max(axis=1)) == pytest.approx(0.5 + 0.5 / 3, abs=0.05)
    two = MLPClassifier(**FEW, loss="cross_entropy").fit(X, y > 0)
    assert two.n_outputs_ == 2
    assert two.predict_proba(X).sum(axis=1) == pytest.approx(1)
    squares = classifier(loss="squared_error", max_iter=200, learning_rate_init=0.02)
    assert squares.score(X, y) > 0.9
    rng = np.random.default_rng(0)
    noise = rng.exponential(size=400)
    constant = np.ones((400, 1))
    for loss, best in (("absolute_error", np.median(noise)), (cr.Quantile(0.9), np.quantile(noise, 0.9))):
        fitted = MLPRegressor(loss, (), learning_rate_init=0.02, max_iter=400, random_state=0, tol=0).fit(
            constant, noise
        )
        assert fitted.predict([[1.0]])[0] == pytest.approx(best, abs=0.1)
    outlier = np.append(np.zeros(99), 1000.0)
    rows = np.ones((100, 1))
    robust = MLPRegressor("huber", (), solver="lbfgs").fit(rows, outlier)
    assert (
        abs(robust.predict(rows[:1])[0])
        < 1
        < MLPRegressor(hidden_layer_sizes=(), solver="lbfgs").fit(rows, outlier).predict(rows[:1])[0]
    )
    own = cr.CustomLoss(lambda y, h: ((h - y) ** 4).sum(axis=1), lambda y, h: 4 * (h - y) ** 3, title="quartic")
    assert regressor(loss=own).loss_ != regressor().loss_
    with pytest.raises(ValueError, match="compares probabilities"):
        classifier(output_activation="identity")


def test_class_weight() -> None:
    uneven = np.r_[0:50, 50:55, 100:105]
    plain, balanced = (
        MLPClassifier(**{**FEW, "max_iter": 60}, class_weight=weight).fit(X[uneven], y[uneven])
        for weight in (None, "balanced")
    )
    assert balanced.predict_proba(X[50:])[:, 1:].sum() > plain.predict_proba(X[50:])[:, 1:].sum()
    given = MLPClassifier(**FEW, class_weight={0: 1.0, 1: 3.0, 2: 0.5}).fit(X, y)
    by_hand = MLPClassifier(**FEW).fit(X, y, sample_weight=np.array([1.0, 3.0, 0.5])[y])
    assert given.loss_curve_ == by_hand.loss_curve_
    both = MLPClassifier(**FEW, class_weight={0: 1.0, 1: 3.0, 2: 0.5}).fit(X, y, sample_weight=np.arange(150.0))
    product = MLPClassifier(**FEW).fit(X, y, sample_weight=np.arange(150.0) * np.array([1.0, 3.0, 0.5])[y])
    np.testing.assert_allclose(both.loss_curve_, product.loss_curve_)
    with pytest.raises(ValueError, match="balanced"):
        MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])


def test_multi_output() -> None:
    several = np.c_[y, np.where(X[:, 0] > 0, "tall", "short")].astype(object)
    one = MLPClassifier(**{**FEW, "max_iter": 150, "learning_rate_init": 0.02}, multi_output=True).fit(X, several)
    assert [list(classes) for classes in one.classes_] == [["0", "1", "2"], ["short", "tall"]]
    assert one.predict(X).shape == (150, 2)
    assert one.score(X, several) > 0.9
    probabilities = one.predict_proba(X)
    assert [p.shape for p in probabilities] == [(150, 3), (150, 2)]
    assert probabilities[1].sum(axis=1) == pytest.approx(1)
    assert [head.name for head in one.network_.heads] == ["output_1", "output_2"]
    assert [W.shape for W in one.coefs_] == [(4, 8), (8, 5)]
    before = one.predict_proba(X)
    one.coefs_[1][:, 3:] = 0  # the last weights belong to two heads
    one.intercepts_[1][3:] = 0
    assert one.predict_proba(X)[1] == pytest.approx(0.5)
    np.testing.assert_array_equal(one.predict_proba(X)[0], before[0])
    again = MLPClassifier(**FEW, multi_output=True, early_stopping=True, scoring=lambda e, X, y: e.score(X, y)).fit(
        X, several
    )
    assert again.best_validation_score_ == max(again.validation_scores_)
    parts = MLPClassifier(**FEW, multi_output=True)
    for _ in range(3):
        parts.partial_fit(X, several, classes=[["0", "1", "2"], ["short", "tall"]])
    assert parts.predict(X[:3]).shape == (3, 2)


def test_output_activation() -> None:
    positive = regressor(output_activation="softplus")
    assert positive.out_activation_ == "softplus"
    assert positive.predict(X).min() > 0
    one_by_one = classifier(output_activation="logistic")
    assert abs(one_by_one.predict_proba(X).sum(axis=1) - 1).max() > 0.01


def test_dropout() -> None:
    one = classifier(hidden_layer_sizes=(8, 8), dropout=[0.5, 0.0])
    assert [step.name for step in one.network_.steps if "dropout" in step.name] == ["hidden_1_dropout"]
    assert one.loss_curve_[0] != classifier(hidden_layer_sizes=(8, 8)).loss_curve_[0]
    assert (one.predict_proba(X) == one.predict_proba(X)).all()
    assert classifier(dropout=0.3).loss_curve_ == classifier(dropout=0.3).loss_curve_
    with pytest.raises(ValueError, match="L-BFGS refuses dropout"):
        classifier(dropout=0.3, solver="lbfgs")
    with pytest.raises(ValueError, match="rate is 2"):
        classifier(dropout=[2])


def test_batch_norm() -> None:
    one = classifier(batch_norm=True, max_iter=60, learning_rate_init=0.02)
    assert [step.name for step in one.network_.steps if "norm" in step.name] == ["hidden_norm"]
    assert one.score(X, y) > 0.9
    assert (one._model.state["hidden_norm"]["mean"] != 0).any()


def test_initializer() -> None:
    one = MLPClassifier((300,), initializer="lecun_normal", max_iter=1, learning_rate_init=1e-9, random_state=0).fit(
        X, y
    )
    assert one.coefs_[0].std() == pytest.approx(0.5, rel=0.1)  # 1 / sqrt(4)
    assert abs(one.intercepts_[0]).max() < 1e-6


def test_schedule() -> None:
    for solver in ("adam", "sgd", "rmsprop"):
        rates = classifier(solver=solver, schedule="cosine").history_["learning_rate"]
        assert rates[0] == pytest.approx(0.001)
        assert rates[-1] < 1e-4
        assert sorted(rates, reverse=True) == rates
    halved = classifier(schedule=cr.StepDecay(0.01, every=5, factor=0.5)).history_["learning_rate"]
    assert halved[::5] == pytest.approx([0.01, 0.005, 0.0025, 0.00125])
    parts = MLPClassifier(**FEW, schedule="cosine")
    for _ in range(10):
        parts.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_allclose(
        parts.history_["learning_rate"], classifier(schedule="cosine").history_["learning_rate"][:10]
    )
    plateau = classifier(schedule=cr.ReduceOnPlateau(0.5, patience=1, factor=0.1)).history_["learning_rate"]
    assert plateau[-1] < plateau[0]


def test_clip_norm() -> None:
    start = classifier(solver="sgd", max_iter=1, learning_rate_init=1e-12).coefs_[0].copy()
    moved = [
        np.linalg.norm(
            classifier(solver="sgd", max_iter=1, learning_rate_init=1.0, momentum=0, clip_norm=clip).coefs_[0] - start
        )
        for clip in (1e-3, None)
    ]
    assert moved[0] <= 1e-3 < moved[1]


def test_scoring() -> None:
    calls: list[int] = []

    def scorer(estimator: Any, X: Any, y: Any) -> float:
        calls.append(len(y))
        return -log_loss(y, estimator.predict_proba(X))

    by_function = classifier(early_stopping=True, scoring=scorer)
    assert calls == [15] * 20
    by_name = classifier(early_stopping=True, scoring="neg_log_loss")
    np.testing.assert_allclose(by_function.validation_scores_, by_name.validation_scores_)
    weighted = MLPRegressor(**FEW, early_stopping=True, scoring="neg_mean_absolute_error")
    weighted.fit(X, y.astype(float), sample_weight=np.arange(1.0, 151))
    assert max(weighted.validation_scores_) < 0


def test_restore_best() -> None:
    rough = {"solver": "sgd", "learning_rate_init": 6.0, "max_iter": 40, "tol": 0.0, "n_iter_no_change": 100}
    for weights in ({}, {"X_val": X[::3], "y_val": y[::3]}):
        last, best = (
            MLPClassifier(**{**FEW, **rough}, restore_best=restore, scoring="neg_log_loss").fit(X, y, **weights)
            for restore in (False, True)
        )
        assert last.loss_curve_ == best.loss_curve_
        if weights:
            assert -log_loss(y[::3], best.predict_proba(X[::3])) == pytest.approx(max(best.validation_scores_))
        assert (last.coefs_[0] != best.coefs_[0]).any()
    fitted = MLPClassifier(**FEW, solver="lbfgs", restore_best=True, scoring="neg_log_loss").fit(
        X, y, X_val=X[::3], y_val=y[::3]
    )
    assert -log_loss(y[::3], fitted.predict_proba(X[::3])) == pytest.approx(max(fitted.validation_scores_))


def test_a_warm_start_draws_new_masks_and_so_does_one_that_was_pickled() -> None:
    """Its optimizer begins anew, its place in the random stream doesn't."""
    still = {"solver": "sgd", "learning_rate_init": 1e-9, "max_iter": 1, "shuffle": False}
    one = classifier(dropout=0.5, warm_start=True, **still).fit(X, y)
    other = pickle.loads(pickle.dumps(one))
    losses = [one.fit(X, y).loss_ for _ in range(3)]
    assert len(set(np.round([one.loss_curve_[0], *losses], 6))) == 4
    assert [other.fit(X, y).loss_ for _ in range(3)] == losses


def test_warm_start_optimizer() -> None:
    whole = classifier(max_iter=20, shuffle=False)
    parts = classifier(max_iter=10, shuffle=False, warm_start=True, warm_start_optimizer=True).fit(X, y)
    forgetful = classifier(max_iter=10, shuffle=False, warm_start=True).fit(X, y)
    np.testing.assert_allclose(parts.loss_curve_, whole.loss_curve_)
    assert abs(forgetful.loss_ - whole.loss_) > 1e-4


@pytest.mark.parametrize("given", ["array", "frame"])
def test_missing_values(given: str) -> None:
    holed = X.copy()
    holed[::7, 1] = np.nan
    if given == "frame":
        import pandas as pd

        holed = pd.DataFrame(holed, columns=list("abcd"))
    with pytest.raises(ValueError, match="NaN"):
        classifier().fit(holed, y)
    mean = MLPClassifier(**FEW, missing_values="mean").fit(holed, y)
    zero = MLPClassifier(**FEW, missing_values="zero").fit(holed, y)
    filled = np.where(np.isnan(np.asarray(holed)), np.nanmean(np.asarray(holed), axis=0), np.asarray(holed))
    assert mean.loss_curve_ == MLPClassifier(**FEW).fit(filled, y).loss_curve_
    assert zero.loss_curve_ == MLPClassifier(**FEW).fit(np.nan_to_num(np.asarray(holed)), y).loss_curve_
    assert mean.predict(holed).shape == (150,)
    assert mean.missing_means_ == pytest.approx(np.nanmean(np.asarray(holed), axis=0))
    assert mean.__sklearn_tags__().input_tags.allow_nan


def test_mistakes_in_the_rows_to_score_on_name_them() -> None:
    for X_val, y_val, says in ((X[:, :2], y, "X has 2 features"), (X, y + 1, "`y` has classes not in")):
        with pytest.raises(ValueError, match=f"X_val and y_val: {says}"):
            MLPClassifier(**FEW).fit(X, y, X_val=X_val, y_val=y_val)


def test_n_members() -> None:
    one, three = classifier(batch_size=40), classifier(batch_size=40, n_members=3)
    np.testing.assert_allclose(three.coefs_[0], one.coefs_[0])  # the first member is the network without the others
    parameters = three._model.training.parameters
    assert (parameters[0] != parameters[1]).any()
    assert (parameters[1] != parameters[2]).any()
    mean, std = three.predict_proba(X, return_std=True)
    assert mean.shape == std.shape == (150, 3)
    assert mean.sum(axis=1) == pytest.approx(1)
    assert std.max() > 0
    ensemble = regressor(n_members=4)
    members = ensemble._model.outputs((X,))[0][:, :, 0]
    mean, std = ensemble.predict(X, return_std=True)
    np.testing.assert_allclose(mean, members.mean(axis=0))
    np.testing.assert_allclose(std, members.std(axis=0))
    far, near = ensemble.predict(X * 10, return_std=True)[1].mean(), std.mean()
    assert far > near  # members disagree where there was no data
    for answer in (regressor().predict, classifier().predict_proba):
        with pytest.raises(ValueError, match="return_std needs several networks to compare, and n_members is 1"):
            answer(X, return_std=True)
    assert regressor(n_members=2, early_stopping=True, dropout=0.2).n_iter_ > 0
    alone, searched = (regressor(solver="lbfgs", n_members=members, max_iter=40) for members in (1, 3))
    for ours, theirs in zip(searched.coefs_, alone.coefs_, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-8)
    assert searched.predict(X, return_std=True)[1].max() > 0
    assert len(searched.history_["loss"]) == 40 == searched.n_iter_
    early = regressor(solver="lbfgs", n_members=2, early_stopping=True, max_iter=30).fit(X, y, X_val=X, y_val=y)
    assert early.best_validation_score_ == pytest.approx(early.score(X, y))


def test_engine(engine: str) -> None:
    one = classifier(engine=engine)
    assert one.engine_.startswith(engine)
    np.testing.assert_allclose(one.loss_curve_, classifier(engine="reference").loss_curve_)


def test_n_jobs() -> None:
    from threadpoolctl import threadpool_info

    seen: list[int] = []
    counts: Callable[[Any], None] = lambda record: seen.append(max(p["num_threads"] for p in threadpool_info()))  # noqa: E731
    one = classifier(n_jobs=1, callbacks=counts)
    assert set(seen) == {1}
    assert one._model.settings.threads == 1
    assert one.loss_curve_ == pytest.approx(classifier(n_jobs=-1).loss_curve_)


def test_callbacks() -> None:
    records: list[Any] = []
    classifier(callbacks=records.append, max_iter=3)
    assert [record.epoch for record in records] == [1, 2, 3]
    stopped = classifier(callbacks=[lambda record: record.epoch == 2])
    assert stopped.n_iter_ == 2

    class Watch(cr.Callback):
        ended = False

        def on_end(self, run: Any) -> None:
            self.ended = True

    watch = Watch()
    classifier(callbacks=watch, max_iter=2)
    assert watch.ended


def test_progress(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar is on standard error, with the epochs and the loss, and is taken away at the end, errors included."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # as if it were a terminal
    classifier(progress=True, max_iter=3)
    said = capsys.readouterr()
    assert said.out == ""
    assert "training" in said.err
    assert "3/3" in said.err
    assert "loss 1." in said.err
    classifier(max_iter=3)
    assert capsys.readouterr().err == ""
    with pytest.raises(ValueError, match="non-finite"):
        regressor(progress=True, solver="sgd", learning_rate_init=1e200)
    assert capsys.readouterr().err.endswith("\x1b[2K")


# more of these two in test_fold_fits


def test_folds() -> None:
    by_folds = classifier(n_members=2, folds=2, early_stopping=True)
    assert 0 < by_folds.out_of_fold_score_ <= 1
    assert not hasattr(classifier(n_members=2, early_stopping=True), "out_of_fold_score_")


def test_bins() -> None:
    pieces = classifier(bins=4)
    assert len(pieces.knots_) == X.shape[1]
    assert all(2 <= len(knots) <= 5 for knots in pieces.knots_)
    assert not hasattr(classifier(), "knots_")

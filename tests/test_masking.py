"""Labels that are missing: a row counts nothing to a head whose label it lacks, and its full weight to the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import problems
import pytest
from finite_differences import check_gradients
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.data import prepare_rows

LOSSES = {"gender": "binary_cross_entropy", "age": "squared_error", "mood": "cross_entropy"}
WEIGHTS = {"gender": 1.0, "age": 0.3, "mood": 2.0}


def network(n_inputs: int = 4, **options: Any) -> cr.Network:
    x = cr.Input(n_inputs, name="x")
    h = cr.Dense(6, activation="tanh", name="body")(x)
    if options.get("batch_norm"):
        h = cr.BatchNorm(name="norm")(h)
    outputs = {
        "gender": cr.Dense(1, activation="sigmoid", name="gender")(h),
        "age": cr.Dense(1, name="age")(h),
        "mood": cr.Dense(3, activation="softmax", name="mood")(h),
    }
    return cr.Network(inputs=x, outputs=outputs)


def make(engine: str, weights: dict[str, float] | None = None, **options: Any) -> cr.Model:
    loss = cr.Objective(
        LOSSES, loss_weights=weights or WEIGHTS, **{k: options.pop(k) for k in ("fuse",) & options.keys()}
    )
    return cr.Model(network(), loss, dtype="float64", engine=engine, seed=5, **options)


def rows(n: int = 12, seed: int = 1, gaps: float = 0.4) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Random rows; the first has all labels."""
    rng = np.random.default_rng(seed)
    y = {"gender": rng.integers(0, 2, n), "age": rng.normal(size=n), "mood": rng.integers(0, 3, n)}
    y = {name: values.astype(float) for name, values in y.items()}
    for values in y.values():
        values[1:][rng.random(n - 1) < gaps] = np.nan
    return rng.normal(size=(n, 4)), y


def gradient(model: cr.Model, X: Any, y: Any, w: Any = None) -> dict[str, np.ndarray]:
    return problems.flat(model.loss_and_gradients(X, y, w)[1])


@examples(60)
@given(
    seed=st.integers(0, 2**32 - 1), gaps=st.sampled_from([0.2, 0.6, 0.9]), weighted=st.booleans(), fuse=st.booleans()
)
def test_a_heads_gradient_is_that_of_the_rows_that_have_its_label(
    engine: str, seed: int, gaps: float, weighted: bool, fuse: bool
) -> None:
    """For each head by itself, and for their sum: to 1e-12 in float64."""
    X, y = rows(seed=seed, gaps=gaps)
    w = np.random.default_rng(seed).uniform(0.2, 3, len(X)) if weighted else None
    total: dict[str, np.ndarray] = {}
    for head in LOSSES:
        alone = make(engine, {name: WEIGHTS[name] * (name == head) for name in LOSSES}, fuse=fuse)
        has = ~np.isnan(y[head])
        others = {name: np.zeros(has.sum()) for name in LOSSES}
        want = gradient(alone, X[has], {**others, head: y[head][has]}, None if w is None else w[has])
        got = gradient(alone, X, y, w)
        problems.assert_same(got, want, 1e-12)
        total = {key: array + total.get(key, 0) for key, array in want.items()}
    problems.assert_same(gradient(make(engine, fuse=fuse), X, y, w), total, 1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_gradients_of_the_summed_loss(engine: str, reduction: str) -> None:
    X, y = rows()
    loss = cr.Objective(LOSSES, loss_weights=WEIGHTS, reduction=reduction)  # type: ignore[arg-type]
    model = cr.Model(network(), loss, dtype="float64", engine=engine, l2=0.01)
    check_gradients(model, prepare_rows(model.network, model.objective, X, y, None, model.dtype), training=True)


def test_pytorch_says_the_same(engine: str) -> None:
    """Written there as people write it: rows without a label are taken out before the loss."""
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    X, y = rows(20)
    model = make(engine)
    p = {
        key: torch.tensor(array.copy(), dtype=torch.float64, requires_grad=True)
        for key, array in problems.flat(model.parameters).items()
    }
    h = torch.tanh(torch.tensor(X) @ p["body/W"] + p["body/b"])
    z = {name: h @ p[f"{name}/W"] + p[f"{name}/b"] for name in LOSSES}
    has = {name: torch.tensor(~np.isnan(y[name])) for name in LOSSES}
    t = {name: torch.tensor(np.nan_to_num(y[name], nan=-100.0)) for name in LOSSES}
    loss = (
        F.binary_cross_entropy_with_logits(z["gender"][has["gender"], 0], t["gender"][has["gender"]])
        + 0.3 * F.mse_loss(z["age"][has["age"], 0], t["age"][has["age"]])
        + 2 * F.cross_entropy(z["mood"], t["mood"].long(), ignore_index=-100)
    )
    loss.backward()
    ours, gradients = model.loss_and_gradients(X, y)
    assert ours == pytest.approx(float(loss.detach()), rel=1e-13)
    for key, array in problems.flat(gradients).items():
        np.testing.assert_allclose(array, p[key].grad.numpy(), rtol=1e-11, atol=1e-13, err_msg=key)


def test_a_fit_goes_the_same_way_in_both_engines() -> None:
    X, y = rows(40)
    models = []
    for engine in ("reference", "auto"):
        model = make(engine, metrics={"age": ["r2"], "mood": ["accuracy"]})
        history = model.fit(X, y, epochs=5, batch_size=7, validation=0.3)
        models.append((problems.flat(model.parameters), history.columns()))
    (first, told), (second, again) = models
    problems.assert_same(first, second, 1e-9)
    del told["seconds"], again["seconds"]
    for name, column in told.items():
        np.testing.assert_allclose(column, again[name], rtol=1e-9, err_msg=name)


def test_a_batch_without_a_label_of_a_head_gives_it_nothing(engine: str) -> None:
    X, y = rows()
    y["age"][:] = np.nan
    model = make(engine, l2=0.0)
    loss, gradients = model.loss_and_gradients(X, y)
    assert not gradients["age"]["W"].any()
    without = make(engine, {**WEIGHTS, "age": 0.0})
    problems.assert_same(problems.flat(gradients), gradient(without, X, {**y, "age": np.zeros(len(X))}))
    by_name = model.loss_and_gradients(X, {**y, "age": None})
    assert by_name[0] == loss
    y["age"][0] = 1.0  # and in training a batch of that kind changes none of its weights
    before = model.parameters["age"]["W"].copy()
    seen: list[bool] = []
    model = make(engine, optimizer=cr.SGD(0.1))
    model.fit(X, y, epochs=1, batch_size=1, shuffle=lambda _: np.arange(1, 12), callbacks=lambda _: seen.append(True))
    np.testing.assert_array_equal(model.parameters["age"]["W"], before)
    assert seen


def test_what_stands_where_a_label_is_missing_is_never_looked_at(engine: str) -> None:
    """An infinite loss of a row that doesn't count is none: weight 0 times infinity would be no number."""
    x = cr.Input(1, name="x")
    outputs = {
        "visits": cr.Dense(1, activation="relu", bias=False, name="visits")(x),
        "age": cr.Dense(1, bias=False, name="age")(x),
    }
    losses = {"visits": "poisson", "age": "squared_error"}
    model = cr.Model(cr.Network(inputs=x, outputs=outputs), losses, dtype="float64", engine=engine)
    model.set_parameters({"visits": {"W": [[1.0]]}, "age": {"W": [[1.0]]}})
    X = [[-1.0], [2.0]]  # the first row's output is 0, and the logarithm of that infinite
    assert model.evaluate(X, {"visits": [np.nan, 2], "age": [0, 0]})["visits_loss"] == pytest.approx(2 - 2 * np.log(2))
    loss, gradients = model.loss_and_gradients(X, {"visits": [1, 2], "age": [0, 0]}, {"visits": [0, 1]})
    assert loss == pytest.approx(2 - 2 * np.log(2) + 2.5)
    assert gradients["visits"]["W"].item() == pytest.approx(0.0)


def test_weights_of_rows_count_beside_the_gaps(engine: str) -> None:
    model = make(engine)
    X, y = rows(3, gaps=0)
    y["age"] = np.array([1.0, np.nan, 4.0])
    told = model.evaluate(X, y, sample_weight={"age": [1.0, 5.0, 3.0]})
    h = model.predict(X)["age"][:, 0]
    assert told["age_loss"] == pytest.approx(((h[0] - 1) ** 2 + 3 * (h[2] - 4) ** 2) / 4)
    parts = sum(WEIGHTS[name] * told[f"{name}_loss"] for name in LOSSES)
    assert told["loss"] == pytest.approx(parts)


def test_metrics_see_labelled_rows_alone(engine: str) -> None:
    """Metrics of one's own too, which may not look at weights."""
    counts: list[int] = []

    def count(y: np.ndarray, h: np.ndarray, w: np.ndarray) -> float:
        counts.append(len(y))
        assert len(h) == len(w) == len(y)
        return float(len(y))

    X, y = rows(30)
    told = make(engine, metrics=[cr.Metric("rows", count, True, "")]).evaluate(X, y)
    assert [told[f"{name}_rows"] for name in LOSSES] == [(~np.isnan(y[name])).sum() for name in LOSSES]


@pytest.mark.parametrize("missing", [None, np.nan, float("nan")])
def test_how_a_missing_label_may_be_written(missing: Any) -> None:
    X, y = rows(4, gaps=0)
    want = {**y, "mood": np.array([0, 1, np.nan, 2])}
    given_ = {**y, "mood": [0, 1, missing, 2]}
    model = make("reference")
    assert model.loss_and_gradients(X, given_)[0] == model.loss_and_gradients(X, want)[0]
    assert given_["mood"][2] is missing, "what is given is left alone"


def test_pandas_and_polars_have_gaps_of_their_own() -> None:
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    X, y = rows(4, gaps=0)
    model = make("reference")
    want = model.loss_and_gradients(X, {**y, "mood": [0, 1, np.nan, 2]})[0]
    for series in (pd.Series([0, 1, None, 2], dtype="Int64"), pl.Series([0, 1, None, 2])):
        assert model.loss_and_gradients(X, {**y, "mood": series})[0] == want


def test_rows_of_probabilities_are_there_or_not(engine: str) -> None:
    X, y = rows(3, gaps=0)
    soft = np.array([[0.2, 0.8, 0.0], [np.nan] * 3, [0.0, 0.0, 1.0]])
    model = make(engine, {"gender": 0.0, "age": 0.0, "mood": 1.0})
    got = model.loss_and_gradients(X, {**y, "mood": soft})[0]
    keep = np.array([0, 2])
    rest = {name: values[keep] for name, values in y.items()}
    assert got == pytest.approx(model.loss_and_gradients(X[keep], {**rest, "mood": soft[keep]})[0], rel=1e-14)


def test_mistakes_say_what_is_wrong() -> None:
    X, y = rows()
    model = make("reference")
    gone = np.full(len(X), np.nan)
    for ask in (model.fit, model.evaluate):
        with pytest.raises(cr.InputError, match='head "mood" has no label in any of the 12 rows: give it some'):
            ask(X, {**y, "mood": gone})
    with pytest.raises(cr.InputError, match='head "gender" has no label in any of the 12 rows'):
        model.loss_and_gradients(X, dict.fromkeys(y, gone))
    has = ~np.isnan(y["age"])
    with pytest.raises(cr.InputError, match='head "age": sample_weight is 0 for every row that has a label'):
        model.fit(X, y, sample_weight=np.where(has, 0.0, 1.0))
    part = np.zeros((12, 3))
    part[:, 0] = 1
    part[5, 1] = np.nan
    with pytest.raises(
        cr.InputError, match='head "mood" are NaN in a part of rows 5: a row has the label of a head or'
    ):
        model.fit(X, {**y, "mood": part})
    with pytest.raises(cr.InputError, match='targets of head "age" are NaN or infinite in rows 3'):
        model.fit(X, {**y, "age": np.where(np.arange(12) == 3, np.inf, y["age"])})
    with pytest.raises(cr.InputError, match=r'labels of head "mood" must be .* row 7 has 9'):
        model.fit(X, {**y, "mood": np.where(np.arange(12) == 7, 9.0, y["mood"])})
    few = np.where(np.arange(12) == 0, 0.5, np.nan)
    with pytest.raises(
        cr.InputError, match=r'head "age" has no label that counts: .* for all 3 rows held out for validation'
    ):
        model.fit(X, {**y, "age": few}, validation=0.25, epochs=1)
    with pytest.raises(cr.InputError, match='head "age" has no label in any of the 3 rows'):
        model.fit(X, y, validation=(X[:3], {**{k: v[:3] for k, v in rows(gaps=0)[1].items()}, "age": gone[:3]}))
    single = cr.Model(cr.Network.mlp(4, [], 1), "squared_error")
    with pytest.raises(cr.InputError, match="are NaN or infinite in rows 1"):
        single.fit(X[:2], [1.0, np.nan])  # a row without the only label teaches nothing: somebody should know


def test_three_heads_learn_together_from_people_with_gaps(engine: str) -> None:
    """Each beats its trivial answer by far, though two of five labels are missing."""
    X, y = problems.people(1200, gaps=0.4)
    table = np.stack(list(X.values()), axis=1)
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    moods = {"sad": 0, "calm": 1, "happy": 2, None: None}
    numbers = {
        "gender": [None if v is None else v == "female" for v in y["gender"]],
        "age": (y["age"] - 49) / 18,
        "mood": [moods[v] for v in y["mood"]],
    }
    train, test = (
        (table[part], {name: np.array(values, dtype=object)[part] for name, values in numbers.items()})
        for part in (slice(900), slice(900, None))
    )
    metrics = {"gender": ["accuracy"], "age": ["r2"], "mood": ["accuracy"]}
    model = cr.Model(network(6), LOSSES, cr.Adam(0.01), engine=engine, metrics=metrics)
    history = model.fit(*train, epochs=60, validation=0.2, stop=cr.EarlyStopping(10, monitor="validation_age_loss"))
    assert history.columns().keys() >= {"gender_loss", "validation_mood_loss", "validation_gender_accuracy"}
    told = model.evaluate(*test)
    assert told["gender_accuracy"] > 0.85, "half of them are women"
    assert told["age_r2"] > 0.8
    assert told["mood_accuracy"] > 0.6, "no mood has more than 0.45"


def test_a_derivation_leaves_out_what_the_row_has_no_label_for() -> None:
    X, y = rows(gaps=0)
    model = make("reference")
    work = model.explain(X[0], {"gender": 1, "age": None, "mood": 2})
    assert work["L"].value == model.loss_and_gradients(X[:1], {"gender": [1], "age": [None], "mood": [2]})[0]
    assert "age" not in str(work["L"])
    assert work["dL/dz[age,1]"].value == 0
    for name in ("y[age,1]", "loss[age,1]"):
        with pytest.raises(cr.InputError, match=r'the row has no label of "age", so it has no part'):
            work[name]
    assert "Without a label, so that no loss depends on it: age." in work.to_text()
    rows_ = model.explain(X[:3], {**{k: v[:3] for k, v in y.items()}, "mood": [0, None, None]})
    assert "no loss depends on it: mood in rows 2, 3." in rows_.to_text()
    assert rows_["dL/dz[row 2; mood,1]"].value == 0
    assert rows_["dL/dz[row 1; mood,1]"].value != 0
    marked = work.mark({"L": f"{work['L'].value:.4f}", "dL/dz[age,1]": "0"})
    assert [mark.verdict for mark in marked.entries] == ["correct", "correct"]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "sgd"])
def test_every_way_of_training_takes_gaps(engine: str, optimizer: str) -> None:
    """The loss of each head falls."""
    X, y = rows(40)
    model = make(engine, optimizer=optimizer, l2=0.01)
    before = model.evaluate(X, y)
    history = model.fit(X, y, epochs=30, batch_size="full" if optimizer == "lbfgs" else 8)
    after = model.evaluate(X, y)
    assert all(after[f"{name}_loss"] < before[f"{name}_loss"] for name in LOSSES), history.stopped_by


def test_members_and_their_mean_take_gaps(engine: str) -> None:
    X, y = rows(60)
    ensemble = cr.Model.ensemble(network(), LOSSES, members=3, dtype="float64", engine=engine)
    ensemble.fit(X, y, epochs=3)
    told = ensemble.evaluate(X, y)
    each = [ensemble.member(i).evaluate(X, y) for i in (1, 2, 3)]
    assert told["mood_loss"] == pytest.approx(np.mean([one["mood_loss"] for one in each]))
    members = cr.fit_members(cr.Model(network(), LOSSES, engine=engine), X, y, members=3, epochs=3, progress=False)
    assert {name: said.shape for name, said in members.out_of_fold.items()} == {
        "gender": (60, 1), "age": (60, 1), "mood": (60, 3),
    }  # fmt: skip
    few = {**y, "age": np.where(np.arange(60) < 1, 0.5, np.nan)}
    with pytest.raises(cr.InputError, match=r'head "age" has no label that counts: .* (to train on|for validation)'):
        cr.fit_members(cr.Model(network(), LOSSES, engine=engine), X, few, members=3, epochs=3, progress=False)


def test_a_run_with_gaps_is_resumed(engine: str) -> None:
    X, y = rows(40)
    whole, cut = make(engine), make(engine)
    whole.fit(X, y, epochs=6, batch_size=7, validation=0.3)
    cut.fit(X, y, epochs=3, batch_size=7, validation=0.3)
    cut.fit(X, y, epochs=6, batch_size=7, validation=0.3, resume=True)
    problems.assert_same(problems.flat(whole.parameters), problems.flat(cut.parameters))
    assert whole.history.columns()["validation_age_loss"] == cut.history.columns()["validation_age_loss"]


def test_saved_and_loaded(engine: str, tmp_path: Any) -> None:
    X, y = rows(40)
    model = make(engine, metrics={"age": ["r2"]})
    model.fit(X, y, epochs=2, validation=0.3)
    model.save(tmp_path / "m", training=True)
    loaded = cr.load(tmp_path / "m")
    assert loaded.evaluate(X, y) == pytest.approx(model.evaluate(X, y))
    assert loaded.history == model.history


def test_mixed_rows_have_the_labels_that_either_has(engine: str) -> None:
    """Mixup of a row with one that lacks a label keeps the label that there is."""
    X, y = rows(64, gaps=0.5)
    model = make(engine)
    model.fit(X, y, epochs=5, batch_size=16, augment=cr.Augment(mixup=0.4))
    assert all(np.isfinite(array).all() for array in problems.flat(model.parameters).values())


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html", "json"])
def test_every_form_of_a_derivation_writes_rows_without_a_label(form: str) -> None:
    x = cr.Input(1, name="x")
    outputs = {name: cr.Dense(1, name=name)(x) for name in "ab"}
    model = cr.Model(cr.Network(inputs=x, outputs=outputs), dict.fromkeys("ab", "mse"), "sgd", dtype="float64")
    for work in (
        model.explain([[1.0], [2.0]], {"a": [None, 1.0], "b": [0.5, None]}),
        model.explain([1.0], {"a": None, "b": 0.5}),
    ):
        written = getattr(work, f"to_{form}")()
        assert "nan" not in written.lower()
        assert form == "json" or "no loss depends on it" in written

"""Weight decay and dropout that follow schedules: every step's values, in every engine, resumed, saved, explained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import problems
import pytest
import registered
from training.test_resume import StopAt, assert_same_state

import chainrule
from chainrule import (
    SGD,
    AdamW,
    Constant,
    Cosine,
    CosLog4,
    Dense,
    Dropout,
    Exponential,
    FlatCosine,
    Input,
    InputError,
    Model,
    Network,
    OneCycle,
    ReduceOnPlateau,
)  # fmt: skip
from chainrule.data import prepare_rows
from chainrule.engines.contract import Scheduled
from chainrule.optimizers import Optimizer
from chainrule.resolve import to_form
from chainrule.training.scheduled import rates, scheduled

X, Y = problems.regression(12, 3)
EPOCHS, PER_EPOCH = 4, 3
TOTAL = EPOCHS * PER_EPOCH
FOLLOWED = [schedule for schedule in registered.SCHEDULES if schedule.name != "reduce_on_plateau"]
DECAYING = [optimizer for optimizer in registered.STEPWISE if optimizer.decay and optimizer.decay_schedule is None]


def network() -> Network:
    layers = [
        Input(3), Dense(6, activation="tanh", bias_decay_factor=0.5, name="a"), Dropout(FlatCosine(0.5), name="d"),
        Dense(5, activation="relu", name="c"), Dropout(Cosine(0.3), name="e"), Dense(1, name="o"),
    ]  # fmt: skip
    return Network(layers)


def model(engine: str, optimizer: Optimizer | None = None, **options: Any) -> Model:
    optimizer = optimizer or AdamW(CosLog4(0.05), weight_decay=FlatCosine(0.3))
    return Model(network(), "squared_error", optimizer, **{"dtype": "float64", "seed": 3, "engine": engine, **options})


def fit(model: Model, **options: Any) -> None:
    model.fit(X, Y, **{"epochs": EPOCHS, "batch_size": 4, "progress": False, **options})


@pytest.mark.parametrize("schedule", FOLLOWED, ids=registered.label)
def test_every_step_decays_by_its_own_value(schedule: Any, engine: str) -> None:
    """A gradient of zero leaves the decay of AdamW: every step multiplies by 1 - rate decay."""
    optimizer = AdamW(0.5, weight_decay=schedule)
    alone = Model(Network([Input(1), Dense(1, bias=False, name="o")]), "squared_error", optimizer, dtype="float64",
                  engine=engine)  # fmt: skip
    start = alone.parameters["o"]["W"].item()
    seen: list[float] = []
    alone.fit(
        np.zeros((12, 1)), np.zeros(12), epochs=EPOCHS, batch_size=4, progress=False,
        callbacks=lambda record: seen.append(alone.parameters["o"]["W"].item()),
    )  # fmt: skip
    factors = 1 - 0.5 * schedule.rates(np.arange(TOTAL), PER_EPOCH, TOTAL)
    np.testing.assert_allclose(seen, start * np.cumprod(factors)[2::3], rtol=1e-13)


@pytest.mark.parametrize("optimizer", DECAYING, ids=repr)
def test_every_optimizer_takes_the_decay_of_its_step(optimizer: Optimizer, engine: str) -> None:
    """Two epochs at one decay and two at a tenth of it: a fit with one schedule, or two fits with two numbers."""
    from dataclasses import replace

    decay = optimizer.decay
    whole = model(engine, replace(optimizer, weight_decay=Exponential(decay, factor=0.1)))
    first = model(engine, replace(optimizer, weight_decay=decay))
    second = model(engine, replace(optimizer, weight_decay=decay * 0.1))
    fit(whole, epochs=2, shuffle=False)
    fit(first, epochs=2, shuffle=False, callbacks=StopAt(PER_EPOCH))
    second.training = first.training
    fit(second, epochs=2, shuffle=False, resume=True)
    np.testing.assert_allclose(whole.training.parameters, second.training.parameters, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("schedule", FOLLOWED, ids=registered.label)
def test_every_step_drops_by_its_own_rate(schedule: Any, engine: str) -> None:
    """The gradient of a sum of dropped ones by their weights is the masks' factors, of each step's own rate."""
    noisy = Network([Input(200), Dropout(schedule, name="d"), Dense(1, bias=False, initializer="zeros", name="o")])
    alone = Model(noisy, "absolute_error", SGD(1.0), dtype="float64", seed=1, engine=engine)
    before, found = np.zeros(200), []

    class Watch(chainrule.Callback):
        def on_step(self, run: Any) -> None:
            nonlocal before
            now = run.model.parameters["o"]["W"][:, 0].copy()
            found.append(now - before)
            before = now

    alone.fit(np.ones((6, 200)), np.full(6, 1e9), epochs=3, batch_size=3, progress=False, callbacks=Watch())
    for step, rate in enumerate(schedule.rates(np.arange(6), 2, 6)):
        factors = found[step] * 3 * (1 - rate)  # how many of the three rows kept each
        np.testing.assert_allclose(factors, np.round(factors), atol=1e-6)
        mask = chainrule.random.keep_mask((3, 200), rate, 1, step, 0)
        np.testing.assert_allclose(factors, mask.sum(axis=0), atol=1e-6)


def test_against_torch(engine: str) -> None:
    """PyTorch with the step's numbers set by hand; the masks are ours."""
    torch = pytest.importorskip("torch")
    import torch_oracle as oracle

    ours = model(engine)
    p = oracle.leaves(ours)
    decays = [0.5 if span.name == "b" and span.layer == "a" else 1.0 for span in ours.network.layout.spans]
    groups = [{"params": [p[span.key]]} for span in ours.network.layout.spans]
    theirs = torch.optim.AdamW(groups)
    data = prepare_rows(ours.network, ours.objective, X, Y, None, ours.dtype)
    steps = np.arange(TOTAL)
    of_rate, of_decay, of_d, of_e = (
        schedule.rates(steps, PER_EPOCH, TOTAL)
        for schedule in (CosLog4(0.05), FlatCosine(0.3), FlatCosine(0.5), Cosine(0.3))
    )
    for step in range(TOTAL):
        begin = step % PER_EPOCH * 4
        batch = data.take(np.arange(begin, begin + 4))
        for group, factor in zip(theirs.param_groups, decays, strict=True):
            group["lr"], group["weight_decay"] = of_rate[step], of_decay[step] * factor
        theirs.zero_grad()
        numbers = {2: of_d[step], 5: of_e[step]}
        oracle.total_loss(
            ours, p, oracle.forward(ours, p, {}, batch.inputs, True, step=step, scheduled=numbers), batch
        ).backward()
        theirs.step()
    fit(ours, shuffle=False)
    for key, array in problems.flat(ours.parameters).items():
        np.testing.assert_allclose(array, p[key].detach().numpy(), rtol=0, atol=1e-11, err_msg=key)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("members", [1, 3])
def test_engines_agree(members: int, dtype: str) -> None:
    found = []
    for engine in registered.ENGINES:
        one = Model.ensemble(
            network(), "squared_error", AdamW(0.01, weight_decay=FlatCosine(0.3)), members=members, dtype=dtype,
            engine=engine,
        )  # fmt: skip
        fit(one, clip_norm=0.5 if members == 1 else None)
        found.append(one.training.parameters)
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=0, atol=1e-5 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("step", range(1, TOTAL + 1))
def test_resumed_at_every_step_it_is_the_same_run(step: int, engine: str, tmp_path: Path) -> None:
    whole, cut = model(engine), model(engine)
    fit(whole)
    fit(cut, callbacks=StopAt(step))
    cut.save(tmp_path / "model", training=True)
    again = chainrule.load(tmp_path / "model", engine=engine)
    fit(cut, resume=True)
    fit(again, resume=True)
    assert_same_state(cut, whole)
    assert_same_state(again, whole)
    assert again.network == cut.network
    assert again.optimizer == cut.optimizer


def test_a_second_fit_begins_anew_or_goes_on(engine: str) -> None:
    one = model(engine)
    fit(one, epochs=2)
    assert scheduled(one.network, one.optimizer, one.training).decay(0) == 0  # at the end of its run
    rows = prepare_rows(one.network, one.objective, X, Y, None, one.dtype)
    seen: list[float] = []

    class Watch(chainrule.Callback):
        def on_start(self, run: Any) -> None:
            seen.append(scheduled(one.network, one.optimizer, run.state).decays[0])  # type: ignore[index]

    one.fit_rows(rows, epochs=4, batch_size=4, keep_schedule=True, callbacks=[Watch()])
    one.fit_rows(rows, epochs=4, batch_size=4, callbacks=[Watch()])
    assert seen == [0.0, 0.3]


@pytest.mark.parametrize("step", [0, 2, 7, 10])
def test_an_explanation_and_gradients_are_those_of_the_next_step(step: int, engine: str) -> None:
    """All rows are one batch, so that the next step's rows are known: its weights are what the explanation says."""
    one, next_ = model(engine), model(engine)
    options = {"epochs": TOTAL, "batch_size": "full", "shuffle": False}
    if step:
        fit(one, **options, callbacks=StopAt(step))
    fit(next_, **options, callbacks=StopAt(step + 1))
    if step:
        at = FlatCosine(0.3), FlatCosine(0.5), CosLog4(0.05)
        decay, dropped, rate = (float(schedule.rates(np.array([step]), 1, TOTAL)[0]) for schedule in at)
        work, row = one.explain(X, Y, training=True), one.explain(X[0], Y[0], training=True)
        for unit, kept in enumerate(chainrule.random.keep_mask((1, 6), dropped, 3, step, 2)[0], 1):
            factor = kept / (1 - dropped)
            assert row[f"h[d,{unit}]"].value == pytest.approx(factor * row[f"h[a,{unit}]"].value, rel=1e-14)
        assert f"W[o,1,1]*(1 - {rate:.6g}*{decay:.6g})" in str(row["W+[o,1,1]"])
        for key, array in problems.flat(next_.parameters).items():
            layer, kind = key.split("/")
            expected = [
                work[f"{kind}+[{layer},{','.join(str(i + 1) for i in at)}]"].value for at in np.ndindex(array.shape)
            ]
            np.testing.assert_allclose(array.reshape(-1), expected, rtol=1e-12, atol=1e-14, err_msg=key)
    loss, gradients = one.loss_and_gradients(X, Y, training=True)
    assert loss == pytest.approx(next_.training.partial.mean_loss(next_.objective) if next_.training.partial else
                                 next_.history.last.loss, rel=1e-12)  # fmt: skip
    report = one.memo_report(X, Y)
    assert report.forward_steps > 0
    assert gradients["o"]["W"].shape == (5, 1)


def test_rates_that_are_explained_are_those_of_the_fit(engine: str) -> None:
    one = model(engine, SGD(Exponential(0.5, factor=0.5)))
    fit(one, callbacks=StopAt(PER_EPOCH + 1))  # in the second epoch
    assert rates(one.optimizer, one.training)[0] == 0.25
    assert " - 0.25*dL/dW[o,1,1] = " in str(one.explain(X[:1], Y[:1])["W+[o,1,1]"])


def test_parts_of_what_is_scheduled() -> None:
    whole = Scheduled(np.arange(4.0), {2: np.arange(4.0) / 8})
    part = whole.part(slice(1, 3))
    assert (part.decay(0), part.at(1)) == (1.0, {2: 0.25})
    assert Scheduled().part(slice(0, 1)).decay(0) is None


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_sparse_rows_follow_it_too() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    from chainrule import MLPRegressor
    from chainrule.estimators import sparse as rooms

    wide = np.tile(X, (4, 1))
    found = []
    for rows, bytes_at_once in ((wide, 1 << 26), (sparse.csr_matrix(wide), 64)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rooms, "DENSE_BYTES", bytes_at_once)
            estimator = MLPRegressor(
                hidden_layer_sizes=(4,), solver=AdamW(weight_decay=FlatCosine(0.5)), max_iter=5, batch_size=4,
                random_state=0, n_iter_no_change=9,
            )  # fmt: skip
            found.append(estimator.fit(rows, np.tile(Y[:, 0], 4)).coefs_)
    for dense, thin in zip(*found, strict=True):
        np.testing.assert_allclose(thin, dense, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("thing", [Dropout(FlatCosine(0.2), name="d"), Dropout(OneCycle(0.2), name="d")], ids=repr)
def test_forms_of_layers(thing: Dropout) -> None:
    whole = Network([Input(2), thing, Dense(1)])
    assert Network.from_json(whole.to_json()) == whole
    assert whole.layers[1].rate == thing.rate


def test_forms_of_optimizers() -> None:
    optimizer = AdamW(0.1, weight_decay=FlatCosine(0.02))
    assert to_form(optimizer) == {
        "name": "adamw", "learning_rate": 0.1, "weight_decay": {"name": "flat_cosine", "rate": 0.02},
    }  # fmt: skip
    assert chainrule.optimizers.get_optimizer(to_form(optimizer)) == optimizer


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dropout(FlatCosine(1.5)), r"Dropout: rate is 1.5; it must be a number in \[0, 1\)"),
        (lambda: Dropout(ReduceOnPlateau(0.5)), "Dropout: rate can't follow reduce_on_plateau, which looks at losses"),
        (lambda: AdamW(weight_decay=ReduceOnPlateau(0.5)), "AdamW: weight_decay can't follow reduce_on_plateau"),
        (lambda: SGD(weight_decay="cosine"), "SGD: weight_decay is 'cosine'; it must be a number of at least 0"),
        (lambda: SGD(momentum=Constant(0.5)), r"SGD: momentum is Constant\(rate=0.5\); it must be a number"),
        (lambda: Dense(2, rate_factor=Constant(0.5)), "Dense: rate_factor is Constant"),
        (lambda: Dropout({"name": "cosin", "rate": 0.5}), 'there is no schedule "cosin"'),
    ],
)
def test_what_cant_be_followed(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_a_schedule_that_leads_out_of_the_limits_is_refused_where_it_does(engine: str) -> None:
    layers = [Input(3), Dropout(Exponential(0.4, factor=2.0)), Dense(1)]
    growing = Model(Network(layers), "squared_error", engine=engine)
    fit(growing, epochs=2)
    with pytest.raises(InputError, match=r"Dropout: exponential makes rate 1.6 in a step of this fit"):
        fit(growing, epochs=3)


def test_a_multilayer_perceptron_takes_schedules_of_dropout() -> None:
    made = Network.mlp(3, [4, 4], 1, dropout=[FlatCosine(0.2), 0.1])
    assert [layer.rate for layer in made.layers if isinstance(layer, Dropout)] == [FlatCosine(0.2), 0.1]

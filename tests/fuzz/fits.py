"""Fits x stopping rules x resumes x weights: a history says what happened, and an interruption changes no bit."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr
from fuzz import networks
from fuzz.findings import expect

OUTPUTS = {
    "squared_error": "linear",
    "half_squared_error": "linear",
    "huber": "linear",
    "absolute_error": "linear",
    "binary_cross_entropy": "sigmoid",
    "cross_entropy": "softmax",
    "poisson": "exponential",
}


def generate(rng: random.Random) -> dict[str, Any]:
    form = generate_optimizer(rng)
    second_order = form["name"] == "LBFGS" and rng.random() < 0.9  # which takes neither dropout nor batches
    return {
        "loss": rng.choice(list(OUTPUTS)),
        "hidden": rng.choice([[], [3], [4, 3]]),
        "dropout": 0.0 if second_order else rng.choice([0.0, 0.0, 0.3]),
        "batch_norm": rng.random() < 0.2,
        "optimizer": form,
        "scale": rng.choice([1.0] * 8 + [1e3, 1e19, 1e30, 1e-30]),
        "rows": rng.choice([1, 2, 5, 12, 20, 20, 40, 40]),
        "validation": rng.choice([None, 0.25, 0.25, "rows", "weighted", "nothing"]),
        "weights": rng.choice([None] * 4 + ["whole", "whole", "zeros", "zeros", "one", "nothing"]),
        "epochs": rng.choice([1, 2, 5, 12, 30]),
        "batch": "auto" if second_order else rng.choice(["auto", "auto", "full", 1, 3, 8]),
        "shuffle": rng.choice([True, True, False, "replace"]),
        "clip_norm": rng.choice([None, None, 0.1]),
        "rules": [generate_rule(rng) for _ in range(rng.choice([0, 1, 1, 2, 3]))],
        "engine": rng.choice(["auto", "auto", "reference"]),
        "dtype": rng.choice(["float32", "float64"]),
        "members": rng.choice([1, 1, 1, 3]),
        "pauses": sorted(rng.sample(range(1, 12), rng.choice([0, 1, 2]))),
        "pause_at": rng.choice(["epoch", "epoch", "step"]),
        "seed": rng.getrandbits(31),
    }


def generate_optimizer(rng: random.Random) -> dict[str, Any]:
    """An optimizer by its public name, with a rate that is sensible most of the time."""
    name = rng.choice(["SGD", "SGD", "Adam", "AdamW", "RMSProp", "AdaGrad", "LBFGS"])
    if name == "LBFGS":
        return {"name": name}
    rate = rng.choice([0.001, 0.01, 0.1, 0.1, 1.0, 1e5, 1e30, 1e300])
    options: dict[str, Any] = {"name": name, "rate": rate}
    options["schedule"] = rng.choice(
        [None] * 4
        + [
            "Cosine",
            "StepDecay",
            "Exponential",
            "InverseScaling",
            "FlatCosine",
            "CosLog4",
            "OneCycle",
            "ReduceOnPlateau",
        ]
    )
    if name in ("SGD", "RMSProp"):
        options["momentum"] = rng.choice([0.0, 0.9])
    return options


def generate_rule(rng: random.Random) -> dict[str, Any]:
    """A stopping rule by its public name."""
    kind = rng.choice(["EarlyStopping"] * 4 + ["LossBelow", "ConvergedWeights", "TimeLimit"])
    if kind == "LossBelow":
        return {
            "rule": kind,
            "threshold": rng.choice([0.01, 0.5, 1e9]),
            "monitor": rng.choice(["loss", "validation_loss"]),
        }
    if kind == "ConvergedWeights":
        return {"rule": kind, "tolerance": rng.choice([1e-4, 0.01])}
    if kind == "TimeLimit":
        return {"rule": kind, "seconds": 600.0}
    return {
        "rule": kind,
        "patience": rng.choice([1, 2, 3, 50]),
        "min_delta": rng.choice([0.0, 0.0, 0.01]),
        "monitor": rng.choice(["auto", "auto", "loss", "validation_loss", "mean_absolute_error"]),
        "restore_best": rng.random() < 0.7,
    }


class Snapshots(cr.Callback):
    """The parameters after every epoch, and a pause after some epochs or steps."""

    def __init__(self, pause: int | None = None) -> None:
        self.pause, self.after = pause, {}
        self.seen = 0

    def on_epoch(self, run: Any, record: Any) -> bool | None:
        self.after[record.epoch] = networks.all_bytes(run.model.parameters)
        return record.epoch == self.pause


class StepPause(cr.Callback):
    """A stop after so many steps of a run."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def on_step(self, run: Any) -> bool | None:
        self.left -= 1
        return self.left == 0


def data(case: Mapping[str, Any], n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and targets for the loss."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) * case["scale"]
    if case["loss"] == "cross_entropy":
        return x, rng.integers(0, 3, n)
    if case["loss"] == "binary_cross_entropy":
        return x, rng.integers(0, 2, n).astype(float)
    if case["loss"] == "poisson":
        return x, rng.poisson(2.0, n).astype(float)
    return x, rng.normal(size=n)


def weights(kind: str | None, n: int, seed: int) -> np.ndarray | None:
    """Row weights of a kind."""
    rng = np.random.default_rng(seed)
    if kind is None:
        return None
    if kind == "nothing":
        return np.zeros(n)
    if kind == "one":
        return np.eye(n)[0]
    return rng.integers(0 if kind == "zeros" else 1, 4, n).astype(float)


def optimizer(form: Mapping[str, Any]) -> Any:
    """The optimizer of a description."""
    if form["name"] == "LBFGS":
        return cr.LBFGS()
    rate = form["rate"] if form["schedule"] is None else getattr(cr, form["schedule"])(form["rate"])
    return getattr(cr, form["name"])(rate, **({"momentum": form["momentum"]} if "momentum" in form else {}))


def new_model(case: Mapping[str, Any]) -> cr.Model:
    """The model of a case."""
    network = cr.Network.mlp(
        3,
        case["hidden"],
        3 if case["loss"] == "cross_entropy" else 1,
        activation="tanh",
        output=OUTPUTS[case["loss"]],
        dropout=case["dropout"],
        batch_norm=case["batch_norm"],
    )
    return cr.Model.ensemble(
        network,
        case["loss"],
        optimizer(case["optimizer"]),
        metrics=["mean_absolute_error"] if case["loss"] != "cross_entropy" else ["accuracy"],
        seed=case["seed"],
        dtype=case["dtype"],
        engine=case["engine"],
        members=case["members"],
    )


def rules(case: Mapping[str, Any]) -> list[Any]:
    """The stopping rules of a case."""
    made = []
    for form in case["rules"]:
        options = {key: value for key, value in form.items() if key != "rule"}
        if options.get("monitor") == "mean_absolute_error" and case["loss"] == "cross_entropy":
            options["monitor"] = "accuracy"
        made.append(getattr(cr, form["rule"])(**options))
    return made


def fit(case: Mapping[str, Any], model: cr.Model, callbacks: Sequence[Any], **more: Any) -> cr.History:
    """One fit as the case describes it."""
    x, y = data(case, case["rows"], case["seed"])
    held_out: Any = case["validation"]
    if isinstance(held_out, str):
        held_out = data(case, 7, case["seed"] + 1)
        if case["validation"] != "rows":
            held_out = (*held_out, weights("zeros" if case["validation"] == "weighted" else "nothing", 7, case["seed"]))
    return model.fit(
        x,
        y,
        epochs=case["epochs"],
        batch_size=case["batch"],
        validation=held_out,
        sample_weight=weights(case["weights"], case["rows"], case["seed"]),
        shuffle=case["shuffle"],
        stop=rules(case),
        callbacks=list(callbacks),
        clip_norm=case["clip_norm"],
        progress=False,
        **more,
    )


def check(case: dict[str, Any]) -> None:
    try:
        model = new_model(case)
        snapshots = Snapshots()
        history = fit(case, model, [snapshots])
    except cr.DivergenceError:
        expect(finite(model.parameters) and finite(model.state), "a divergence leaves weights that aren't finite")
        return
    except cr.ChainruleError as error:
        expect(str(error).strip(), "an error without a message")
        return
    check_finite(case, model, history)
    check_history(case, history, model, snapshots)
    again = new_model(case)
    fit(case, again, [])
    expect(networks.all_bytes(again.parameters) == networks.all_bytes(model.parameters), "two equal fits differ")
    if case["pauses"] and case["optimizer"]["name"] != "LBFGS":
        check_resume(case, model, history)
    check_weights(case)


def finite(arrays: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether every number is one."""
    return all(np.all(np.isfinite(a)) for inner in arrays.values() for a in inner.values())


def check_finite(case: Mapping[str, Any], model: cr.Model, history: cr.History) -> None:
    """No NaN where a fit ended well: weights, statistics, history and predictions."""
    expect(finite(model.parameters), "the fit ended well, with weights that aren't finite")
    expect(finite(model.state), "the fit ended well, with running statistics that aren't finite")
    for name, values in history.columns().items():
        losses = name in ("loss", "validation_loss")  # a metric too large to be squared or summed may be inf
        bad = (lambda v: not np.isfinite(v)) if losses else np.isnan
        expect(not any(v is not None and bad(v) for v in values), f"history: {name} is {values}")
    try:
        predictions = model.predict(data(case, case["rows"], case["seed"])[0])
    except cr.ChainruleError:
        return
    expect(np.all(np.isfinite(predictions)), "predictions aren't finite")


def monitored(case: Mapping[str, Any], rule: Mapping[str, Any], history: cr.History) -> list[float]:
    """What an early-stopping rule looks at, epoch by epoch."""
    columns = history.columns()
    name = rule["monitor"]
    if name == "auto":
        name = "validation_loss" if case["validation"] is not None else "loss"
    elif name == "mean_absolute_error" and case["loss"] == "cross_entropy":
        name = "accuracy"
    sign = -1.0 if name == "accuracy" else 1.0
    return [sign * value for value in columns[name]]


def follow(values: Sequence[float], patience: int, min_delta: float) -> tuple[int, int | None]:
    """The best epoch of a rule, and the epoch in which it stops (None: not yet)."""
    best, best_epoch = float("inf"), 0
    for epoch, value in enumerate(values, 1):
        if value < best - min_delta or not best_epoch:
            best, best_epoch = value, epoch
        elif epoch - best_epoch >= patience:
            return best_epoch, epoch
    return best_epoch, None


def check_history(case: Mapping[str, Any], history: cr.History, model: cr.Model, snapshots: Snapshots) -> None:
    """The rules stopped where the numbers say, and the weights are those of the epoch that the history names."""
    n = len(history)
    expect([record.epoch for record in history.epochs] == list(range(1, n + 1)), "epochs are numbered wrongly")
    expect(n <= case["epochs"], "more epochs than were asked for")
    if case["optimizer"]["name"] == "LBFGS" or case["members"] > 1:
        return
    early = [
        (rule, *follow(monitored(case, rule, history), rule["patience"], rule["min_delta"]))
        for rule in case["rules"]
        if rule["rule"] == "EarlyStopping"
    ]
    below = [rule for rule in case["rules"] if rule["rule"] == "LossBelow"]
    other = any(rule["rule"] == "ConvergedWeights" for rule in case["rules"])
    stops = [stop for _, _, stop in early if stop]
    for rule in below:
        stops += [i for i, value in enumerate(history.columns()[rule["monitor"]], 1) if value <= rule["threshold"]]
    due = min([*stops, case["epochs"]])
    expect(n == due or (other and n < due), f"stopped after {n} epochs ({history.stopped_by}); the rules say {due}")
    restoring = [(rule, best, stop) for rule, best, stop in early if rule["restore_best"]]
    stopped_first = next((r for r in early if r[2] == n), None)
    if restoring and not (other and n < due) and not any(stop == n for stop in stops if stopped_first is None):
        chosen = stopped_first if stopped_first and stopped_first[0]["restore_best"] else restoring[0]
        expect(
            snapshots.after[chosen[1]] == networks.all_bytes(model.parameters),
            f"the weights aren't those of epoch {chosen[1]}, the best; the history says {history.best_epoch}",
        )
        expect(history.best_epoch == chosen[1], f"best_epoch is {history.best_epoch}, it was {chosen[1]}")
    elif not restoring:
        expect(
            snapshots.after[n] == networks.all_bytes(model.parameters), "no rule restores; the weights aren't the last"
        )


def check_resume(case: Mapping[str, Any], whole: cr.Model, history: cr.History) -> None:
    """A run that is stopped, saved, loaded and taken up is the run that was never stopped, to the last bit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.safetensors"
        model, resume = new_model(case), False
        for pause in case["pauses"]:
            stop: cr.Callback = Snapshots(pause) if case["pause_at"] == "epoch" else StepPause(pause)
            seen = fit(case, model, [stop, cr.Checkpoint(path)], resume=resume)
            if seen.stopped_by != "a callback":
                break
            if case["pause_at"] == "step":
                model.save(path, training=True)
            model, resume = cr.load(path, engine=case["engine"]), True
        if seen.stopped_by == "a callback":
            seen = fit(case, model, [], resume=True)
    expect(len(seen) == len(history), f"resumed: {len(seen)} epochs instead of {len(history)}")
    expect(
        seen.stopped_by == history.stopped_by, f"resumed: stopped by {seen.stopped_by!r}, not {history.stopped_by!r}"
    )
    expect(seen.best_epoch == history.best_epoch, f"resumed: best epoch {seen.best_epoch}, not {history.best_epoch}")
    mine, theirs = seen.columns(), history.columns()
    for name in theirs:
        if name != "seconds":
            expect(mine[name] == theirs[name], f"resumed: other numbers in {name}: {mine[name]}, not {theirs[name]}")
    expect(networks.all_bytes(model.parameters) == networks.all_bytes(whole.parameters), "resumed: other weights")
    expect(networks.all_bytes(model.state) == networks.all_bytes(whole.state), "resumed: other running statistics")


def check_weights(case: Mapping[str, Any]) -> None:
    """A row of weight 2 is that row twice, a row of weight 0 isn't there: in the loss and its gradients."""
    if case["batch_norm"] or case["weights"] not in ("whole", "zeros"):
        return
    x, y = data(case, case["rows"], case["seed"])
    count = weights(case["weights"], case["rows"], case["seed"]).astype(int)
    model = new_model({**case, "dtype": "float64"})
    try:
        loss, gradients = model.loss_and_gradients(x, y, count)
        loss_2, gradients_2 = model.loss_and_gradients(np.repeat(x, count, axis=0), np.repeat(y, count))
    except cr.ChainruleError:
        return
    expect(np.isclose(loss, loss_2, rtol=1e-9), f"weights: the loss is {loss}, with repeated rows {loss_2}")
    single = [model.loss_and_gradients(x[i : i + 1], y[i : i + 1])[1] for i in range(len(x)) if count[i]]
    for layer, inner in gradients.items():
        for name, a in inner.items():
            terms = max((float(np.max(np.abs(row[layer][name]))) for row in single), default=0.0)  # which may cancel
            size = max(1e-30, float(np.max(np.abs(a))), float(np.max(np.abs(x))), terms)
            expect(
                np.all(np.abs(a - gradients_2[layer][name]) <= 1e-9 * size),
                f"weights: other gradients in {layer} {name}",
            )

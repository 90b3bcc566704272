"""Arguments: whatever is handed to a public name, it is an error that chainrule raises on purpose, or it works."""

from __future__ import annotations

import math
import random
import threading
from typing import Any

import numpy as np

import chainrule as cr
from fuzz.findings import expect

# fmt: off
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, 2, 3, -1, 0.5, -0.5, 1.0, 2.5, "nan", "inf", "-inf", 1e308, 1e-320, 10**6, 2**31, 2**63,
    10**30, -(10**30), "", "x", "relu", "adam", "auto", "full", "mean", "sum", "float16", "float32", "int", "loss",
    "validation_accuracy", "\x1b[2J", "a" * 3000, [], [1], [1, 2], [[1.0]], ["accuracy"], {}, {"x": 1},
    {"output": "squared_error"},
)
# fmt: on
PLACES: dict[str, tuple[str, ...]] = {
    "Input": ("shape", "dtype"),
    "Dense": (
        "units",
        "activation",
        "bias",
        "initializer",
        "bias_initializer",
        "l1",
        "l2",
        "penalize_bias",
        "trainable",
        "name",
    ),
    "BatchNorm": ("momentum", "epsilon", "trainable", "name"),
    "Dropout": ("rate", "name"),
    "Activation": ("function", "name"),
    "Network.mlp": ("inputs", "hidden", "outputs", "activation", "output", "bias", "dropout", "batch_norm"),
    "Model": ("loss", "optimizer", "metrics", "l1", "l2", "seed", "dtype", "engine"),
    "fit": (
        "X",
        "y",
        "epochs",
        "batch_size",
        "validation",
        "sample_weight",
        "shuffle",
        "stop",
        "callbacks",
        "clip_norm",
        "augment",
        "progress",
        "resume",
    ),
    "predict": ("X",),
    "saliency": ("X", "output", "head"),
    "Augment": ("shift", "rotate", "scale", "flip", "erase", "noise", "mixup", "fill", "shape"),
    "ImageModel.train": (
        "pictures",
        "labels",
        "size",
        "test",
        "test_pictures",
        "hidden",
        "epochs",
        "dropout",
        "augment",
        "batch_size",
        "optimizer",
        "members",
        "seed",
    ),
    "evaluate": ("X", "y", "sample_weight"),
    "loss_and_gradients": ("X", "y", "sample_weight"),
    "explain": ("X", "y", "sample_weight", "training", "notation"),
    "set_parameters": ("values",),
    "SGD": ("learning_rate", "momentum", "nesterov", "dampening", "weight_decay", "convention"),
    "Adam": ("learning_rate", "beta1", "beta2", "epsilon", "weight_decay", "amsgrad", "convention"),
    "RMSProp": ("learning_rate", "rho", "epsilon", "momentum", "centered"),
    "LBFGS": ("memory", "gradient_tolerance", "loss_tolerance", "max_evaluations"),
    "EarlyStopping": ("patience", "min_delta", "monitor", "mode", "restore_best"),
    "LossBelow": ("threshold", "monitor"),
    "TimeLimit": ("seconds",),
    "Huber": ("delta",),
    "Quantile": ("level",),
    "CrossEntropy": ("label_smoothing",),
    "BinaryCrossEntropy": ("label_smoothing",),
    "Cosine": ("rate", "warmup_epochs", "minimum"),
    "StepDecay": ("rate", "every", "factor"),
    "ReduceOnPlateau": ("rate", "factor", "patience", "threshold", "minimum"),
    "Exercise": (
        "sizes",
        "activation",
        "loss",
        "output",
        "rows",
        "optimizer",
        "learning_rate",
        "l2",
        "bias",
        "notation",
        "seed",
    ),
    "explain_expression": ("expression", "at", "digits"),
    "TableModel.train": (
        "table",
        "target",
        "task",
        "validation",
        "test",
        "hidden",
        "epochs",
        "dropout",
        "batch_size",
        "optimizer",
        "seed",
    ),
}
COMPANY = ("fit inside a fit", "predict inside a fit", "two fits at once", "predictions at once")
# fmt: off
DATA = (
    "nan", "inf", "complex", "masked", "object", "strings", "empty", "flat", "deep", "short", "wide", "large",
    "integers", "booleans", "frame", "dates", "ragged", "order",
)
# fmt: on


def generate(rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(["argument"] * 8 + ["data"] * 3 + ["company"])
    if kind == "company":
        return {"kind": kind, "company": rng.choice(COMPANY), "engine": rng.choice(["auto", "reference"])}
    if kind == "data":
        return {
            "kind": kind,
            "place": rng.choice(["X", "y", "sample_weight"]),
            "data": rng.choice(DATA),
            "call": rng.choice(["fit", "predict", "evaluate", "loss_and_gradients", "explain"]),
            "dtype": rng.choice(["float32", "float64"]),
            "engine": rng.choice(["auto", "reference"]),
        }
    name = rng.choice(list(PLACES))
    names = rng.sample(PLACES[name], min(len(PLACES[name]), rng.choice([1, 1, 1, 2])))
    return {"kind": kind, "name": name, "values": {place: rng.choice(VALUES) for place in names}}


def value(form: Any) -> Any:
    """What JSON can't hold, by its name."""
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}.get(form, form) if isinstance(form, str) else form


X = np.random.default_rng(0).normal(size=(12, 3))
Y = X @ [1.0, -2.0, 0.5]


def check(case: dict[str, Any]) -> None:
    if case["kind"] == "company":
        check_company(case)
    elif case["kind"] == "data":
        check_data(case)
    else:
        check_argument(case["name"], {name: value(form) for name, form in case["values"].items()})


def plain(**more: Any) -> cr.Model:
    """The plainest model."""
    return cr.Model(
        cr.Network.mlp(3, [4], 1, activation="tanh"), **{"loss": "squared_error", "optimizer": "sgd", **more}
    )


def check_argument(name: str, values: dict[str, Any]) -> None:
    """Make the thing, and use it."""
    try:
        use(name, values)
    except cr.ChainruleError as error:
        expect(str(error).strip() and len(str(error)) < 16_000, f"{name}: a message of {len(str(error))} letters")
        expect("\x1b" not in str(error), f"{name}: an escape character reaches the message")
    except TypeError as error:
        # what isn't of a documented type at all may be Python's own error, if it is raised where it is handed in
        if error.__traceback__ is not None and depth(error) > 12:
            raise


def depth(error: BaseException) -> int:
    """How many calls deep an error was raised."""
    trace, n = error.__traceback__, 0
    while trace is not None:
        trace, n = trace.tb_next, n + 1
    return n


def use(name: str, values: dict[str, Any]) -> None:
    """One call with odd arguments, the others being good ones; and a short fit with what it gives."""
    good: dict[str, Any]
    if name in ("Dense", "BatchNorm", "Dropout", "Activation"):
        good = {"Dense": {"units": 4}, "Activation": {"function": "relu"}}.get(name, {})
        layer = getattr(cr, name)(**{**good, **values})
        short_fit(cr.Model(cr.Network([cr.Input(3), layer, cr.Dense(1)]), "squared_error"))
    elif name == "Input":
        cr.Network([cr.Input(**{"shape": 3, **values}), cr.Dense(1)])
    elif name == "Network.mlp":
        network = cr.Network.mlp(**{"inputs": 3, "hidden": [4], "outputs": 1, **values})
        if network.count().total < 10**6:
            short_fit(cr.Model(network, "squared_error"))
    elif name == "Model":
        short_fit(plain(**values))
    elif name in ("SGD", "Adam", "RMSProp", "LBFGS"):
        short_fit(plain(optimizer=getattr(cr, name)(**values)))
    elif name in ("Cosine", "StepDecay", "ReduceOnPlateau"):
        short_fit(plain(optimizer=cr.SGD(getattr(cr, name)(**{"rate": 0.01, **values}))))
    elif name in ("Huber", "Quantile", "CrossEntropy", "BinaryCrossEntropy"):
        short_fit(plain(loss=getattr(cr, name)(**values)))
    elif name in ("EarlyStopping", "LossBelow", "TimeLimit"):
        good = {"LossBelow": {"threshold": 0.1}, "TimeLimit": {"seconds": 5.0}}.get(name, {})
        short_fit(plain(), stop=getattr(cr, name)(**{**good, **values}))
    elif name == "fit":
        short_fit(plain(), **values)
    elif name == "set_parameters":
        model = plain()
        model.set_parameters(values["values"])
        finite(model.predict(X))
    elif name == "Exercise":
        cr.Exercise(**{"sizes": (2, 2, 1), **values}).text  # noqa: B018 (made when it is asked for)
    elif name == "explain_expression":
        cr.explain_expression(**{"expression": "x**2", "at": {"x": 1.0}, **values}).to_text()
    elif name == "TableModel.train":
        columns = {"a": list(range(20)), "b": ["u", "v"] * 10}
        good = {"table": columns, "target": "b", "epochs": 1, "hidden": (2,), "progress": False}
        model = cr.TableModel.train(**{**good, **values})
        expect(len(model.predict(columns)) == 20, "20 rows in, others out")
    elif name == "Augment":
        short_fit(plain(), augment=cr.Augment(**{"noise": 0.1, "shape": (1, 3), **values}))
    elif name == "ImageModel.train":
        pictures = np.arange(48).reshape(8, 2, 3)
        good = {"pictures": pictures, "labels": list("abababab"), "epochs": 1, "hidden": (2,), "progress": False}
        epochs = values.get("epochs")
        if isinstance(epochs, (int, float)) and epochs > 1000:  # nothing stops them before
            values = {**values, "epochs": 2}
        trained = cr.ImageModel.train(**{**good, **values})
        finite(trained.predict_proba(np.zeros(trained.form.shape)))
    else:
        good = {"X": X} if name in ("predict", "saliency") else {"X": X[:2], "y": Y[:2]}
        answer = getattr(plain(), name)(**{**good, **values})
        if name == "predict":
            finite(answer)
        elif name == "explain":
            answer.to_text()


def finite(numbers: Any) -> None:
    """No NaN as an answer."""
    expect(np.all(np.isfinite(np.asarray(numbers, float))), "predictions aren't finite, and nobody says so")


def short_fit(model: cr.Model, **more: Any) -> None:
    """Two epochs, then a prediction."""
    epochs = more.get("epochs", 2)
    if isinstance(epochs, (int, float)) and 1000 < epochs < math.inf:
        more["epochs"] = 2
    model.fit(**{"X": X, "y": Y, "epochs": 2, "progress": False, **more})
    finite(model.predict(X))


def odd_data(kind: str, place: str) -> Any:
    """Rows, targets or weights that are odd in one way."""
    base: Any = {"X": X, "y": Y, "sample_weight": np.ones(12)}[place].copy()
    if kind in ("nan", "inf"):
        base.flat[3] = float(kind)
    elif kind == "complex":
        base = base + 1j
    elif kind == "masked":
        base = np.ma.masked_array(base, np.arange(base.size).reshape(base.shape) % 5 == 0)
    elif kind == "object":
        base = base.astype(object)
        base.flat[0] = {}
    elif kind == "strings":
        base = base.astype(str)
    elif kind == "empty":
        base = base[:0]
    elif kind == "flat":
        base = base.ravel()
    elif kind == "deep":
        base = base[..., None, None]
    elif kind == "short":
        base = base[:-1]
    elif kind == "wide":
        base = np.stack([base, base], axis=-1).reshape(12, -1)
    elif kind == "large":
        base = base * 1e300
    elif kind == "integers":
        base = (base * 10).astype(np.int64)
    elif kind == "booleans":
        base = base > 0
    elif kind == "frame":
        import polars

        base = polars.DataFrame(base)
    elif kind == "dates":
        base = base.astype("datetime64[D]")
    elif kind == "ragged":
        base = [*base.tolist()[:-1], [1.0]]
    else:  # a view in another order
        base = np.asfortranarray(np.repeat(base, 2, axis=0))[::2]
    return base


def check_data(case: dict[str, Any]) -> None:
    """An error of chainrule's, or numbers that are finite; masks and imaginary parts aren't lost in silence."""
    names = {"predict": ["X"]}.get(case["call"], ["X", "y", "sample_weight"])
    place = case["place"] if case["place"] in names else "X"
    given = {"X": X, "y": Y, "sample_weight": np.ones(12)}
    given = {name: given[name] for name in names} | {place: odd_data(case["data"], place)}
    model = plain(dtype=case["dtype"], engine=case["engine"])
    more = {"epochs": 1, "progress": False} if case["call"] == "fit" else {}
    try:
        answer = getattr(model, case["call"])(**given, **more)
    except cr.ChainruleError as error:
        expect(str(error).strip() and len(str(error)) < 16_000, f"a message of {len(str(error))} letters")
        return
    refused = {"nan", "inf", "complex", "masked", "object", "ragged"} | (
        {"short", "empty"} if len(names) > 1 else set()
    )
    what = f"{case['data']} data is taken, and nobody says so"
    expect(case["data"] not in refused, f"{what}\n({place} of {case['call']})")
    what = f"{case['data']} data: {place} of {case['call']}"
    if case["call"] == "predict":
        finite(answer)
    elif case["call"] == "loss_and_gradients":
        expect(not np.isnan(answer[0]), f"{what}: the loss is {answer[0]}")
    elif case["call"] == "evaluate":
        expect(not any(np.isnan(number) for number in answer.values()), f"{what}: {answer}")
    elif case["call"] == "fit":
        finite(model.predict(X))


def check_company(case: dict[str, Any]) -> None:
    """A model has one fit at a time, and says so; predicting from several threads is allowed."""
    model, errors = plain(engine=case["engine"]), []

    def again(record: Any) -> None:
        try:
            if case["company"] == "fit inside a fit":
                model.fit(X, Y, epochs=1, progress=False)
            else:
                model.predict(X)
        except Exception as error:
            errors.append(error)

    if case["company"].endswith("inside a fit"):
        history = model.fit(X, Y, epochs=3, callbacks=again, progress=False)
        expect(len(history) == 3, f"{case['company']}: {len(history)} epochs instead of 3")
        if case["company"] == "fit inside a fit":
            expect(errors, "a fit inside a fit is taken, and nobody says so")
        else:
            expect(not errors, f"predict inside a fit: {errors!r:.300}")
    else:
        check_threads(case, model, errors)
    for error in errors:
        expect(isinstance(error, cr.ChainruleError), f"{case['company']}: {error!r:.300}")


def check_threads(case: dict[str, Any], model: cr.Model, errors: list[Exception]) -> None:
    """Two threads fit one model, or eight predict with it."""
    alone = plain(engine=case["engine"])
    alone.fit(X, Y, epochs=40, progress=False)
    wanted = model.predict(X)
    answers: list[Any] = []

    def work() -> None:
        try:
            if case["company"] == "two fits at once":
                answers.append(model.fit(X, Y, epochs=40, progress=False))
            else:
                answers.extend(model.predict(X) for _ in range(20))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2 if case["company"] == "two fits at once" else 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if case["company"] == "two fits at once":
        expect(answers, "two fits at once: neither of them was done")
        expect(all(len(history) == 40 for history in answers), "two fits at once: epochs are missing or too many")
        if len(answers) == 1:
            expect(
                np.array_equal(model.predict(X), alone.predict(X)), "two fits at once: the refused one left its traces"
            )
    else:
        expect(not errors, f"predictions at once: {errors!r:.300}")
        expect(all(np.array_equal(answer, wanted) for answer in answers), "predictions at once: not the same numbers")

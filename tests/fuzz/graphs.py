"""Graphs x engines x threads: one network has one loss and one gradient, whoever computes them."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import chainrule as cr
from fuzz import networks
from fuzz.findings import Finding, expect

TORCH = importlib.util.find_spec("torch") is not None
OPTIMIZERS = ("SGD", "Adam", "AdamW", "RMSProp", "AdaGrad")
STEPS = 10  # of an epoch of training that both engines do: over hundreds, rounding can grow to any size


def generate(rng: random.Random) -> dict[str, Any]:
    wide = rng.random() < 0.2
    return {
        "network": networks.generate_network(rng, wide=wide),
        "seed": rng.getrandbits(31),
        "rows": rng.choice([1, 2, 3, 7, 33, 64]) if not wide else rng.randint(100, 1500),
        "weights": rng.choice([None, None, "random", "zeros", "one"]),
        "options": rng.choice([{}, {}, {"l2": 0.01}, {"l1": 0.01}, {"fuse": False}, {"reduction": "sum"}]),
        "optimizer": rng.choice(OPTIMIZERS),
        "batch": rng.choice([1, 2, 5, 32, "full"]),
        "threads": rng.choice([2, 3, 4, 7, 16, 64]),
        "dtype": rng.choice(["float32", "float64"]),
    }


def row_weights(case: Mapping[str, Any]) -> np.ndarray | None:
    """The weights that a case names."""
    n, rng = case["rows"], np.random.default_rng(case["seed"])
    if case["weights"] is None:
        return None
    if case["weights"] == "one":
        return np.eye(n)[rng.integers(n)]
    weights = rng.uniform(0.1, 3.0, n)
    return np.where(rng.random(n) < 0.3, 0.0, weights) + (np.arange(n) == 0) if case["weights"] == "zeros" else weights


def new_model(case: Mapping[str, Any], engine: str, dtype: str = "float64", **more: Any) -> cr.Model:
    """A model of the case, with parameters that don't depend on who computes."""
    optimizer = getattr(cr, more.pop("optimizer", case["optimizer"]))(0.01)
    loss_weights = {f"head{k}": head["weight"] for k, head in enumerate(case["network"]["heads"])}
    options = dict(case["options"])
    said = {name: options.pop(name) for name in ("reduction", "convention", "fuse") if name in options}
    options = dict(case["options"])
    said = {key: options.pop(key) for key in ("fuse", "reduction") if key in options}
    loss = cr.Objective(networks.losses(case["network"]), loss_weights=loss_weights, **said)
    network = networks.build(case["network"])
    model = cr.Model(network, loss, optimizer, seed=case["seed"], dtype=dtype, engine=engine, **options, **more)
    networks.draw_parameters(model, case["seed"])
    return model


def native() -> bool:
    """Whether the core is there."""
    try:
        cr.Model(cr.Network.mlp(1, [], 1), "squared_error", engine="native")
    except cr.EngineError:
        return False
    return True


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, or the error that it raises on purpose."""
    try:
        return call()
    except cr.ChainruleError as error:
        return error


def check(case: dict[str, Any]) -> None:
    x, y = networks.rows(case["network"], case["rows"], case["seed"])
    weight = row_weights(case)
    plain = new_model(case, "reference")
    network = plain.network if hasattr(plain, "network") else networks.build(case["network"])
    expect(cr.Network.from_json(network.to_json()) == network, "a network isn't the one of its own JSON")
    wanted = outcome(lambda: plain.loss_and_gradients(x, y, weight))
    if not isinstance(wanted, Exception):
        expect(np.isfinite(wanted[0]), f"the loss is {wanted[0]} and nobody says so")
        check_by_differences(plain, x, y, weight, *wanted)
        if TORCH and case["options"].get("reduction") != "sum":
            check_by_torch(case, plain, x, y, weight)
        if case["rows"] <= 7 and case["seed"] % 3 == 0:
            check_explained(case, plain, x, y, weight, wanted[1])
    if native():
        check_engines(case, plain, x, y, weight)
        check_threads(case, x, y, weight)


def check_explained(case: dict[str, Any], model: cr.Model, x: Any, y: Any, weight: Any, gradients: Any) -> None:
    """The derivation has the gradients of training, can be written, and finds no mistake in its own numbers."""
    work = model.explain(x, y, weight)
    rng = random.Random(case["seed"])
    for layer, arrays in gradients.items():
        for name, a in arrays.items():
            place = tuple(rng.randrange(size) for size in a.shape)
            quantity = f"dL/d{name}[{layer},{','.join(str(i + 1) for i in place)}]"
            expect(
                np.isclose(work[quantity].value, a[place], rtol=1e-9, atol=1e-12),
                f"explain: {quantity} isn't the gradient",
            )
    quantities = {str(quantity.name): quantity.value for quantity in work}
    plain = sorted(name for name, v in quantities.items() if v == 0 or 1e-290 < abs(v) < 1e290)
    chosen = rng.sample(plain, min(12, len(plain)))
    marks = work.mark({name: f"{quantities[name]:.7g}" for name in chosen})
    bad = [mark.symbol for mark in marks.entries if mark.verdict not in ("correct",)]
    expect(not bad, f"explain: its own numbers are marked as wrong\n{bad[:5]}")
    form = rng.choice(["text", "markdown", "latex", "html", "json"])
    weights = [name for name in quantities if name.startswith("dL/dW[")]
    choice = {"weight": rng.choice(weights)[4:]} if weights and rng.random() < 0.5 else {}
    expect(getattr(work, f"to_{form}")(**choice), "explain: nothing was written")


def check_engines(case: dict[str, Any], plain: cr.Model, x: Any, y: Any, weight: Any) -> None:
    """The same numbers from both engines: predictions, gradients, and a short training run."""
    fast = new_model(case, "native")
    calls: dict[str, Callable[[cr.Model], Any]] = {
        "predict": lambda m: {"": networks.named(m.predict(x), case["network"])},
        "gradients": lambda m: both(m.loss_and_gradients(x, y, weight)),
        "training gradients": lambda m: both(m.loss_and_gradients(x, y, weight, training=True)),
        "evaluate": lambda m: {"": m.evaluate(x, y, weight)},
    }
    for name, call in calls.items():
        compare(name, outcome(lambda call=call: call(plain)), outcome(lambda call=call: call(fast)), 1e-8)

    n = STEPS * (case["batch"] if isinstance(case["batch"], int) else 32)

    def train(engine: str) -> Any:
        model = new_model(case, engine, optimizer="SGD")
        model.fit(
            first(x, n), first(y, n), epochs=2, batch_size=case["batch"], sample_weight=first(weight, n), progress=False
        )
        return model.parameters

    if not tied(case):
        compare("two epochs", outcome(lambda: train("reference")), outcome(lambda: train("native")), 1e-6)


def first(data: Any, n: int) -> Any:
    """The first rows of arrays, however they are put together."""
    if isinstance(data, Mapping):
        return {name: first(part, n) for name, part in data.items()}
    if isinstance(data, (list, tuple)):
        return type(data)(first(part, n) for part in data)
    return None if data is None else data[:n]


def tied(case: Mapping[str, Any]) -> bool:
    """Whether rounding can move a unit over an edge: a step function, or the variance of a few rows."""
    text = str(case["network"])
    return "threshold" in text or ("BatchNorm" in text and (case["rows"] < 8 or case["batch"] in (1, 2, 5)))


def both(answer: tuple[float, Any]) -> dict[str, Any]:
    """Loss and gradients in one mapping."""
    return {"loss": {"loss": answer[0]}, **answer[1]}


def compare(what: str, one: Any, other: Any, tolerance: float) -> None:
    """Both raise, or both give the same numbers within rounding."""
    if isinstance(one, Exception) or isinstance(other, Exception):
        expect(type(one) is type(other), f"{what}: the engines differ: {str(one)[:300]!r} and {str(other)[:300]!r}")
        return
    for layer, arrays in one.items():
        for name, a in arrays.items():
            a, b = np.asarray(a), np.asarray(other[layer][name])
            size = max(1.0, float(np.max(np.abs(a), initial=0.0, where=np.isfinite(a))))
            with np.errstate(invalid="ignore"):
                off = np.where(a == b, 0.0, np.abs(a - b))  # both may be infinite
            if not np.all(off <= tolerance * size):
                worst = tuple(map(int, np.unravel_index(np.argmax(off), off.shape)))
                raise Finding(f"{what}: not the same numbers: {a[worst]} and {b[worst]} in {layer} {name} {worst}")


def check_threads(case: dict[str, Any], x: Any, y: Any, weight: Any) -> None:
    """The number of threads changes no bit."""

    def train(threads: int) -> Any:
        model = new_model(case, "native", case["dtype"], threads=threads)
        model.fit(x, y, epochs=2, batch_size=case["batch"], sample_weight=weight, progress=False)
        predictions = {"": networks.named(model.predict(x), case["network"])}
        return networks.all_bytes(model.parameters) + networks.all_bytes(model.state) + networks.all_bytes(predictions)

    one, many = outcome(lambda: train(1)), outcome(lambda: train(case["threads"]))
    if isinstance(one, Exception) or isinstance(many, Exception):
        expect(str(one) == str(many), f"threads: {one!r} and {many!r}")
    else:
        expect(one == many, f"{case['threads']} threads give other bytes than one")


def check_by_differences(model: cr.Model, x: Any, y: Any, weight: Any, loss: float, gradients: Any) -> None:
    """The slope along a random direction is what the gradient says."""
    start = networks.copy_of(model.parameters)
    rng = np.random.default_rng(1)
    along = {layer: {name: rng.normal(size=a.shape) for name, a in inner.items()} for layer, inner in start.items()}

    def loss_at(step: float) -> float:
        model.set_parameters(
            {
                layer: {name: a + step * along[layer][name] for name, a in inner.items()}
                for layer, inner in start.items()
            }
        )
        return float(model.loss_and_gradients(x, y, weight)[0])

    try:
        h = 1e-5
        ahead, behind = (loss_at(h) - loss) / h, (loss - loss_at(-h)) / h
        wide, narrow = (loss_at(2 * h) - loss_at(-2 * h)) / (4 * h), (ahead + behind) / 2
    except cr.ChainruleError:  # beside the point it may overflow
        return
    finally:
        model.set_parameters(start)
    products = [gradients[layer][name] * along[layer][name] for layer in along for name in along[layer]]
    slope = sum(float(np.sum(product)) for product in products)
    size = sum(float(np.sum(np.abs(product))) for product in products)
    if abs(wide - narrow) > 1e-5 * size + 1e-7 * max(1.0, abs(loss)):
        return  # a kink, or too steep to say
    allowed = 1e-5 * size + 1e-7 * max(1.0, abs(loss)) + 10 * abs(wide - narrow) + abs(ahead - behind)
    expect(abs(slope - narrow) <= allowed, f"gradients say a slope of {slope}, differences {narrow}")


def check_by_torch(case: dict[str, Any], model: cr.Model, x: Any, y: Any, weight: Any) -> None:
    """PyTorch's automatic differentiation gives the same loss and gradients."""
    from fuzz import oracle

    penalties = {key: value for key, value in case["options"].items() if key in ("l1", "l2")}
    silent = any(node.get("rate") for node in case["network"]["nodes"])
    for training in (False, True) if not silent and case["rows"] > 1 else (False,):
        answer = outcome(lambda training=training: model.loss_and_gradients(x, y, weight, training=training))
        if isinstance(answer, Exception):
            continue
        loss, gradients = oracle.loss_and_gradients(
            case["network"], model.parameters, model.state, x, y, weight, training=training, **penalties
        )
        try:
            compare("PyTorch", {"loss": {"loss": loss}, **gradients}, {**gradients, **both(answer)}, 1e-7)
        except Finding:
            if not np.isfinite(loss) or (training and tied(case)):
                continue
            raise

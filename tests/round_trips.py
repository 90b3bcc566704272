"""What tests of saving share: a model saved and loaded, and what must be the same in both."""

from __future__ import annotations

from typing import Any

import numpy as np

import chainrule as cr


def assert_same_state(first: cr.Model, second: cr.Model, *, training: bool = True) -> None:
    """Every vector and every counter of two models is equal, bit for bit; seconds apart, which are measured."""
    assert first.network == second.network
    assert (first.seed, first.dtype, first.optimizer) == (second.seed, second.dtype, second.optimizer)
    a, b = first.training, second.training
    pairs = [(a.parameters, b.parameters), (a.state, b.state)]
    if training:
        pairs.append((a.slots, b.slots))
        for name in ("step", "epoch", "batch", "first_step", "first_epoch", "rate", "memories", "plateau"):
            assert getattr(a, name) == getattr(b, name), name
        assert a.bests.keys() == b.bests.keys()
        named = [(getattr(a, name), getattr(b, name)) for name in ("latest", "epoch_start")]
        for one, other in (*named, *((best, b.bests[rule]) for rule, best in a.bests.items())):
            assert (one is None) == (other is None)
            if one is not None:
                pairs += [(one.parameters, other.parameters), (one.state, other.state)]
        assert (a.partial is None) == (b.partial is None)
    for one, other in pairs:
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()
    assert_same_history(first, second)


def assert_same_history(first: cr.Model, second: cr.Model) -> None:
    forms = [model.history.to_dict() for model in (first, second)]
    for form in forms:
        for record in form["epochs"]:
            del record["seconds"]
    assert forms[0] == forms[1]


def saved_and_loaded(model: cr.Model, **options: Any) -> cr.Model:
    model.save("m.safetensors", **options)
    loaded = cr.load("m.safetensors")
    assert isinstance(loaded, cr.Model)
    return loaded


def branched() -> cr.Network:
    """Three inputs, every kind of layer, two heads."""
    a, b, c = cr.Input(3, name="a"), cr.Input((2, 2), name="b"), cr.Input(1, dtype="integer", name="c")
    scaled = cr.Scale(rate_factor=2.0, decay_factor=0.0)(a)
    left = cr.Dropout(0.2)(cr.Activation("gelu")(cr.BatchNorm(name="norm")(cr.Dense(4, bias=False)(scaled))))
    right = cr.Dense(4, activation={"name": "leaky_relu", "slope": 0.2}, l2=0.01, initializer="orthogonal")(
        cr.Flatten()(b)
    )
    joined = cr.Concatenate()(cr.Add()(left, right), a, cr.OneHot(5, first=7)(c))
    heads = {"size": cr.Dense(2, name="size")(joined), "kind": cr.Dense(3, activation="softmax", name="kind")(joined)}
    return cr.Network(inputs=[a, b, c], outputs=heads)


def branched_data(rows: int = 30) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    X = {"a": rng.normal(size=(rows, 3)), "b": rng.normal(size=(rows, 2, 2)), "c": rng.integers(7, 12, (rows, 1))}
    return X, {"size": rng.normal(size=(rows, 2)), "kind": rng.integers(3, size=rows)}

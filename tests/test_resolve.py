"""Strings to objects, and objects to JSON forms."""

from __future__ import annotations

import json

import pytest

from chainrule import Adam, Cosine, CrossEntropy, InputError
from chainrule.activations import ACTIVATIONS, ActivationFunction, ReLU
from chainrule.optimizers import get_optimizer
from chainrule.resolve import resolve, set_fields, to_form


def test_what_stands_for_an_object() -> None:
    for given in ("relu", ReLU, ReLU(), {"name": "relu"}, "RELU"):
        assert resolve("activation", given, ActivationFunction, ACTIVATIONS) == ReLU()


def test_names_that_nobody_knows_get_the_nearest_and_the_list() -> None:
    with pytest.raises(
        InputError, match=r'no activation "rellu"\. Did you mean "relu"\? These exist: linear, sigmoid, tanh'
    ):
        resolve("activation", "rellu", ActivationFunction, ACTIVATIONS)
    with pytest.raises(InputError, match="it must be a name or one of chainrule's activation objects"):
        resolve("activation", {"slope": 1}, ActivationFunction, ACTIVATIONS)


def test_forms_hold_what_differs_from_the_defaults() -> None:
    assert to_form(Adam()) == "adam"
    assert to_form(Adam(0.01, amsgrad=True)) == {"name": "adam", "learning_rate": 0.01, "amsgrad": True}
    assert set_fields(CrossEntropy(label_smoothing=0.1), leave_out="label_smoothing") == {}


def test_forms_nest_and_survive_json() -> None:
    optimizer = Adam(Cosine(0.01, warmup_epochs=2), beta1=0.8)
    form = json.loads(json.dumps(to_form(optimizer)))
    assert form["learning_rate"] == {"name": "cosine", "rate": 0.01, "warmup_epochs": 2}
    assert get_optimizer(form) == optimizer

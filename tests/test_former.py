"""Arguments of earlier versions: they do what they did, and say what takes their place."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import problems
import pytest

from chainrule import InputError, Model, Network, Objective

X, Y = problems.regression(20, 3)
NETWORK = Network.mlp(3, [4], 1, activation="tanh")
START = np.random.default_rng(0).normal(size=(2, NETWORK.layout.size))


@pytest.mark.parametrize(
    ("former", "instead", "now"),
    [
        (
            {"reduction": "sum", "fuse": False},
            "Objective(loss, reduction=..., fuse=...)",
            lambda: Model(NETWORK, Objective("squared_error", reduction="sum", fuse=False), dtype="float64"),
        ),
        (
            {"convention": "sklearn", "l2": 0.1},
            "Objective(loss, convention=...)",
            lambda: Model(NETWORK, Objective("squared_error", convention="sklearn"), l2=0.1, dtype="float64"),
        ),
        (
            {"loss_weights": {"output": 2.0}},
            "Objective(loss, loss_weights=...)",
            lambda: Model(NETWORK, Objective("squared_error", {"output": 2.0}), dtype="float64"),
        ),
        ({"n_jobs": 1}, "threads=...", lambda: Model(NETWORK, "squared_error", threads=1, dtype="float64")),
        (
            {"members": 3},
            "Model.ensemble(network, loss, members=...)",
            lambda: Model.ensemble(NETWORK, "squared_error", members=3, dtype="float64"),
        ),
        (
            {"members": 2, "start": START},
            "Model.ensemble(network, loss, members=...)",
            lambda: Model.ensemble(NETWORK, "squared_error", members=START, dtype="float64"),
        ),
    ],
)
def test_they_do_what_they_did_and_say_what_is_new(former: dict[str, Any], instead: str, now: Any) -> None:
    with pytest.warns(DeprecationWarning, match=re.escape(instead)) as warned:
        old = Model(NETWORK, "squared_error", dtype="float64", **former)
    assert [warning.filename for warning in warned] == [__file__], "it points at the caller"
    new = now()
    assert old.objective == new.objective
    for model in (old, new):
        model.fit(X, Y, epochs=2)
    np.testing.assert_array_equal(old.training.parameters, new.training.parameters)


def test_what_never_was_an_argument() -> None:
    with pytest.raises(TypeError, match=r"Model\(\) got an unexpected keyword argument 'los'"):
        Model(NETWORK, "squared_error", los=1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_start_for_other_members() -> None:
    with pytest.raises(InputError, match="start has the parameters of 2 members, and members is 3"):
        Model(NETWORK, "squared_error", members=3, start=START)

"""Schedules as they are drawn: the rates that a fit really uses."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import drawn, line, texts

import chainrule as cr
from chainrule import plots
from chainrule.errors import InputError
from chainrule.schedules import SCHEDULES

pytest.importorskip("matplotlib")


def test_every_schedule_is_drawn():
    picture = plots.schedules(epochs=6, steps=4)
    found = drawn(picture)
    for name in SCHEDULES:
        x, y = line(found[name])
        np.testing.assert_allclose(x, np.arange(24) / 4)
        np.testing.assert_array_equal(y, picture.values[name])
    assert set(SCHEDULES) <= set(texts(picture))
    assert "reduce_on_plateau follows the loss" in picture.caption


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "reduce_on_plateau"])
def test_the_rates_are_those_of_a_fit(name):
    values = plots.schedules(name, rate=0.02, epochs=5, steps=3).values[name]
    optimizer = cr.SGD(SCHEDULES[name](0.02))
    model = cr.Model(cr.Network.mlp(1, [], 1), "squared_error", optimizer)
    history = model.fit(np.ones((6, 1)), np.ones(6), epochs=5, batch_size=2, progress=False)
    np.testing.assert_allclose(values[2::3], history["learning_rate"], rtol=1e-6)  # of each epoch's last step


def test_a_plateau_lowers_the_rate_after_it_began():
    values = plots.schedules(cr.ReduceOnPlateau(0.1, factor=0.5, patience=3), epochs=20, steps=2).values
    (rates,) = [one for name, one in values.items() if name != "epoch"]
    np.testing.assert_allclose(rates[: 2 * 10], 0.1)
    assert rates[-1] < 0.05
    assert (np.diff(rates) <= 0).all()


@pytest.mark.parametrize(
    ("names", "options", "words"),
    [
        (["cosin"], {}, 'no schedule "cosin"'), (["cosine", "cosine"], {}, "cosine is named twice"),
        (["cosine"], {"rate": 0}, "rate"), (["cosine"], {"epochs": 0}, "epochs"),
    ],
)  # fmt: skip
def test_mistakes(names, options, words):
    with pytest.raises(InputError) as caught:
        plots.schedules(*names, **options)
    assert words in str(caught.value)

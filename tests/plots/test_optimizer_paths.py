"""Ways down the surface: steps that are the optimizer's formula by hand, on the loss that the model computes."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import drawn, line, texts

import chainrule as cr
from chainrule import plots
from chainrule.errors import InputError
from chainrule.plots.optimizer_paths import START, USUAL, rows

pytest.importorskip("matplotlib")


def gradient(w: np.ndarray) -> np.ndarray:
    """Of `mean (y - (w1 x1 + w2 x2))^2`, written out."""
    X, y = rows()
    return 2 * X.T @ (X @ w - y) / len(y)


def test_gradient_descent_is_its_formula():
    way = plots.descent(cr.SGD(0.05), steps=12).values["SGD(learning_rate=0.05)"]
    w = np.array(START)
    for here in way:
        np.testing.assert_allclose(here, w, rtol=1e-9)
        w = w - 0.05 * gradient(w)
    assert len(way) == 13


def test_momentum_is_its_formula():
    way = plots.descent("momentum", steps=9).values["momentum"]
    rate, momentum = USUAL["momentum"].learning_rate, USUAL["momentum"].momentum
    w, v = np.array(START), np.zeros(2)
    for here in way:
        np.testing.assert_allclose(here, w, rtol=1e-9)
        v = momentum * v + gradient(w)
        w = w - rate * v


def test_the_surface_is_the_mean_squared_error():
    values = plots.descent("sgd", steps=2).values
    X, y = rows()
    w = np.stack(np.meshgrid(values["w1"], values["w2"], indexing="ij"), axis=-1)
    np.testing.assert_allclose(values["loss"], ((w @ X.T - y) ** 2).mean(axis=-1), rtol=1e-9)
    np.testing.assert_allclose(gradient(values["lowest"]), 0, atol=1e-9)


def test_the_usual_six_come_closer_and_are_drawn():
    picture = plots.descent()
    found, lowest = drawn(picture), picture.values["lowest"]
    for name in USUAL:
        way = picture.values[name]
        np.testing.assert_array_equal(np.stack(line(found[name]), axis=1), way)
        assert np.linalg.norm(way[-1] - lowest) < 0.4 * np.linalg.norm(way[0] - lowest)
        np.testing.assert_array_equal(np.ravel(line(found[f"end-{name}"])), lowest)
    assert set(USUAL) <= set(texts(picture))


def test_few_rows_at_a_time_take_as_many_steps():
    values = plots.descent("sgd", steps=20, batch_size=4).values
    assert values["sgd"].shape == (21, 2)
    whole = plots.descent("sgd", steps=20).values["sgd"]
    assert not np.allclose(values["sgd"][1], whole[1])


@pytest.mark.parametrize(
    ("names", "options", "words"),
    [
        (["adm"], {}, 'no optimizer "adm"'), (["lbfgs"], {}, "takes no steps that could be drawn"),
        (["adam", "adam"], {}, "adam is named twice"), (["adam"], {"steps": 0}, "steps"),
        (["adam"], {"batch_size": 0}, "batch_size"),
    ],
)  # fmt: skip
def test_mistakes(names, options, words):
    with pytest.raises(InputError) as caught:
        plots.descent(*names, **options)
    assert words in str(caught.value)

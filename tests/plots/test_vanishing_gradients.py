"""The vanishing curve: norms of the gradients that the model itself gives, and of the chain rule by hand."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import drawn, line, texts

import chainrule as cr
from chainrule import plots
from chainrule.errors import InputError
from chainrule.plots.vanishing_gradients import gradient_norms

pytest.importorskip("matplotlib")


def by_hand(depth: int, width: int, rows: int, seed: int) -> np.ndarray:
    """The norms for sigmoid units, by the chain rule written out, from the same weights and rows."""
    network = cr.Network.mlp(width, [width] * depth, 1, activation="sigmoid")
    parameters = cr.Model(network, "squared_error", dtype="float64", seed=seed).parameters
    rng = np.random.default_rng(seed)
    h, y = [rng.normal(size=(rows, width))], rng.normal(size=(rows, 1))
    *hidden, output = parameters.values()
    for layer in hidden:
        h.append(1 / (1 + np.exp(-(h[-1] @ layer["W"] + layer["b"]))))
    delta = 2 * (h[-1] @ output["W"] + output["b"] - y) / rows
    norms = [np.linalg.norm(h[-1].T @ delta)]
    after = output["W"]
    for k in range(depth, 0, -1):
        delta = (delta @ after.T) * h[k] * (1 - h[k])
        norms.append(np.linalg.norm(h[k - 1].T @ delta))
        after = hidden[k - 1]["W"]
    return np.array(norms[::-1])


@pytest.mark.parametrize(("depth", "width"), [(1, 2), (5, 8), (12, 4), (2, 300)])
def test_norms_are_those_of_the_chain_rule(depth, width):
    np.testing.assert_allclose(gradient_norms("sigmoid", depth, width, 16, seed=3), by_hand(depth, width, 16, 3))


def test_the_picture_draws_the_means_of_the_starts():
    picture = plots.vanishing("sigmoid", "relu", depth=4, width=6, rows=8, starts=3)
    found = drawn(picture)
    for name in ("sigmoid", "relu"):
        each = [gradient_norms(name, 4, 6, 8, seed) for seed in range(3)]
        expected = np.exp(np.log(each).mean(axis=0))
        np.testing.assert_allclose(picture.values[name], expected)
        x, y = line(found[name])
        assert x.tolist() == [1, 2, 3, 4, 5]
        np.testing.assert_allclose(y, expected)
    assert found["relu"].axes.get_yscale() == "log"
    assert {"sigmoid", "relu", "norm of dL/dW"} <= set(texts(picture))


def test_gradients_of_sigmoids_vanish_and_those_of_relus_dont():
    values = plots.vanishing(starts=2).values
    assert values["sigmoid"][0] < 1e-8 * values["sigmoid"][-1]
    for name in ("tanh", "relu", "leaky_relu", "elu"):
        assert values[name][0] > 0.05 * values[name][-1]


@pytest.mark.parametrize(
    ("names", "options", "words"),
    [
        (["sigmod"], {}, 'no activation "sigmod". Did you mean "sigmoid"'),
        (["threshold"], {}, "the derivative of threshold is 0 everywhere"),
        (["relu", "relu"], {}, "relu is named twice"),
        (["relu"], {"depth": 0}, "depth"),
        (["relu"], {"starts": 1.5}, "starts"),
        (["relu"], {"initializer": "huge"}, 'no initializer "huge"'),
    ],
)
def test_mistakes(names, options, words):
    with pytest.raises(InputError) as caught:
        plots.vanishing(*names, **options)
    assert words in str(caught.value)


def test_what_overflows_is_said():
    with pytest.raises(cr.TrainingError, match="overflow on their way through 40 layers of exponential: take fewer"):
        plots.vanishing("exponential", depth=40, starts=1)

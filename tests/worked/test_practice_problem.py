"""Notes 001: the 2-2-2 practice problem, half squared error, rate 0.5, biases kept."""

from __future__ import annotations

import numpy as np
import pytest
from worked_values import Work, assert_printed, work

from chainrule import SGD, Model, Network

X, T = [0.05, 0.10], [0.01, 0.99]
START = {
    "hidden": {"W": [[0.15, 0.25], [0.20, 0.30]], "b": [0.35, 0.35]},
    "output": {"W": [[0.40, 0.50], [0.45, 0.55]], "b": [0.60, 0.60]},
}


def model(engine: str = "reference") -> Model:
    network = Network.mlp(2, [2], 2, activation="sigmoid", output="sigmoid")
    made = Model(network, "half_squared_error", SGD(0.5), dtype="float64", engine=engine)
    made.set_parameters(START)
    return made


@pytest.fixture(scope="module")
def numbers() -> Work:
    return work(model(), X, T)


@pytest.mark.parametrize(
    ("look", "written"),
    [
        (lambda n: n.z["hidden"][0], "0.3775"),
        (lambda n: n.h["hidden"], "0.593269992, 0.596884378"),
        (lambda n: n.z["output"][0], "1.105905967"),
        (lambda n: n.h["output"], "0.75136507, 0.772928465"),
        (lambda n: (n.h["output"] - T) ** 2 / 2, "0.274811083, 0.023560026"),
        (lambda n: n.loss, "0.298371109"),
        (lambda n: n.dh["output"][0], "0.74136507"),
        (lambda n: n.h["output"][0] * (1 - n.h["output"][0]), "0.186815602"),
        (lambda n: n.gradients["output"]["W"][0, 0], "0.082167041"),
        (lambda n: n.gradients["hidden"]["W"][0, 0], "0.000438568"),
    ],
)
def test_passes(look: object, written: str, numbers: Work) -> None:
    assert_printed(look(numbers), written)


def test_updated_weights(engine: str) -> None:
    trained = model(engine)
    trained.fit([X], [T], epochs=1)
    assert_printed(trained.parameters["output"]["W"].T, "0.35891648, 0.408666186, 0.511301270, 0.561370121")
    assert_printed(trained.parameters["hidden"]["W"].T, "0.149780716, 0.19956143, 0.24975114, 0.29950229")


def test_biases_kept(engine: str, numbers: Work) -> None:
    """The text updates the weights alone: the same numbers by hand from the gradients, the biases left."""
    kept = model(engine)
    _, gradients = kept.loss_and_gradients([X], [T])
    kept.set_parameters({name: {"W": kept.parameters[name]["W"] - 0.5 * gradients[name]["W"]} for name in START})
    assert_printed(kept.parameters["output"]["W"].T, "0.35891648, 0.408666186, 0.511301270, 0.561370121")
    assert kept.parameters["hidden"]["b"].tolist() == [0.35, 0.35]
    assert kept.evaluate([X], [T])["loss"] < numbers.loss
    np.testing.assert_allclose(gradients["output"]["b"], numbers.dz["output"], rtol=1e-14)

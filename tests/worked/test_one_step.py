"""Notes 004: one whole step of a 2-2-1 network with sigmoid units and binary cross-entropy."""

from __future__ import annotations

import numpy as np
import pytest
from worked_values import Work, assert_printed, work

from chainrule import SGD, Model, Network
from chainrule.objective import Objective

X, Y = [0.5, 0.8], 1.0
START = {
    "hidden": {"W": [[0.2, 0.4], [0.3, 0.7]], "b": [0.1, 0.2]},
    "output": {"W": [[0.5], [0.6]], "b": [0.3]},
}


def model(engine: str = "reference", fuse: bool = False) -> Model:
    network = Network.mlp(2, [2], 1, activation="sigmoid", output="sigmoid")
    made = Model(network, Objective("binary_cross_entropy", fuse=fuse), SGD(0.1), dtype="float64", engine=engine)
    made.set_parameters(START)
    return made


@pytest.fixture(scope="module")
def numbers() -> Work:
    return work(model(), X, Y)


FORWARD = {
    "z": (lambda n: n.z["hidden"], "0.44, 0.96"),
    "H": (lambda n: n.h["hidden"], "0.608259, 0.723122"),
    "z_o": (lambda n: n.z["output"], "1.038003"),
    "O": (lambda n: n.h["output"], "0.738464"),
    "L": (lambda n: n.loss, "0.303182"),
}
BACKWARD = {
    "dL/dO": (lambda n: n.dh["output"], "-1.354161"),
    "dO/dz_o": (lambda n: n.h["output"] * (1 - n.h["output"]), "0.193135"),
    "dL/dz_o": (lambda n: n.dz["output"], "-0.261536"),
    "dL/dw": (lambda n: n.gradients["output"]["W"], "-0.159081, -0.189122"),
    "dL/db0": (lambda n: n.gradients["output"]["b"], "-0.261536"),
    "dL/dH": (lambda n: n.dh["hidden"], "-0.130768, -0.156921"),
    "dL/dz": (lambda n: n.dz["hidden"], "-0.031159, -0.031418"),
    "hidden dW": (lambda n: n.gradients["hidden"]["W"], "-0.015580, -0.015709, -0.024927, -0.025135"),
    "hidden db": (lambda n: n.gradients["hidden"]["b"], "-0.031159, -0.031418"),
}


@pytest.mark.parametrize("name", [*FORWARD, *BACKWARD])
def test_exact_numbers(name: str, numbers: Work) -> None:
    look, printed = {**FORWARD, **BACKWARD}[name]
    assert_printed(look(numbers), printed)


@pytest.mark.parametrize(
    ("name", "written"), [("z", "0.44, 0.96"), ("H", "0.608, 0.723"), ("z_o", "1.038"), ("O", "0.738"), ("L", "0.303")]
)
def test_the_forward_pass_as_written_agrees(name: str, written: str, numbers: Work) -> None:
    assert_printed(FORWARD[name][0](numbers), written)


def test_the_slip_is_the_derivative_by_z_and_what_is_written_follows_from_it(numbers: Work) -> None:
    """Written: dL/dO = -0.262. That is dL/dz_o; -1 / 0.738 is -1.355. All later numbers carry the slip on."""
    assert_printed(numbers.dz["output"], "-0.262")
    assert_printed(-1 / 0.738, "-1.355")
    d_z = -0.262 * 0.193
    assert_printed(d_z, "-0.051")
    assert_printed([round(d_z, 3) * 0.608, round(d_z, 3) * 0.723], "-0.031, -0.037")
    assert_printed([round(d_z, 3) * 0.5, round(d_z, 3) * 0.6], "-0.0255, -0.0306")
    assert_printed([0.5 + 0.1 * 0.031, 0.6 + 0.1 * 0.037], "0.503, 0.604")


@pytest.mark.parametrize("fuse", [True, False], ids=["fused", "plain"])
def test_the_step(fuse: bool, engine: str) -> None:
    """The updated numbers, by the trainer itself; fused or plain, since both are the same mathematics."""
    trained = model(engine, fuse)
    history = trained.fit([X], [Y], epochs=1, batch_size=1)
    assert_printed(history["loss"], "0.303182")
    assert_printed(trained.parameters["output"]["W"], "0.515908, 0.618912")
    assert_printed(trained.parameters["output"]["b"], "0.326154")
    expected = np.array(START["hidden"]["W"]) + 0.1 * np.array([[0.015580, 0.015709], [0.024927, 0.025135]])
    np.testing.assert_allclose(trained.parameters["hidden"]["W"], expected, rtol=0, atol=1e-7)
    np.testing.assert_allclose(trained.parameters["hidden"]["b"], [0.1031159, 0.2031418], rtol=0, atol=1e-7)
    assert trained.evaluate([X], [Y])["loss"] < 0.303182


def test_fused_gradients_are_those_of_the_work(engine: str, numbers: Work) -> None:
    _, gradients = model(engine, fuse=True).loss_and_gradients([X], [Y])
    for layer, arrays in numbers.gradients.items():
        for name, array in arrays.items():
            np.testing.assert_allclose(gradients[layer][name], array, rtol=1e-14)

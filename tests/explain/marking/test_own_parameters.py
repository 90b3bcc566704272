"""Marking of layers whose parameters are called neither W nor b: the same mistakes are found in them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from chainrule import Adam, Dense, Input, Model, Network
from chainrule.arrays import Array
from chainrule.explain.derivation import Derivation
from chainrule.initializers import Constant
from chainrule.layers.base import Arrays, Context, Layer, ParameterSpec, Shape
from chainrule.layers.element import Learned, Read, Term


@dataclass(frozen=True)
class Gain(Layer):
    """`h = gain x + rest`."""

    formula = "h = gain x + rest"

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        return tuple(
            ParameterSpec(name, shapes[0], "weight", Constant(0.5), penalized=True) for name in ("gain", "rest")
        )

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        return inputs[0] * parameters["gain"] + parameters["rest"], {"x": inputs[0]}, state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        gradients = {"gain": (d_output * memo["x"]).sum(axis=0), "rest": d_output.sum(axis=0)}
        return (d_output * parameters["gain"],), gradients

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        return Term((Learned("gain", (unit,)), Read(unit))), Term((Learned("rest", (unit,)),))


def work(rows: int = 1, **options: object) -> Derivation:
    layers = [
        Input(2, name="x"), Dense(2, activation="tanh", name="hidden"), Gain(name="gained"), Dense(1, name="output"),
    ]  # fmt: skip
    settings = {"loss": "squared_error", "optimizer": Adam(0.3, epsilon=0.1), "dtype": "float64", **options}
    model = Model(Network(layers), **settings)  # type: ignore[arg-type]  # as the cases say
    model.set_parameters(
        {
            "hidden": {"W": [[0.2, 0.4], [0.3, 0.7]], "b": [0.1, 0.2]},
            "gained": {"gain": [0.7, -0.6], "rest": [0.3, 0.4]},
            "output": {"W": [[0.5], [0.6]], "b": [0.3]},
        }
    )
    x, y = [[0.5, 0.8], [1.0, -0.4], [0.3, 0.2]], [1.0, -2.0, 0.7]
    return model.explain(x[:rows] if rows > 1 else x[0], y[:rows] if rows > 1 else y[0])


def test_the_gradient_by_the_unit_is_not_that_by_its_parameter() -> None:
    """dL/dgain = dL/dh was accepted, with the factor x of the layer left out."""
    made = work()
    wrong = made["dL/dh[gained,1]"].value
    for entries in ({}, {"dL/dh[gained,1]": f"{wrong:.6g}"}):
        mark = made.mark({**entries, "dL/dgain[gained,1]": f"{wrong:.6g}"})["dL/dgain[gained,1]"]
        assert (mark.verdict, mark.diagnosis.code) == ("wrong", "derivative-by-parameter-missing")
    right = made["dL/dgain[gained,1]"].value
    assert right == pytest.approx(wrong * made["h[hidden,1]"].value)
    assert made.mark({"dL/dgain[gained,1]": f"{right:.6g}"}).counts["correct"] == 1
    assert made.mark({"dL/drest[gained,1]": f"{wrong:.6g}"}).counts["correct"] == 1  # there it is the same


def found(made: Derivation, name: str, wrong: float) -> tuple[str, ...]:
    mark = made.mark({name: f"{wrong:.9g}"})[name]
    assert mark.verdict == "wrong"
    return (mark.diagnosis.code, *mark.diagnosis.also)


def test_a_parameter_that_is_a_term_by_itself_can_be_left_out() -> None:
    made = work()
    assert "bias-missing" in found(made, "h[gained,2]", made["h[gained,2]"].value - 0.4)


def test_the_number_after_the_update_can_be_taken() -> None:
    made = work()
    wrong = made["dL/dh[gained,1]"].value * made["gain+[gained,1]"].value
    assert "updated-weight-used" in found(made, "dL/dh[hidden,1]", wrong)


@pytest.mark.parametrize("parameter", ["gain", "rest"])
def test_what_is_summed_over_rows_and_penalties(parameter: str) -> None:
    name = f"dL/d{parameter}[gained,2]"
    made = work(rows=3)
    assert "mean-sum-confused" in found(made, name, 3 * made[name].value)
    penalized = work(l2=0.1)
    plain = work()[name].value
    assert penalized[name].value != plain
    assert "penalty-missing" in found(penalized, name, plain)
    halved = plain + (penalized[name].value - plain) / 2
    assert "factor-two" in found(penalized, name, halved)


def test_mistakes_of_the_update() -> None:
    made, name = work(), "gain+[gained,1]"
    before, after = 0.7, made["gain+[gained,1]"].value
    assert "gradient-ascent" in found(made, name, 2 * before - after)
    assert "learning-rate-missing" in found(made, name, before + (after - before) / 0.3)
    gradient = made["dL/dgain[gained,1]"].value
    inside = before - 0.3 * gradient / (gradient**2 + 0.1) ** 0.5
    assert "epsilon-inside-root" in found(made, name, inside)

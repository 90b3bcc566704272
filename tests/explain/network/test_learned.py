"""Counts of parameters as quantities: those of the network's own summary, marked like any other entry."""

from __future__ import annotations

import pytest
from generated import examples
from hypothesis import given
from strategies import Problem, general_problems, traced

from chainrule import InputError, Model, Network
from chainrule.explain.derivation import Derivation
from chainrule.explain.quantities.notation import STYLES


@examples(30)
@given(problem=general_problems("reference"))
def test_counts_are_those_of_the_summary(problem: Problem) -> None:
    work = Derivation(traced(problem))
    count = problem.model.network.count()
    assert [work[kind].value for kind in ("weights", "biases", "parameters")] == [
        count.weights, count.biases, count.total
    ]  # fmt: skip
    for layer in count.layers:
        assert work[f"weights[{layer.name}]"].value == layer.weights
        assert work[f"biases[{layer.name}]"].value == layer.biases
        assert work[f"parameters[{layer.name}]"].value == layer.total


@pytest.mark.parametrize("notation", STYLES)
def test_counts_have_formulas_in_every_notation(notation: str) -> None:
    work = Model(Network.mlp(3, [3], 1), "squared_error").explain([1, 2, 3], 1, notation=notation)
    assert work["parameters"].value == 16
    assert work["parameters[hidden]"].numbers == "9 + 3"
    assert work.notation.written(work["weights[hidden]"].name).text == "weights_hidden"
    assert work["weights[hidden]"].general == "weights = inputs * units"
    assert work["weights[hidden]"].uses == 2


def test_a_sum_of_wrong_counts_follows() -> None:
    work = Model(Network.mlp(4, [3, 2], 1, bias=False), "squared_error").explain([1, 2, 3, 4], 1)
    marks = work.mark({"weights[hidden_1]": "10", "weights[hidden_2]": "6", "weights[output]": "2", "weights": "18"})
    assert [entry.verdict for entry in marks.entries] == ["wrong", "correct", "correct", "follows"]
    assert marks.first_wrong == "weights[hidden_1]"


def test_a_layer_without_parameters_is_named() -> None:
    work = Model(Network.mlp(1, [2], 1), "squared_error").explain([1], 1)
    with pytest.raises(InputError, match=r'no layer "hiden" with parameters\. Did you mean "hidden"'):
        work["weights[hiden]"]
    assert "weights" not in [str(quantity.name) for quantity in work], "a derivation doesn't list counts"

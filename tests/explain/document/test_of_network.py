"""What a document shows: everything of a small network; of a large one or of many rows, what was chosen."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chainrule import InputError, Model, Network
from chainrule.explain.derivation import Derivation
from chainrule.explain.document.blocks import Lines, Table
from chainrule.explain.network.structure import Choice
from chainrule.explain.quantities.names import Name


@pytest.fixture(scope="module")
def batch() -> Derivation:
    """256 rows of 64-128-10."""
    model = Model(Network.mlp(64, [128], 10, activation="relu", output="softmax"), "cross_entropy", "sgd", seed=0)
    rng = np.random.default_rng(0)
    return model.explain(rng.normal(size=(256, 64)), np.eye(10)[rng.integers(10, size=256)])


def test_a_weight_of_a_large_batch_is_summed_over_its_rows(batch: Derivation) -> None:
    made = batch.document(weight="W[hidden,1,1]")
    (rows,) = [block for block in made.blocks if isinstance(block, Table) and block.columns[0] == "row"]
    *parts, total = [float(row[2]) for row in rows.rows]
    assert math.isclose(sum(parts), total, abs_tol=1e-7)
    assert math.isclose(total, batch["dL/dW[hidden,1,1]"].value, rel_tol=1e-5)
    assert batch.paths("W[hidden,1,1]").count == 256 * 100
    assert len(batch.to_text(weight="W[hidden,1,1]")) < 40_000
    assert "Row 7: paths from z[row 7; hidden,1] to the loss" in batch.to_text(weight="W[hidden,1,1]", row=7)


@pytest.mark.parametrize("choice", [{}, {"layer": "hidden"}, {"layer": "output", "unit": 2, "row": 3}, {"row": 256}])
def test_no_choice_explodes(batch: Derivation, choice: dict) -> None:
    text = batch.to_text(**choice)
    assert len(text) < 150_000
    if choice.get("row") is None and choice:
        assert "Row 1 of 256 is written out" in text
        assert "z hidden = [" in text  # the rows stand in the arrays, folded
        assert "...]" not in text


def test_json_of_too_much_says_what_to_choose(batch: Derivation) -> None:
    with pytest.raises(InputError, match="choose a weight"):
        batch.to_json()
    assert batch.to_json(weight="b[output,1]")


def test_long_sums_are_folded(batch: Derivation) -> None:
    text = batch.to_text(layer="hidden", unit=1)
    assert "+ (57 more) + " in text


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"row": 257}, "rows count from 1 to 256"),
        ({"row": 0}, "rows count from 1 to 256"),
        ({"unit": 129}, "the largest layer has units 1 to 128"),
        ({"layer": "output", "unit": 11}, 'layer "output" has units 1 to 10'),
        ({"layer": "hiden"}, 'Did you mean "hidden"?'),
    ],
)
def test_what_is_not_there_is_said(batch: Derivation, choice: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        batch.to_text(**choice)


@pytest.mark.parametrize(
    "part", [Choice(), Choice(row=2), Choice("hidden"), Choice("hidden", 1), Choice("output", 2, 1), Choice(unit=2)]
)
def test_a_part_is_what_a_filter_of_everything_gives(part: Choice) -> None:
    model = Model(Network.mlp(2, [3], 2, activation="tanh", output="softmax"), "cross_entropy", "sgd", l2=0.1)
    graph = model.explain([[1.0, 2.0], [0.5, -1.0]], [[1, 0], [0, 1]]).graph

    def wanted(name: Name) -> bool:
        return (
            (part.layer is None or name.layer == part.layer)
            and (part.unit is None or (bool(name.index) and name.index[-1] == part.unit))
            and (part.row is None or name.row in (None, part.row))
        )

    assert list(graph.in_order(part)) == [name for name in graph.in_order() if wanted(name)]


def test_one_path_needs_no_sum() -> None:
    model = Model(Network.mlp(1, [], 1), "squared_error", "sgd")
    made = model.explain([1.0], [2.0]).document(weight="b[output,1]")
    remarks = [line.remark for block in made.blocks if isinstance(block, Lines) for line in block.lines]
    assert "one path" in remarks
    assert "sum over paths" not in remarks


def test_a_network_of_hundreds_of_layers_has_its_paths() -> None:
    model = Model(Network.mlp(1, [1] * 400, 1, activation="tanh"), "squared_error", "sgd")
    paths = model.explain([1.0], [2.0]).paths("W[hidden_1,1,1]")
    assert paths.count == 1
    assert paths.multiplications_apart == paths.multiplications_memoized == 802


def test_a_large_network_that_has_no_gradient_is_summarised_forward() -> None:
    """Threshold units, or no target: what goes forward can be shown all the same."""
    model = Model(Network.mlp(20, [30], 5, activation="threshold"), "squared_error", "sgd")
    work = model.explain([0.1] * 20, [0.0] * 5)
    assert "largest" not in work.to_text()
    work.graph.forward_only = True
    assert "L = " not in work.to_text()

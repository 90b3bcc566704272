"""The memo, visible: what is kept, what is reused, what doing without would cost."""

from __future__ import annotations

import numpy as np
import problems
import pytest

from chainrule import Add, BatchNorm, Dense, Dropout, Flatten, Input, Network
from chainrule.engines.memo import CountingMemo, steps_without_memo

ROWS = 10


def report_of(network: Network, loss: str = "squared_error", **options: object):
    model = problems.make_model(network, loss, dtype="float64", **options)
    X = {name: np.ones((ROWS, *shape)) for name, shape in network.input_shapes.items()}
    y = {head.head: np.full((ROWS, head.outputs), 0.5) for head in model.objective.heads}
    return model.memo_report(X, y)


def test_a_chain_of_sigmoid_units_by_hand() -> None:
    """4-3-2-1 with 10 rows: dense layers keep what they read, sigmoid units what they made, which is the same array."""
    network = Network.mlp(4, [3, 2], 1, activation="sigmoid", output="sigmoid")
    report = report_of(network, fuse=False)
    assert [(a.layer, a.name, a.numbers, a.reads, a.owned) for a in report.kept] == [
        ("hidden_1", "x", 40, 1, True),
        ("hidden_1", "h", 30, 1, True),
        ("hidden_2", "x", 30, 1, False),
        ("hidden_2", "h", 20, 1, True),
        ("output", "x", 20, 1, False),
        ("output", "h", 10, 1, True),
    ]
    assert report.bytes == 8 * (40 + 30 + 20 + 10)
    assert report.reused == 40 + 30 + 30 + 20 + 20 + 10
    assert report.deltas == 6
    assert report.delta_reads == 3 * 2 + 5, "W and b of three layers, and the five values before"
    assert (report.forward_steps, report.steps_without_memo) == (6, 6 + 21)


def test_fused_the_loss_enters_a_step_earlier() -> None:
    network = Network.mlp(4, [3, 2], 1, activation="sigmoid", output="sigmoid")
    plain, fused = (report_of(network, "binary_cross_entropy", fuse=fuse) for fuse in (False, True))
    assert fused.deltas == plain.deltas - 1
    assert fused.delta_reads == plain.delta_reads - 1
    assert [a.reads for a in fused.kept][-1] == 0, "the output's own memo isn't needed"


def test_z_is_kept_beside_h_where_the_derivative_needs_it() -> None:
    kept = [(a.name, a.owned) for a in report_of(Network.mlp(4, [3], 1, activation="gelu")).kept]
    assert kept == [("x", True), ("z", True), ("x", True), ("h", True)]


def test_every_layer_reads_each_array_of_its_memo_once_or_says_how_often() -> None:
    network = Network(
        [
            Input((2, 2)),
            Flatten(name="f"),
            Dense(4, name="a"),
            BatchNorm(name="n"),
            Dropout(0.5, name="d"),
            Dense(1, name="o"),
        ]
    )
    reads = {(a.layer, a.name): a.reads for a in report_of(network).kept}
    assert reads == {
        ("f", "shape"): 0, ("a", "x"): 1, ("n", "x_hat"): 1, ("n", "std"): 1, ("n", "of_batch"): 1, ("d", "factor"): 1,
        ("o", "x"): 1,
    }  # fmt: skip


def test_branches_share_what_they_read() -> None:
    h = Dense(3, activation="tanh", name="h")(Input(2, name="x"))
    network = Network(outputs=Dense(1, name="o")(Add(name="s")(Dense(3, name="a")(h), Dense(3, name="b")(h))))
    report = report_of(network)
    shared = {(a.layer, a.name): a.owned for a in report.kept}
    assert shared[("h", "h")]
    assert not shared[("a", "x")]
    assert not shared[("b", "x")]
    # the value of h is read by two layers: its delta is one, made of two
    assert report.deltas == 6
    # forward again up to each layer: z 1, h 2, a 3, b 3, s 5, o 6, and the pass itself
    assert report.steps_without_memo == 6 + 1 + 2 + 3 + 3 + 5 + 6


@pytest.mark.parametrize("depth", [1, 5, 40])
def test_without_the_memo_the_cost_grows_with_the_square_of_the_depth(depth: int) -> None:
    network = Network.mlp(2, [2] * depth, 1, activation="tanh")
    n = len(network.steps)
    assert n == 2 * depth + 2
    assert steps_without_memo(network.program) == n + n * (n + 1) // 2


def test_the_report_in_words() -> None:
    text = str(report_of(Network.mlp(4, [3, 2], 1, activation="sigmoid", output="sigmoid"), fuse=False))
    assert [line.split()[2:4] for line in text.splitlines()[:2]] == [["40", "numbers"], ["30", "numbers"]]
    assert "kept 800 bytes; 150 numbers were reused" in text
    assert "6 deltas were computed once and read 11 times" in text
    assert "forward steps: 6 with memo, 27 without" in text
    assert "(shared)" in text


def test_counting_is_reading() -> None:
    """Asking whether something is there isn't reading it."""
    memo = CountingMemo({"x": np.ones(3), "y": np.ones(2)})
    assert "x" in memo
    assert "z" not in memo
    assert set(memo) == {"x", "y"}
    assert len(memo) == 2
    assert memo.reads == {"x": 0, "y": 0}
    _ = memo["x"], memo["x"]
    assert memo.reads == {"x": 2, "y": 0}
    with pytest.raises(KeyError):
        _ = memo["z"]

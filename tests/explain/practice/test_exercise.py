"""New exercises: the same seed the same sheet, round numbers, a key that marks itself, nothing dead or lost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from chainrule import InputError
from chainrule.explain.practice.exercise import Exercise, pair
from chainrule.explain.practice.round_numbers import GREATEST, SLOPE, asked_names
from chainrule.explain.worksheets.worksheet import read_worksheet_text
from chainrule.layers import Activation
from chainrule.losses import LOSSES

USUAL = st.builds(
    Exercise,
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=2).map(lambda sizes: (2, *sizes)),
    activation=st.sampled_from(["sigmoid", "tanh", "relu", "leaky_relu", "linear"]),
    loss=st.sampled_from([name for name in LOSSES if name != "cross_entropy"]),
    rows=st.integers(1, 3),
    optimizer=st.sampled_from(["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", None]),
    l2=st.sampled_from([0.0, 0.01]),
    bias=st.booleans(),
    notation=st.sampled_from(["ours", "a-h", "o-w", "net-out", "Z-H", "O-P"]),
    seed=st.integers(0, 2**64 - 1),
)


@examples(40)
@given(exercise=USUAL)
def test_a_sheet_reads_back_and_its_key_is_right_to_the_last_digit(exercise: Exercise) -> None:
    sheet, key = read_worksheet_text(exercise.text), read_worksheet_text(exercise.key)
    assert set(sheet.work.values()) == {""}
    assert list(sheet.work) == list(exercise.answers)
    assert key.work == exercise.answers
    marks = key.mark()
    assert marks.counts["correct"] == len(marks.entries) > 0
    assert {entry.note for entry in marks.entries} == {None}
    assert Exercise(**vars_of(exercise)).text == exercise.text


def vars_of(exercise: Exercise) -> dict:
    return {name: getattr(exercise, name) for name in exercise.__dataclass_fields__}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "fields",
    [
        {"sizes": (2, 2, 1), "loss": "binary_cross_entropy"},
        {"sizes": (2, 3, 3), "loss": "cross_entropy"},
        {"sizes": (3, 3, 2, 1), "activation": "tanh"},
        {"sizes": (2, 4, 2), "activation": "relu", "rows": 3},
        {"sizes": (2, 2, 1), "loss": "poisson"},
        {"sizes": (2, 2, 2), "loss": "half_squared_error", "output": "sigmoid"},
    ],
    ids=lambda fields: "-".join(map(str, fields["sizes"])),
)
def test_the_numbers_are_good_ones_to_learn_from(fields: dict, seed: int) -> None:
    exercise = Exercise(**fields, seed=seed)
    work = exercise.sheet.derivation()
    trace = work.trace
    assert exercise.decimals == 4
    for value in (trace.moment.parameters, trace.data.inputs[0], trace.targets(0)):
        np.testing.assert_allclose(value, np.round(value, 1), atol=1e-12)
    for step in trace.program.steps:
        if isinstance(step.layer, Activation) and not work.graph.is_coupled(step):
            f = step.layer.f
            slopes = f.derivative(trace.value(step.inputs[0] if f.needs == "z" else step.output))
            assert (np.abs(slopes) >= SLOPE).any(axis=0).all()  # no unit is dead or saturated in every row
    for name in asked_names(work):
        value = work.graph.value(name)
        assert value == 0 or 1e-3 <= abs(value) <= GREATEST, name
    for span in trace.network.layout.spans:
        if span.name == "W" and math.prod(span.shape) <= 9:
            assert len(np.unique(np.abs(trace.parameters[span.step]["W"]))) == math.prod(span.shape)


def test_a_seed_means_the_same_sheet_for_good() -> None:
    exercise = Exercise((2, 2, 1), loss="binary_cross_entropy", seed=7)
    sheet = exercise.sheet
    assert sheet.x.tolist() == [0.8, 0.3]
    assert exercise.command.endswith("--learning-rate 0.5 --seed 7")
    assert "seed 7" in sheet.title
    assert Exercise((2, 2, 1), loss="binary_cross_entropy", seed=8).text != exercise.text


def test_the_command_on_a_sheet_writes_it_again() -> None:
    from chainrule.cli.shapes import sizes

    exercise = Exercise((2, 2), optimizer=None, rows=2, l2=0.01, bias=False, notation="Z-H", seed=5)
    words = exercise.command.split()
    assert words[:3] == ["chainrule", "practice", "--network"]
    assert tuple(sizes(words[3])) == exercise.sizes
    for part in ("--optimizer none", "--rows 2", "--l2 0.01", "--no-bias", "--notation Z-H", "--seed 5"):
        assert part in exercise.command
    assert "--learning-rate" not in exercise.command


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sizes": (2,)}, "as in \\(2, 3, 1\\)"),
        ({"sizes": (2, 0, 1)}, "as in \\(2, 3, 1\\)"),
        ({"sizes": (50, 50)}, "more than can be worked by hand"),
        ({"sizes": (2, 1), "rows": 9}, r"rows is 9; it must be a whole number in \[1, 8\]"),
        ({"sizes": (2, 1), "seed": -1}, "seed is -1"),
        ({"sizes": (2, 1), "loss": "hubr"}, 'Did you mean "huber"'),
        ({"sizes": (2, 2, 1), "activation": "sigmiod"}, 'Did you mean "sigmoid"'),
        ({"sizes": (2, 2, 1), "activation": "step"}, "has no gradient to work out"),
        ({"sizes": (2, 2), "loss": "cross_entropy", "output": "linear"}, 'output="softmax"'),
        ({"sizes": (2, 1), "optimizer": "lbfgs"}, "no update that can be worked by hand"),
        ({"sizes": (2, 1), "optimizer": "adma"}, 'Did you mean "adam'),
        ({"sizes": (2, 1), "notation": "our"}, 'Did you mean "ours"'),
    ],
)
def test_what_cant_be_made_is_said(fields: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _ = Exercise(**fields).text


def test_losses_and_outputs_that_go_together() -> None:
    for name, loss in LOSSES.items():
        found, output = pair(name, None)
        assert (found, output) == (name, loss.fuses_with or "linear")
    assert pair(None, "exponential") == ("poisson", "exponential")
    assert pair("mse", "tanh") == ("squared_error", "tanh")

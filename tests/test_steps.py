"""The program: steps in topological order, slots, spans, and who reads what."""

from __future__ import annotations

import pytest
import registered
from hypothesis import given
from hypothesis import strategies as st
from strategies import chains, graphs

from chainrule import Activation, Add, Dense, Input, Network

networks = chains() | graphs(st.lists(st.sampled_from(registered.LOSSES), min_size=1, max_size=3)).map(
    lambda pair: pair[0]
)


@given(network=networks)
def test_every_step_reads_what_was_written_before(network: Network) -> None:
    program = network.program
    written = {slot.index for slot in program.inputs}
    assert [slot.index for slot in program.inputs] == list(range(len(program.inputs))), "inputs take the first slots"
    for index, step in enumerate(program.steps):
        assert step.index == index
        assert set(step.inputs) <= written
        assert step.output not in written, "a slot is written once"
        assert program.slots[step.output].producer == index
        written.add(step.output)
        shapes = tuple(program.slots[slot].shape for slot in step.inputs)
        assert program.slots[step.output].shape == step.layer.output_shape(shapes)
        assert [span.name for span in step.parameters] == [spec.name for spec in step.layer.parameter_specs(shapes)]
        assert all(span.step == index for span in (*step.parameters, *step.state))
    assert written == {slot.index for slot in program.slots}
    spans = [span for step in program.steps for span in step.parameters]
    assert sorted(spans, key=lambda span: span.offset) == list(program.parameters.spans)


@given(network=networks)
def test_readers(network: Network) -> None:
    program = network.program
    for slot in program.slots:
        assert program.readers(slot.index) == tuple(s.index for s in program.steps if slot.index in s.inputs)


def test_only_what_stands_behind_parameters_gets_a_gradient() -> None:
    x = Input(2, name="x")
    shifted = Activation("tanh", name="t")(x)
    h = Dense(2, name="h")(shifted)
    network = Network(inputs=x, outputs=Add(name="sum")(h, shifted))
    wanted = {
        slot.name: flag for slot, flag in zip(network.program.slots, network.program.reads_parameters(), strict=True)
    }
    assert wanted == {"x": False, "t": False, "h": True, "sum": True}


def test_sugar_is_two_steps_of_one_name() -> None:
    program = Network.mlp(2, [3], 1, activation="tanh").program
    assert [(step.name, type(step.layer).__name__) for step in program.steps] == [
        ("hidden", "Dense"), ("hidden", "Activation"), ("output", "Dense"), ("output", "Activation"),
    ]  # fmt: skip
    assert [(head.name, head.slot, head.shape) for head in program.heads] == [("output", 4, (1,))]


def test_programs_are_frozen() -> None:
    step = Network.mlp(2, [3], 1).steps[0]
    with pytest.raises(AttributeError):
        step.index = 7

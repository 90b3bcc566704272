"""Numbers at lines stand where they can be read, or not at all."""

from __future__ import annotations

import numpy as np
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from chainrule import Add, Dense, Input, Model, Network
from chainrule.explain.diagram.binding import diagram_of
from chainrule.explain.diagram.drawn import Diagram, short
from chainrule.explain.render.svg import drawing, legend


def branched(inputs: int, branches: int, heads: int) -> Diagram:
    """Several layers that read the same inputs, and several heads that read their sum: many lines."""
    x = Input(inputs, name="x")
    both = Add(name="sum")(*(Dense(4, activation="tanh", name=f"branch_{k}")(x) for k in range(branches)))
    outputs = {f"head_{k}": Dense(k + 1, name=f"head_{k}_layer")(both) for k in range(heads)}
    model = Model(Network(inputs=x, outputs=outputs), dict.fromkeys(outputs, "squared_error"))
    targets = {name: np.ones(k + 1) for k, name in enumerate(outputs)}
    return diagram_of(model.explain(np.linspace(-1, 1, inputs), targets))


@examples(15)
@given(st.integers(1, 6), st.integers(2, 3), st.integers(1, 3))
def test_no_number_stands_on_another(inputs: int, branches: int, heads: int) -> None:
    diagram = branched(inputs, branches, heads)
    boxes = []
    for link in diagram.links:
        if link.label is not None:
            assert link.weight is not None
            assert link.gradient is not None
            wide = 5.3 * max(len(short(link.weight.value)), len(short(link.gradient.value)) + 2)
            boxes.append((*link.label, wide))
    for i, (x, y, wide) in enumerate(boxes):
        for x2, y2, wide2 in boxes[:i]:  # each has two lines of 10 pixels
            assert abs(y - y2) >= 15 or abs(x - x2) >= (wide + wide2) / 2 - 5, ((x, y), (x2, y2))
        for unit in diagram.units:
            if not unit.is_dots:
                assert np.hypot(x - unit.place[0], y - unit.place[1]) > diagram.radius


@examples(15)
@given(st.integers(1, 6), st.integers(2, 3), st.integers(1, 3))
def test_numbers_stand_on_their_lines_and_what_is_left_out_is_said(inputs: int, branches: int, heads: int) -> None:
    diagram = branched(inputs, branches, heads)
    for link in diagram.links:
        if link.label is not None:
            (x0, y0), (x1, y1) = diagram.units[link.source].place, diagram.units[link.target].place
            t = (link.label[0] - x0) / (x1 - x0)
            assert 0.1 < t < 0.9
            assert abs(y0 + t * (y1 - y0) - link.label[1]) < 1e-6
    lacking = [link for link in diagram.links if link.weight is not None and link.label is None and not link.bends]
    assert ("left out" in legend(diagram)) == diagram.left_out
    assert lacking or not diagram.left_out
    page = drawing(diagram)  # what isn't written is still told where the pointer rests
    assert all(link.weight.symbol in page for link in lacking if link.weight is not None)


def test_headings_of_neighbouring_columns_stand_apart() -> None:
    x = Input(2, name="numbers")
    first = Dense(3, activation="leaky_relu", name="a_long_name_of_a")(x)
    second = Dense(3, activation="leaky_relu", name="a_layer_beside_it")(first)
    diagram = diagram_of(Model(Network(inputs=x, outputs=second), "squared_error").explain([1, 2], [1, 2, 3]))
    left, right = (group for group in diagram.groups if not group.is_input)
    assert right.place[0] - left.place[0] > 7 * (len(left.title) + 16) / 2


@given(st.floats(allow_nan=False).filter(lambda value: not 1e308 < abs(value) < np.inf))
def test_short_numbers_are_short_and_near(value: float) -> None:
    text = short(value)
    assert len(text) <= 9
    if np.isfinite(value):
        near = float(text)
        assert near == value or abs(near - value) <= 0.051 * abs(value)
        assert near == 0 or np.sign(near) == np.sign(value)


@pytest.mark.parametrize(
    ("value", "text"), [(9.96e-5, "1e-4"), (9.997e-6, "1e-5"), (99_960.0, "1e5"), (-9.99e9, "-1e10")]
)
def test_short_numbers_that_are_rounded_up_to_a_power_of_ten(value: float, text: str) -> None:
    assert short(value) == text

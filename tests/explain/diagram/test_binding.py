"""The network as plain data: every unit and link once, the derivation's numbers, a path of the derivation."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import Problem, general_problems, traced

from chainrule import (
    Activation,
    Add,
    BatchNorm,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    InputError,
    Model,
    Network,
    Scale,
)
from chainrule.explain.derivation import Derivation
from chainrule.explain.diagram.binding import diagram_of
from chainrule.explain.diagram.drawn import Diagram
from chainrule.explain.render.svg import drawing
from chainrule.explain.worksheets.worksheet import read_worksheet

SHEETS = Path(__file__).parents[3] / "examples" / "worksheets"


def mlp(inputs: int, hidden: list[int], outputs: int, **options: Any) -> Derivation:
    model = Model(Network.mlp(inputs, hidden, outputs, activation="tanh", **options), "squared_error", dtype="float64")
    return model.explain(np.linspace(-1, 1, inputs), np.ones(outputs))


def residual() -> Derivation:
    x, wide = Input(4, name="x"), Input(2, name="wide")
    first = Dense(4, activation="tanh", name="first")(x)
    summed = Add(name="sum")(first, Dense(4, activation="tanh", name="second")(first))
    both = Concatenate(name="both")(summed, wide)
    heads = {
        "age": Dense(1, name="age_layer")(both),
        "mood": Dense(3, activation="softmax", name="mood_layer")(both),
    }
    model = Model(Network(inputs=[x, wide], outputs=heads), {"age": "squared_error", "mood": "cross_entropy"})
    return model.explain({"x": [1, 0.5, -0.3, 0.2], "wide": [0.3, 0.1]}, {"age": 0.3, "mood": 1})


def keys(diagram: Diagram) -> list[tuple[str, int]]:
    """The units by layer and number, dots left out."""
    return [
        (diagram.groups[unit.group].title, unit.number)
        for unit in diagram.units
        if unit.group is not None and not unit.is_dots
    ]


def weights(diagram: Diagram) -> list[str]:
    return [str(link.weight.name) for link in diagram.links if link.weight is not None]


@examples(25)
@given(sizes=st.lists(st.integers(1, 8), min_size=2, max_size=5))
def test_every_unit_and_every_weight_of_a_narrow_network_is_there_once(sizes: list[int]) -> None:
    work = mlp(sizes[0], sizes[1:-1], sizes[-1])
    diagram = diagram_of(work)
    assert len(keys(diagram)) == len(set(keys(diagram))) == sum(sizes)
    spans = [span for span in work.trace.network.layout.spans if span.name == "W"]
    there = {f"W[{s.layer},{i + 1},{j + 1}]" for s in spans for i, j in np.ndindex(*s.shape)}
    assert sorted(weights(diagram)) == sorted(there)
    assert sum(link.weight is None for link in diagram.links) == sizes[-1]  # to the loss
    places = [unit.place for unit in diagram.units]
    assert len(places) == len(set(places))
    for one, other in ((a, b) for i, a in enumerate(places) for b in places[:i]):
        assert np.hypot(one[0] - other[0], one[1] - other[1]) > 2 * diagram.radius, "circles don't touch"
    assert all(0 < x < diagram.width and 0 < y < diagram.height for x, y in places)


@pytest.mark.parametrize("sheet", ["two_by_two_by_two", "four_three_two_one", "four_three_two", "three_three_one"])
def test_its_numbers_are_the_derivations(sheet: str) -> None:
    work = read_worksheet(SHEETS / f"{sheet}.toml").derivation()
    diagram = diagram_of(work)
    bound = [b for u in diagram.units for b in (*u.values, *u.gradients, *u.learned, *u.learned_gradients)]
    bound += [unit.target for unit in diagram.units if unit.target is not None]
    bound += [b for link in diagram.links for b in (link.weight, link.gradient) if b is not None]
    assert {b.name.kind for b in bound} >= {"x", "z", "h", "y", "L", "W", "dL/dz", "dL/dh", "dL/dW", "dL/dx"}
    for number in bound:
        assert number.value == work[number.name].value
        assert number.symbol == work[number.name].symbol


def test_links_lead_where_the_weights_say() -> None:
    diagram = diagram_of(mlp(3, [4], 2))
    for link in diagram.links:
        if link.weight is not None:
            source, target = diagram.units[link.source], diagram.units[link.target]
            assert link.weight.name.index == (source.number, target.number)
            assert source.place[0] < target.place[0]


def test_layers_that_work_unit_by_unit_stand_in_the_circles_before_them() -> None:
    diagram = diagram_of(mlp(3, [4, 4], 1, batch_norm=True, dropout=0.1))
    assert [group.title for group in diagram.groups] == ["x", "hidden_1", "hidden_2", "output"]
    assert diagram.groups[1].functions == ("batch norm", "tanh", "dropout")
    unit = next(unit for unit in diagram.units if unit.group == 1)
    assert [str(bound.name) for bound in unit.values] == [
        "z[hidden_1,1]", "h[hidden_1_norm,1]", "h[hidden_1_activation,1]", "h[hidden_1_dropout,1]",
    ]  # fmt: skip
    assert {bound.name.kind for bound in unit.learned} >= {"scale", "shift"}


def test_a_graph_is_laid_out_by_depth() -> None:
    diagram = diagram_of(residual())
    x = {group.title: group.place[0] for group in diagram.groups}
    assert x["x"] < x["first"] < x["second"] < x["sum"] < x["both"] < x["age_layer"] == x["mood_layer"]
    assert x["wide"] == x["sum"], "an input stands right before what reads it"
    assert [group.title for group in diagram.groups if group.is_head] == ["age_layer", "mood_layer"]
    assert [group.title for group in diagram.groups if group.is_input] == ["x", "wide"]
    pairs = [
        (diagram.groups[a.group].title, diagram.groups[b.group].title)
        for a, b in ((diagram.units[link.source], diagram.units[link.target]) for link in diagram.links)
        if a.group is not None and b.group is not None
    ]
    assert {pair: pairs.count(pair) for pair in pairs} == {
        ("x", "first"): 16, ("first", "second"): 16, ("first", "sum"): 4, ("second", "sum"): 4, ("sum", "both"): 4,
        ("wide", "both"): 2, ("both", "age_layer"): 6, ("both", "mood_layer"): 18,
    }  # fmt: skip


def test_a_line_that_would_run_through_circles_leads_around_them() -> None:
    x = Input(3, name="x")
    first = Dense(3, activation="tanh", name="first")(x)
    second = Dense(3, activation="tanh", name="second")(first)
    third = Dense(3, activation="tanh", name="third")(second)
    net = Network(inputs=x, outputs=Add(name="sum")(first, third))
    diagram = diagram_of(Model(net, "squared_error").explain([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]))
    lowest = max(unit.place[1] for unit in diagram.units) + diagram.radius
    skipping = [
        link for link in diagram.links
        if link.weight is None and diagram.units[link.target].place[0] - diagram.units[link.source].place[0] > 200
    ]  # fmt: skip
    assert len(skipping) == 3
    for link in skipping:
        assert len(link.bends) == 2
        assert all(lowest < y < diagram.height for _, y in link.bends)


@pytest.mark.parametrize("weight", ["W[hidden_1,2,3]", "b[hidden_1,2]", "x[1]", "z[hidden_2,1]", "W[output,2,1]"])
def test_what_is_highlighted_is_a_path_of_the_derivation(weight: str) -> None:
    work = mlp(3, [4, 3], 2)
    diagram = diagram_of(work, highlight=weight)
    assert diagram.path is not None
    assert diagram.path.through in [path.through for path in work.paths(weight).paths]
    on_path = [unit for unit in diagram.units if unit.on_path]
    layers = [diagram.groups[u.group].title for u in on_path if u.group is not None]
    order = ["x", "hidden_1", "hidden_2", "output"]
    assert layers == order[order.index(layers[0]) :], "one unit of every layer on the way"
    assert on_path[-1].is_loss
    links = {(link.source, link.target): link for link in diagram.links if link.on_path}
    chain = [diagram.units.index(unit) for unit in on_path]
    between = set(pairwise(chain))
    starts = [link for link in links.values() if link.weight is not None and str(link.weight.name) == weight]
    assert set(links) == between | {(link.source, link.target) for link in starts}
    assert len(starts) == weight.startswith("W")


@given(seed=st.integers(0, 2**32 - 1))
@examples(15)
def test_the_highlighted_path_is_among_all_paths_with_its_product(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, 4).tolist()
    model = Model(Network.mlp(sizes[0], sizes[1:3], sizes[3], activation="sigmoid"), "squared_error", seed=seed)
    work = model.explain(rng.normal(size=sizes[0]), rng.normal(size=sizes[3]))
    path = diagram_of(work, highlight="W[hidden_1,1,1]").path
    assert path is not None
    same = [other for other in work.paths("W[hidden_1,1,1]").paths if other.through == path.through]
    assert [other.product for other in same] == pytest.approx([path.product])
    assert [edge.factor for edge in path.edges] == pytest.approx([edge.factor for edge in same[0].edges])


def test_a_path_through_softmax_leads_from_unit_to_unit_of_its_layer() -> None:
    model = Model(Network.mlp(2, [2], 3, output="softmax"), "cross_entropy")
    model.set_parameters({"output": {"W": [[3.0, 0.0, 0.1], [0.0, 0.0, 0.1]]}, "hidden": {"b": [5.0, 5.0]}})
    diagram = diagram_of(model.explain([1.0, 2.0], 1), highlight="W[hidden,1,1]")
    ((first, second),) = diagram.hops
    assert [diagram.units[i].number for i in (first, second)] == [1, 2], "dL/dh_2 dh_2/dz_1 w"
    assert drawing(diagram).count('class="path" d=') == sum(link.on_path for link in diagram.links) + 1
    assert not diagram_of(mlp(2, [2], 2), highlight="W[hidden,1,1]").hops


def test_of_wide_layers_the_first_and_last_units_are_drawn_and_those_of_the_path() -> None:
    work = mlp(300, [300, 300], 1)
    diagram = diagram_of(work, highlight="W[hidden_2,150,222]")
    units = [key for key in keys(diagram) if key[0] == "hidden_2"]
    assert [number for _, number in units] == [1, 2, 3, 4, 5, 222, 299, 300]
    assert ("hidden_1", 150) in keys(diagram)
    assert sum(unit.folded for unit in diagram.units) + len(keys(diagram)) == 901
    assert "W[hidden_2,150,222]" in weights(diagram)
    assert len(weights(diagram)) == len(set(weights(diagram))) == 7 * 8 + 8 * 8 + 8
    assert all(link.label is None for link in diagram.links if str(getattr(link.weight, "name", "")).count("hidden"))


def test_a_unit_that_is_asked_for_is_drawn() -> None:
    diagram = diagram_of(mlp(2, [300], 1), unit=77)
    assert ("hidden", 77) in keys(diagram)


def test_of_deep_networks_the_middle_is_left_out() -> None:
    diagram = diagram_of(mlp(2, [2] * 40, 1), highlight="W[hidden_1,1,1]")
    assert diagram.folded is not None
    assert diagram.folded[1] == 42 - len(diagram.groups) == 33
    assert [group.title for group in diagram.groups][4:6] == ["hidden_4", "hidden_38"]


def test_of_several_rows_those_of_one_are_shown() -> None:
    model = Model(Network.mlp(2, [2], 1, activation="tanh"), "squared_error")
    work = model.explain([[1, 2], [3, 4], [9, -9]], [[1], [2], [9]])
    for row in (1, 2, 3):
        diagram = diagram_of(work, row=row, highlight="W[hidden,1,1]")
        assert diagram.row == row
        assert {b.name.row for u in diagram.units if u.group is not None for b in u.values} == {row}
        assert diagram.path is not None
        assert {edge.before.row for edge in diagram.path.edges[:-1]} == {row}
    heaviest = diagram_of(work, highlight="W[hidden,1,1]")
    each = [diagram_of(work, row=row, highlight="W[hidden,1,1]").path for row in (1, 2, 3)]
    assert heaviest.row == 1 + int(np.argmax([abs(path.product) for path in each if path is not None]))


def test_codes_scales_and_flat_pictures_are_drawn_too() -> None:
    x = Input((2, 2), name="picture")
    codes = Input(2, name="codes", dtype="integer")
    flat = Scale(name="scaled")(Flatten(name="flat")(x))
    joined = Concatenate(name="both")(flat, Embedding(5, 3, name="table")(codes))
    out = Activation("tanh", name="squashed")(BatchNorm(name="norm")(Dense(2, name="out")(Dropout(0.1)(joined))))
    model = Model(Network(inputs=[x, codes], outputs=out), "squared_error")
    work = model.explain({"picture": [[[1, 2], [3, 4]]], "codes": [[4, 1]]}, [[0.1, 0.2]])
    diagram = diagram_of(work, highlight="W[out,1,1]")
    assert [group.size for group in diagram.groups if group.is_input] == [4, 2]
    looked_up = [name for name in weights(diagram) if name.startswith("W[table")]
    assert sorted(looked_up) == sorted(f"W[table,{row},{j}]" for row in (5, 7) for j in (1, 2, 3))
    assert len(keys(diagram)) == len(set(keys(diagram)))


def test_without_a_target_there_are_values_and_no_loss() -> None:
    model = Model(Network.mlp(2, [2], 1), "squared_error")
    diagram = diagram_of(model.explain([1.0, 2.0]))
    assert not diagram.has_gradients
    assert not any(unit.is_loss for unit in diagram.units)
    bare = diagram_of(model.explain([1.0, 2.0]), values=False)
    assert bare.row is None
    assert not any(unit.values for unit in bare.units)
    with pytest.raises(InputError, match="no path to highlight"):
        diagram_of(model.explain([1.0, 2.0]), highlight="W[hidden,1,1]")


def test_what_is_no_name_is_said() -> None:
    with pytest.raises(InputError, match="hiden"):
        diagram_of(mlp(2, [2], 1), highlight="W[hiden,1,1]")
    for options, words in (
        ({"highlight": 3}, "highlight is a name"),
        ({"row": 2}, "there is no row 2"),
        ({"row": "first"}, "row is 'first'; it must be a whole number"),
        ({"unit": 7}, "there is no unit 7"),
    ):
        with pytest.raises(InputError, match=words):
            diagram_of(mlp(2, [2], 1), **options)


@examples(60)
@given(problem=general_problems("reference"), data=st.data())
def test_any_network_is_drawn_as_its_recipes_say(problem: Problem, data: st.DataObject) -> None:
    """Of every unit that is drawn, the lines that end there come from what its first value is computed from."""
    work = Derivation(traced(problem), model=problem.model)
    spans = problem.model.network.layout.spans
    highlight = None
    if spans and work.graph.is_trainable:
        span = data.draw(st.sampled_from(spans))
        index = [data.draw(st.integers(1, n)) for n in span.shape]
        highlight = f"{span.name}[{span.layer},{','.join(map(str, index))}]"
    diagram = diagram_of(work, highlight=highlight)
    ElementTree.fromstring(drawing(diagram))
    assert len(keys(diagram)) == len(set(keys(diagram)))
    shown = {unit.values[-1].name: i for i, unit in enumerate(diagram.units) if unit.group is not None and unit.values}
    for i, unit in enumerate(diagram.units):
        if unit.group is None or unit.is_dots:
            continue
        sources = [diagram.units[link.source].values[-1].name for link in diagram.links if link.target == i]
        assert len(sources) == len(set(sources)), "one line for each"
        recipe = next(iter(work.graph.recipes(unit.values[0].name)), None)
        read = {name for name in recipe.inputs if name in shown} if recipe is not None else set()
        codes = {name for name in sources if work.graph.is_code[work.graph.slots[name.kind, name.layer]]}
        assert set(sources) - codes == read
        for bound in unit.gradients:
            assert bound.value == work.graph.value(bound.name)
    for one, other in ((a.place, b.place) for k, a in enumerate(diagram.units) for b in diagram.units[:k]):
        assert np.hypot(one[0] - other[0], one[1] - other[1]) > 2 * diagram.radius
    if diagram.path is not None and diagram.path.edges:
        assert diagram.path.product == pytest.approx(np.prod([edge.factor for edge in diagram.path.edges]))
        names = [edge.before for edge in diagram.path.edges]
        found = work.paths(str(highlight)).paths
        if found:
            assert names in [[edge.before for edge in path.edges] for path in found]

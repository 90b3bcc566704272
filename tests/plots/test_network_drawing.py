"""The network drawn by matplotlib: every unit and link of the plain data once, its numbers, its path, all inside."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import drawn, texts

from chainrule import Dense, ImageModel, Input, InputError, MLPRegressor, Model, Network, TableModel, plots
from chainrule.explain.diagram.binding import diagram_of
from chainrule.explain.render.svg import short
from chainrule.plots.themes import get_theme

pytest.importorskip("matplotlib")


def small(**options) -> Model:
    return Model(Network.mlp(2, [3], 1, activation="tanh", **options), "squared_error", dtype="float64")


def test_every_unit_and_link_is_drawn_once_with_its_number():
    work = small().explain([0.5, -0.8], 1.0)
    picture = plots.network(work, highlight="W[hidden,2,3]")
    diagram, found = diagram_of(work, highlight="W[hidden,2,3]"), drawn(picture)
    assert sum(name.startswith("unit-") for name in found) == len(diagram.units) == 7
    assert sum(name.startswith("link-") for name in found) == len(diagram.links) == 10
    assert {int(name.removeprefix("path-")) for name in found if name.startswith("path-")} == {
        i for i, link in enumerate(diagram.links) if link.on_path
    }
    assert {int(name.removeprefix("halo-")) for name in found if name.startswith("halo-")} == {
        i for i, unit in enumerate(diagram.units) if unit.on_path
    }
    for i, unit in enumerate(diagram.units):
        assert found[f"value-{i}"].get_text() == short(unit.values[-1].value)
        assert found[f"unit-{i}"].center == unit.place
    for i, link in enumerate(diagram.links):
        if link.weight is not None:
            assert found[f"weight-{i}"].get_text() == short(link.weight.value)
            assert found[f"gradient-{i}"].get_text() == f"∂ {short(link.gradient.value)}"


def test_its_values_are_the_derivations():
    work = small().explain([0.5, -0.8], 1.0)
    values = plots.network(work, highlight="b[hidden,1]").values
    for kind in ("values", "weights", "gradients"):
        for name, value in values[kind].items():
            assert value == work[name].value
    assert {"W[hidden,2,3]", "b[hidden,1]"} <= set(values["weights"])
    assert {"dL/dW[hidden,2,3]", "dL/db[hidden,1]", "dL/dz[output,1]"} <= set(values["gradients"])
    assert values["path"][-1] == "h[output,1]" or values["path"][-1] == "z[output,1]"
    assert [layer["units"] for layer in values["layers"]] == [2, 3, 1]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_signs_are_told_by_colour_and_by_dashes(theme):
    model = small()
    model.set_parameters({"output": {"W": [[2.0], [-1.0], [0.5]]}})
    found = drawn(plots.network(model).in_theme(theme))
    links = dict(enumerate(diagram_of(model.explain([0, 0]), values=False).links))
    dashes = {}
    for i, link in links.items():
        line = found[f"link-{i}"]
        dashes.setdefault(link.weight.value < 0, set()).add(
            (line.get_linestyle() in ("-", "solid"), line.get_edgecolor())
        )
    assert {solid for solid, _ in dashes[False]} == {True}
    assert {solid for solid, _ in dashes[True]} == {False}
    assert not {color for _, color in dashes[False]} & {color for _, color in dashes[True]}
    by_weight = {link.weight.value: found[f"link-{i}"].get_linewidth() for i, link in links.items()}
    sizes = sorted(by_weight, key=abs)
    assert [by_weight[size] for size in sizes] == sorted(by_weight.values())
    assert get_theme(theme).paper == drawn_paper(model, theme)


def drawn_paper(model: Model, theme: str) -> str:
    from matplotlib.colors import to_hex

    return to_hex(plots.network(model).in_theme(theme).figure().get_facecolor())


def test_weights_alone_where_no_row_is_given():
    picture = plots.network(small())
    assert picture.values["values"] == picture.values["gradients"] == {}
    assert len(picture.values["weights"]) == 13
    assert "circles" not in picture.caption


@pytest.mark.parametrize(
    ("inputs", "hidden", "outputs"),
    [(1, [1], 1), (2, [2], 2), (4, [3, 2], 1), (10, [10, 10], 10), (300, [300, 300], 3), (3, [20] * 30, 2)],
)
def test_from_two_units_to_hundreds_everything_is_inside_and_big_enough(inputs, hidden, outputs):
    model = Model(Network.mlp(inputs, hidden, outputs, activation="tanh"), "squared_error")
    picture = plots.network(model, np.linspace(-1, 1, inputs), np.ones(outputs))
    figure = picture.figure()
    figure.draw_without_rendering()
    for text in figure.findobj(lambda artist: hasattr(artist, "get_fontsize") and artist.get_text().strip()):
        assert text.get_fontsize() >= 6, text.get_text()
        box = text.get_window_extent()
        assert box.x0 >= -1, text.get_text()
        assert box.x1 <= 801, text.get_text()
    assert figure.get_figwidth() == 8
    shown = texts(picture)
    if max(inputs, *hidden) > 8:
        assert any("more" in text for text in shown)


def test_headings_that_are_enlarged_to_be_read_are_shortened_to_their_room():
    model = Model(Network.mlp(3, [50] * 20, 1, activation="leaky_relu", dropout=0.1), "squared_error")
    picture = plots.network(model, [0.1, 0.2, 0.3], [1.0])
    figure = picture.figure()
    figure.draw_without_rendering()
    words = figure.findobj(lambda artist: str(artist.get_gid()).startswith(("layer-", "about-")))
    boxes = [word.get_window_extent() for word in words]
    assert len(boxes) > 15
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_models_of_every_kind_are_drawn():
    table = TableModel.train("iris", target="target", hidden=(4,), epochs=1, members=1, progress=False)
    weights = plots.network(table).values["weights"]
    assert any(name.startswith("W[output") for name in weights)
    row = plots.network(table.explain("iris", 17), highlight="W[output,1,1]")
    assert row.values["path"]
    X, y = np.eye(3), np.array([1.0, 2.0, 3.0])
    regressor = MLPRegressor(hidden_layer_sizes=(4,), max_iter=500, solver="lbfgs").fit(X, y)
    assert len(plots.network(regressor).values["weights"]) == 21
    assert plots.network(regressor, X[0], y[0]).values["gradients"]
    codes = Input(2, name="codes", dtype="integer")
    from chainrule import EmbeddingSum

    net = Network(inputs=codes, outputs=Dense(1)(EmbeddingSum((3, 4), 2, name="sum")(codes)))
    assert plots.network(Model(net, "squared_error")).values["layers"][0]["units"] == 2


def test_one_of_several_rows():
    work = small().explain([[1, 2], [3, 4]], [[1], [2]])
    assert "x[row 2; 1]" in plots.network(work, number=2).values["values"]
    with pytest.raises(InputError, match="rows count from 1 to 2"):
        plots.network(work, number=3)


def test_mistakes():
    model = small()
    for arguments, options, words in (
        ((3,), {}, "not of int"),
        ((model.explain([1, 2]), [1, 2]), {}, "has its rows already"),
        ((model, [1, 2]), {"highlight": "W[hidden,1,1]"}, "without a target"),
        ((model,), {"highlight": "W[hidden,1,1]"}, "without a target"),
        ((model, [1, 2], 1), {"highlight": "W[hiden,1,1]"}, 'Did you mean "hidden"'),
    ):
        with pytest.raises(InputError, match=words):
            plots.network(*arguments, **options)


@pytest.mark.slow
def test_titles_end_inside_the_picture():
    for sizes in ([10] * 9, [1000] * 9, [4] * 30):
        model = Model(Network.mlp(300, sizes, 1), "squared_error")
        figure = plots.network(model).figure()
        figure.draw_without_rendering()
        title = next(text for text in figure.texts if text.get_gid() == "title")
        assert title.get_window_extent().x1 <= 800
    table = TableModel.train("iris", target="target", hidden=(4,), bins=4, epochs=1, members=8, progress=False)
    mean = plots.network(table.network("mean"))
    assert mean.title.startswith("Network of ")
    assert mean.title.endswith("layers, 4 inputs first and 3 units last")


def test_of_a_model_of_pictures_its_network_is_drawn():
    pictures = np.arange(24).reshape(6, 2, 2)
    model = ImageModel.train(pictures, list("aabbcc"), test=0, hidden=(5,), epochs=1, progress=False)
    assert drawn(plots.network(model)).keys() == drawn(plots.network(model.model)).keys()

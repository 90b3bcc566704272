"""`chainrule plot`: pictures to files, and what can be wrong with that."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")


@pytest.mark.parametrize(("name", "begins"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")])
def test_the_form_is_that_of_the_name(run, name, begins):
    result = run("plot", "activations", "sigmoid", "relu", "--out", name)
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith(f"{name}: Activations beside their derivatives\n")
    assert Path(name).read_bytes().startswith(begins)


def test_themes_and_widths(run):
    assert run("plot", "activations", "relu", "-o", "a.svg", "--theme", "dark", "--width", 1000).status == 0
    text = Path("a.svg").read_text(encoding="utf-8")
    assert 'width="1000"' in text
    assert "#16181d" in text


def test_as_json(run):
    facts = run("plot", "activations", "sigmoid", "--json", "--reach", 2).json
    assert facts["picture"] == "activations.png"
    assert facts["values"]["sigmoid"]["z"][0] == -2
    assert max(facts["values"]["sigmoid"]["dh/dz"]) == pytest.approx(0.25)


def test_a_picture_of_ours_is_replaced_and_nothing_else(run):
    for _ in range(2):
        assert run("plot", "activations", "relu", "-o", "a.png").status == 0
    Path("photo.png").write_bytes(b"\x89PNG of somebody")
    said = run("plot", "activations", "relu", "-o", "photo.png").complaint
    assert "photo.png is there and isn't a picture of chainrule's: give --out another name" in said
    assert Path("photo.png").read_bytes() == b"\x89PNG of somebody"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("activations", "relux"), 'there is no activation "relux". Did you mean "relu"?'),
        (("activations", "relu", "--out", "a.gif"), "its name ends in .gif; it must be .png, .svg or .pdf"),
        (("activations", "relu", "--out", "nowhere/a.png"), "there is no folder nowhere"),
        (("activations", "relu", "--out", "."), "can't save a picture to .: its name has no ending"),
        (("activations", "relu", "--theme", "blue"), 'there is no theme "blue"'),
        (("activations", "relu", "--width", "20"), "a whole number of pixels from 200 to 8,000"),
        (("activations", "relu", "--reach", "-1"), "reach is -1.0; it must be a number in"),
        (("vanishing", "--depth", 10**9), "depth"),
        (("schedules", "--epochs", 10**9), "epochs"),
        (("descent", "--steps", 10**9), "steps"),
        (("activation",), "No such command 'activation'"),
    ],
)
def test_mistakes(run, arguments, words):
    assert words in run("plot", *arguments).complaint
    assert not list(Path().iterdir())


def test_without_matplotlib(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert 'pip install "chainrule[plots]"' in run("plot", "activations").complaint


def test_losses_of_a_model(run, model):
    facts = run("plot", "losses", model, "--json").json
    assert facts["picture"] == "losses.png"
    assert len(facts["values"]["network 1"]["loss"]) == len(facts["values"]["network 1"]["epoch"])


def test_regions_of_a_tables_model(run, model, penguins):
    columns = "bill_length_mm,body_mass_g"
    facts = run(
        "plot", "regions", model, "--table", penguins, "--columns", columns, "--cells", 8, "-o", "r.svg", "--json"
    ).json
    assert facts["title"] == "Regions of species over bill_length_mm and body_mass_g"
    assert facts["values"]["classes"] == ["Adelie", "Chinstrap", "Gentoo"]
    assert len(facts["values"]["region"]) == 8
    assert "Gentoo" in Path("r.svg").read_text(encoding="utf-8")


def test_levels_of_a_number(run, mass, penguins):
    result = run(
        "plot", "regions", mass, "--table", penguins, "--columns", "bill_length_mm,bill_depth_mm", "--cells", 8
    )
    assert result.out.startswith("regions.png: body_mass_g over bill_length_mm and bill_depth_mm\n")


def test_a_model_of_arrays(run):
    import chainrule as cr

    cr.Model(cr.Network.mlp(3, [2], 1, output="sigmoid"), "binary_cross_entropy").save("arrays.safetensors")
    said = run("plot", "regions", "arrays.safetensors").complaint
    assert "reads 3 inputs: choose two" in said
    cr.Model(cr.Network.mlp(2, [2], 1, output="sigmoid"), "binary_cross_entropy").save("arrays.safetensors")
    assert run("plot", "regions", "arrays.safetensors", "--reach", 2, "--cells", 5).status == 0
    facts = run("plot", "surfaces", "arrays.safetensors", "hidden", "z[output,1]", "--json").json
    assert list(facts["values"]) == ["x", "y", "h[hidden,1]", "h[hidden,2]", "z[output,1]"]
    assert 'no input "a"' in run("plot", "regions", "arrays.safetensors", "--columns", "a,b").complaint
    assert "--columns is a,b" in run("plot", "surfaces", "arrays.safetensors", "--columns", "a,b").complaint
    assert "hasn't been fitted" in run("plot", "losses", "arrays.safetensors").complaint


def test_a_model_of_arrays_with_a_table(run):
    import chainrule as cr

    rows = ["a,b,kind", *(f"{i % 7},{i % 5},{int(i % 7 > i % 5)}" for i in range(30))]
    Path("t.csv").write_text("\n".join(rows), encoding="utf-8")
    cr.Model(cr.Network.mlp(2, [2], 1, output="sigmoid"), "binary_cross_entropy").save("m.safetensors")
    regions = ("plot", "regions", "m.safetensors", "--cells", 5, "--json")
    facts = run(*regions, "--table", "t.csv", "--target", "kind").json
    assert facts["title"] == "Regions over a and b"
    assert "30 rows" in facts["caption"]
    assert run(*regions, "--table", "t.csv", "--target", "kind", "--columns", "b,a").json["title"].endswith("b and a")
    assert "the model takes 2" in run(*regions, "--table", "t.csv").complaint
    assert 'no column "sort"' in run(*regions, "--table", "t.csv", "--target", "sort").complaint


def test_surfaces_of_a_worksheet(run):
    sheet = Path(__file__).parents[2] / "examples" / "worksheets" / "sigmoid_surface_1.toml"
    assert run("plot", "surfaces", sheet).status == 0
    one_input = sheet.with_name("relu_of_five.toml")
    assert "reads one input; a plane takes two" in run("plot", "surfaces", one_input).complaint


def test_vanishing_and_depth(run):
    facts = run("plot", "vanishing", "sigmoid", "--depth", 3, "--units", 4, "--starts", 1, "--json").json
    assert facts["values"]["layer"] == [1, 2, 3, 4]
    assert run("plot", "depth", "-o", "depth.svg").out.startswith("depth.svg: Threshold units, layer by layer\n")


def test_models_of_tables_are_told_what_they_need(run, model, penguins):
    regions = ("plot", "regions", model)
    assert "was trained on a table: say with --table which rows to draw" in run(*regions).complaint
    assert "--reach is for models of arrays" in run(*regions, "--table", penguins, "--reach", 1).complaint
    assert "choose two of them" in run(*regions, "--table", penguins).complaint
    said = run(*regions, "--table", penguins, "--target", "island").complaint
    assert 'the model has no target "island". It has species' in said
    assert "surfaces are drawn of models of arrays" in run("plot", "surfaces", model).complaint
    assert not list(Path().glob("*.png"))


def test_schedules_and_descent(run):
    assert run("plot", "schedules", "cosine", "--epochs", 4, "-o", "s.svg").out.startswith("s.svg: Learning rates")
    facts = run("plot", "descent", "adam", "--steps", 5, "--batch-size", 8, "--json").json
    assert len(facts["values"]["adam"]) == 6
    assert "--batch-size is few" in run("plot", "descent", "--batch-size", "few").complaint

"""The layers Scale and OneHot in derivations, worksheets and marking: by their scalar forms, like any other layer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from explain.generated_sheets import Writer

from chainrule import SGD, AdamW, Concatenate, Dense, FileError, Input, InputError, Model, Network, OneHot, Scale
from chainrule.explain.derivation import Derivation
from chainrule.explain.worksheets.worksheet import read_worksheet

NETWORK = Network(
    [Input(2, name="x"), Scale(name="s"), Dense(2, activation="sigmoid", name="h"), Scale(rate_factor=0.5, name="t"),
     Dense(1, name="o")]
)  # fmt: skip


def scaled(rows: int = 1, optimizer: object = SGD(0.1)) -> Derivation:  # frozen
    rng = np.random.default_rng(3)
    model = Model(NETWORK, "half_squared_error", optimizer, dtype="float64")
    for span in NETWORK.layout.spans:
        model.training.parameters[0, span.slice] = (rng.integers(1, 10, span.shape) / 10).reshape(-1)
    return model.explain(rng.integers(1, 20, (rows, 2)) / 10, np.ones(rows))


def test_a_factor_is_derived_and_learns_at_its_own_rate() -> None:
    work = scaled()
    s, x = work["scale[s,1]"].value, work["x[1]"].value
    assert work["h[s,1]"].value == s * x
    assert work["dL/dscale[s,1]"].value == pytest.approx(work["dL/dh[s,1]"].value * x, rel=1e-15)
    assert work["dL/dx[1]"].value == pytest.approx(work["dL/dh[s,1]"].value * s, rel=1e-15)
    assert str(work["h[s,2]"]).startswith("h[s,2] = scale[s,2]*x[2] = ")
    assert str(work["dL/dscale[s,2]"]).startswith("dL/dscale[s,2] = dL/dh[s,2]*dh/dscale[s,2] = ")
    assert "= scale[s,1] - 0.1*dL/dscale[s,1] = " in str(work["scale+[s,1]"])
    assert "= scale[t,1] - 0.05*dL/dscale[t,1] = " in str(work["scale+[t,1]"])


def test_weight_decay_of_its_own() -> None:
    """AdamW draws what decays towards 0; of two equal steps that without decay ends higher."""
    layers = [Input(1), Scale(decay_factor=0.0, name="s"), Scale(name="t")]
    model = Model(Network(layers), "half_squared_error", AdamW(0.1, weight_decay=0.5), dtype="float64")
    work = model.explain([1.0], [0.0])
    assert work["scale+[s,1]"].value == pytest.approx(0.9, rel=1e-6)
    assert work["scale+[t,1]"].value == pytest.approx(0.95 - 0.1, rel=1e-6)


@pytest.mark.parametrize("rows", [1, 3])
def test_every_form_has_it(rows: int) -> None:
    work = scaled(rows)
    assert "h s = [" in work.to_text()
    assert "dL/dscale s = [" in work.to_text()
    assert "scale" in work.to_latex()
    assert "scale" in work.to_html()
    names = {entry["name"] for entry in json.loads(work.to_json())["quantities"]}
    assert {"dL/dscale[s,1]", "scale+[s,1]"} <= names


@pytest.mark.parametrize("rows", [1, 2])
def test_a_right_calculation_is_marked_right(rows: int) -> None:
    work = scaled(rows)
    entries = Writer(np.random.default_rng(0), work, digits=4, carries=True).write()
    assert any("scale" in name for name in entries)
    marks = work.mark(entries)
    assert marks.counts["correct"] == len(entries), str(marks)


def test_a_forgotten_factor_is_marked_wrong_and_what_follows_from_it() -> None:
    work = scaled()
    wrong = work["dL/dh[s,2]"].value  # times x was left out
    marks = work.mark(
        {"dL/dscale[s,2]": f"{wrong:.4g}", "scale+[s,2]": f"{work['scale[s,2]'].value - 0.1 * wrong:.4g}"}
    )
    assert (marks["dL/dscale[s,2]"].verdict, marks["scale+[s,2]"].verdict) == ("wrong", "follows")


SHEET = """
format = "chainrule-worksheet/1"
[network]
inputs = 2
layers = [
  { name = "s", type = "scale" },
  { name = "out", units = 1 },
]
loss = "half_squared_error"
[parameters]
s.scale = [2, 0.5]
out.W = [[1], [3]]
out.b = 0
[sample]
x = [1, 4]
y = [6]
[update]
optimizer = "sgd"
learning_rate = 0.1
[work]
"h[s,1]" = "2"
"z[out,1]" = "8"
"dL/dscale[s,2]" = "24"
"scale+[s,2]" = "-1.9"
"""


def test_a_worksheet_with_factors(tmp_path: Path) -> None:
    """z = 2 1 1 + 0.5 4 3 = 8, L = 2; dL/dscale_2 = 2 * 3 * 4 = 24."""
    path = tmp_path / "sheet.toml"
    path.write_text(SHEET, encoding="utf-8")
    marks = read_worksheet(path).mark()
    assert marks.counts["correct"] == 4, str(marks)
    path.write_text(SHEET.replace('type = "scale"', 'type = "scale", units = 2'), encoding="utf-8")
    with pytest.raises(FileError, match=r'line 6: layer 1 has no "units".* It has name, type'):
        read_worksheet(path)
    path.write_text(SHEET.replace('type = "scale"', 'type = "skale"'), encoding="utf-8")
    with pytest.raises(FileError, match='type is \'skale\'; it must be "dense" or "scale"'):
        read_worksheet(path)


def coded() -> Derivation:
    x, code = Input(1, name="x"), Input(1, dtype="integer", name="code")
    both = Concatenate(name="both")(x, OneHot(3, name="hot")(code))
    network = Network(inputs=[x, code], outputs=Dense(1, name="o")(both))
    model = Model(network, "half_squared_error", SGD(0.1), dtype="float64")
    model.set_parameters({"o": {"W": [[2.0], [10.0], [20.0], [30.0]], "b": [0.0]}})
    return model.explain({"x": [[0.5]], "code": [[2]]}, [[0.0]])


def test_codes_are_given_and_looked_up() -> None:
    work = coded()
    assert work["x[code,1]"].value == 2
    assert [work[f"h[hot,{j}]"].value for j in (1, 2, 3)] == [0, 0, 1]
    assert work["z[o,1]"].value == 31
    assert work["dL/dW[o,4,1]"].value == 31
    for text in (work.to_text(), work.to_latex(), work.to_html(), work.to_markdown(), work.to_json()):
        assert "hot" in text


def test_there_is_no_gradient_by_a_code() -> None:
    work = coded()
    assert "dL/dx[x,1]" in work.to_text()
    assert "dL/dx[code" not in work.to_text()
    with pytest.raises(
        InputError, match=r'"dL/dx\[code,1\]": "code" holds integer codes; there is no gradient by them'
    ):
        work["dL/dx[code,1]"]
    entries = Writer(np.random.default_rng(0), work, digits=4, carries=True).write()
    assert work.mark(entries).counts["correct"] == len(entries)

"""LaTeX that compiles: worksheets, paths, generated networks, any title and symbol, and nothing wider than the page.

Compiled where `pdflatex` is installed; several documents at once, since starting it takes longest.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from explain.generated_sheets import random_derivation
from generated import examples
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from chainrule import Model, Network
from chainrule.explain.derivation import Derivation
from chainrule.explain.quantities.notation import STYLES, Notation
from chainrule.explain.render.latex import latex_letter, latex_text
from chainrule.explain.worksheets.worksheet import read_worksheet

SHEETS = sorted((Path(__file__).parents[3] / "examples" / "worksheets").glob("*.toml"))
needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
WIDE = re.compile(r"Overfull \\hbox \(([\d.]+)pt too wide\)")


def joined(documents: list[str]) -> str:
    """Several documents as one: the preamble of the first, a page for each body."""
    preamble, _, _ = documents[0].partition("\\begin{document}")
    bodies = [text.partition("\\begin{document}")[2].rpartition("\\end{document}")[0] for text in documents]
    return f"{preamble}\\begin{{document}}\n" + "\n\\clearpage\n".join(bodies) + "\n\\end{document}\n"


def compile_latex(text: str, folder: Path, *, fits: bool = True) -> None:
    (folder / "sheet.tex").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "sheet.tex"],
        cwd=folder, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert "Missing character" not in done.stdout
    assert not fits or [float(points) for points in WIDE.findall(done.stdout) if float(points) > 1] == []


@needs_latex
def test_every_worksheet_compiles(tmp_path: Path) -> None:
    compile_latex(joined([read_worksheet(path).derivation().to_latex() for path in SHEETS]), tmp_path)


@needs_latex
def test_every_notation_and_choice_compiles(tmp_path: Path) -> None:
    sheet = read_worksheet(SHEETS[0].parent / "four_three_two_one.toml")
    choices: list[dict] = [{"weight": "W[hidden_1,1,1]"}, {"layer": "hidden_2", "unit": 1}]
    compile_latex(
        joined([sheet.derivation(style).to_latex(**choice) for style in STYLES for choice in choices]), tmp_path
    )


def large() -> list[str]:
    model = Model(Network.mlp(20, [30, 20], 12, output="softmax"), "cross_entropy", "adam", l1=0.01, l2=0.01)
    work = model.explain([0.1] * 20, 2)
    wide = Model(Network.mlp(25, [], 2), "squared_error").explain(np.linspace(-1, 1, 25), [0.0, 1.0])
    return [
        work.to_latex(), work.to_latex(layer="output", unit=1), work.to_latex(weight="W[hidden_2,1,1]"),
        wide.to_latex(),
    ]  # fmt: skip


@needs_latex
def test_large_networks_compile(tmp_path: Path) -> None:
    compile_latex(joined(large()), tmp_path)


@needs_latex
def test_generated_networks_compile(tmp_path: Path, rng: np.random.Generator) -> None:
    compile_latex(joined([random_derivation(rng).to_latex() for _ in range(12)]), tmp_path)


@needs_latex
@pytest.mark.slow
def test_many_generated_networks_compile(tmp_path: Path, rng: np.random.Generator) -> None:
    for i in range(10):
        folder = tmp_path / str(i)
        folder.mkdir()
        compile_latex(joined([random_derivation(rng).to_latex() for _ in range(30)]), folder)


def titled(title: str, symbols: list[str]) -> str:
    work: Derivation = Model(Network.mlp(2, [2], 1), "squared_error").explain([1.0, 2.0], 1.0)
    names = [quantity.name for quantity in work]
    work.notation = Notation("ours", work.notation.places, dict(zip(names, symbols, strict=False)))
    work.title = title
    return work.to_latex(layer="hidden")


@pytest.mark.slow
@needs_latex
@examples(8, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_title_and_any_symbols_compile(data: st.DataObject, tmp_path: Path) -> None:
    texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
    documents = [titled(data.draw(texts), data.draw(st.lists(texts, max_size=5))) for _ in range(6)]
    compile_latex(joined(documents), tmp_path, fits=False)


@needs_latex
def test_a_single_letter_or_sign_above_or_below_compiles(tmp_path: Path) -> None:
    symbols = ["nc_Ġ", "a^ķ", "x_%", "y_#", "z^&", "u_²", "v_٣", "w_θ", "p_~", "q^$"]
    compile_latex(titled("Ġ", symbols), tmp_path, fits=False)


@needs_latex
def test_every_letter_of_a_latin_or_greek_alphabet_compiles(tmp_path: Path) -> None:
    letters = [chr(c) for c in (*range(0x20, 0x7F), *range(0xA0, 0x250), *range(0x370, 0x400), *range(0x2000, 0x2300))]
    documents = [titled(" ".join(letters), [letter for letter in letters if letter.isalpha()][::7])]
    text = "\n\n".join(f"${latex_letter(c)}$ {latex_text(c)}" for c in letters if c.isalpha())
    compile_latex(documents[0].replace("\\end{document}", f"{text}\n\\end{{document}}"), tmp_path, fits=False)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("W_1 & 3%", r"W\_1 \& 3\%"),
        ("θ and Λ", r"\ensuremath{\theta} and \ensuremath{\Lambda}"),
        ("Größe", "Größe"),
        ("h⁺ ½", "h+ 1/2"),
        ("日", "[U+65E5]"),
        ("y\u0302", r"\ensuremath{\hat{y}}"),
        ("a\tb", "a b"),
    ],
)
def test_text(text: str, latex: str) -> None:
    assert latex_text(text) == latex


@pytest.mark.parametrize(
    ("letter", "latex"), [("W", "W"), ("ŷ", r"\hat{y}"), ("λ", r"\lambda"), ("\u039f", "O"), ("ß", r"\text{ß}")]
)
def test_letters(letter: str, latex: str) -> None:
    assert latex_letter(letter) == latex

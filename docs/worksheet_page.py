"""The page docs/reference/worksheet.md: the format of worksheets and the rules of marking, tables from the code."""

from __future__ import annotations

from collections.abc import Iterable

from explanations import marks_text

from chainrule.explain.marking.diagnosis import CATALOGUE
from chainrule.explain.network.graph import KINDS
from chainrule.explain.quantities.names import COUNTS, Name
from chainrule.explain.quantities.notation import STYLES
from chainrule.explain.worksheets.worksheet import FORMAT, read_worksheet_text

NOTE = "<!-- Written by docs/worksheet_page.py from the code. Change it there. -->"

SHEET = f"""\
format = "{FORMAT}"
title = "One hidden layer"          # title, source and notation may be left out
source = "a lesson"
notation = "ours"

[network]
inputs = 2                          # or their names, which are symbols then: ["area", "rooms"]
layers = [                          # in order; a layer's name stands in the names of its quantities
  {{ name = "hidden", units = 2, activation = "sigmoid" }},
  {{ name = "output", units = 1, activation = "sigmoid" }},    # bias = false leaves the biases out
]
loss = "binary_cross_entropy"       # or a table: {{ name = "squared_error", l2 = 0.01 }}
reduction = "mean"                  # of several rows; or "sum"

[parameters]                        # W has a row for each input and a column for each unit
hidden.W = [[0.2, 0.4], [0.3, 0.7]]
hidden.b = [0.1, 0.2]
output.W = [[0.5], [0.6]]
output.b = 0.3                      # one number stands for all

[sample]                            # one row, or a list of rows; without y only the forward pass exists
x = [0.5, 0.8]
y = [1]

[update]                            # left out: no parameter is updated
optimizer = "sgd"
learning_rate = 0.1
biases = true                       # false: biases stay as they are

[symbols]                           # your symbols, and what they mean
"Z1" = "z[hidden,1]"
"O" = "h[output,1]"
"dL/dO" = "dL/dh[output,1]"

[work]                              # what was written, as text: its digits say how exactly it is meant
"Z1" = "0.44"
"z[hidden,2]" = "0.96"
"O" = "0.738"
"L" = "0.303"
"dL/dO" = "-0.262"
"dL/dz[output,1]" = "-0.051"
"""


def worksheet_page() -> str:
    sheet = read_worksheet_text(SHEET)
    return "\n\n".join([
        NOTE,
        "# Worksheets",
        "A worksheet is a TOML file: a small network, a sample, and, if you like, somebody's calculation to be marked. "
        "Rows, units and inputs count from 1, as on paper. There are many in "
        "[examples/worksheets](../../examples/worksheets); [the worked examples](../explanation/worked-examples.md) lists them.",
        f"```toml\n{SHEET}```",
        "Layers take every [activation](formulas.md), `loss` every loss, `optimizer` every optimizer but L-BFGS, with its own "
        "fields beside it; `momentum`, `nesterov` and `gradient_descent` are other names for `sgd`. "
        '`{ name = "s", type = "scale" }` is a layer with a factor for each unit, its parameters `s.scale`. '
        "What can't be read is said "
        "with its line, and the command's exit status is 2.",
        "## Quantities",
        "`chainrule explain` shows every one, `[symbols]` gives them your own names, and `[work]` takes either. With several "
        "rows a row's own value says which, row first: `z[row 2; hidden,1]`.",
        _table(["name", "what it is", ""], _quantities()),
        "`∂` may be written for `d`, and `⁺` for `+`. Of a softmax `dh/dz` takes two indices, output before pre-activation, since "
        "its units depend on each other. A row's loss is the sum of its outputs' `loss[j]`: with one output `loss` is enough, and "
        "of `cross_entropy` only the row's own class has a share that isn't 0. "
        "The last three are counts: a derivation doesn't list them, but you can ask for them, and marking knows them.",
        "## Notations",
        "`notation` in the sheet, or `--notation`, writes everything that has no symbol of its own in the manner of a text:",
        _table(["notation", "pre-activation", "activation", "weight", "gradient"], _notations()),
        "## Marking",
        "Every entry is held against the exact value, and against the value recomputed from the writer's own entries; what "
        "wasn't written is recomputed from what was. Where there are several standard ways to a quantity (`dL/dz` by the chain "
        "rule, or as `h - y`), agreeing with one is enough.",
        "How near is near enough is read off the digits: half a unit of the last one, and whatever the rounding of the entries "
        "it was computed from can do to it, carried through by intervals. There is no fixed tolerance: 0.7 and 0.7000 are not "
        "the same answer. A last digit that was cut off instead of rounded is accepted, and noted.",
        "A number may be written `0.608`, `-0,262`, `2.6e-3`, `2.6 x 10^-3` or `2.6·10⁻³`; a fraction such as `1/3` is exact. "
        "Spaces may part groups of three digits. What could be read in two ways, `1 1/2`, is refused.",
        _table(
            ["verdict", "meaning"],
            [
                ["`correct`", "agrees with the exact value; or with the writer's own (`rounding carried`), or `truncated`"],
                ["`follows`", "computed rightly from an entry that is wrong: the method is right"],
                ["`wrong`", "agrees with neither: here a mistake was made, and the diagnosis says which"],
                ["`unknown`", "this name means nothing here; the note says why"],
            ],
        ),
        "Nothing `follows` from a wrong zero that wipes out all that comes after it.",
        "The sheet above, marked:",
        f"```text\n{marks_text(sheet.mark())}\n```",
        "`--json` prints the same as data; the exit status is 0 where nothing is wrong, 1 where something is. "
        "`chainrule mark SHEET --work class.csv` marks a whole class: a student a row and a symbol a column, or the columns "
        "student, symbol, value. Commas, semicolons (as where decimals have commas) or tabs part the cells; an empty one was "
        "left out.",
        "## Diagnoses",
        "A wrong entry is recomputed with one mistake made, by each of these that its kind of quantity knows; those that give "
        "the number written are named, in this order. Where no mistake in the entry itself explains it, mistakes in what was "
        "not written down are tried; with few digits written, that is a guess.",
        _table(["code", "what it says"], _codes()),
    ]) + "\n"  # fmt: skip


def _quantities() -> Iterable[list[str]]:
    for name, kind in KINDS.items():
        if name in ("dloss/dh", "back"):  # only where a network branches, which no worksheet does
            continue
        letters = {0: [], 1: ["i" if name in ("x", "dL/dx") else "j"], 2: ["i", "j"]}
        inside = (["layer"] if kind.layer else []) + letters[kind.indices[0] or kind.indices[-1]]
        shown = f"{name}[{','.join(inside)}]" if inside else name
        if name in COUNTS:
            shown = f"{name}`, `{name}[layer]"
        yield [f"`{shown}`", kind.meaning, "given" if kind.given else "one for each row" if kind.per_row else ""]


def _notations() -> Iterable[list[str]]:
    sheet = read_worksheet_text(SHEET)
    names = (
        Name("z", "hidden", (1,)), Name("h", "hidden", (1,)), Name("W", "hidden", (2, 1)), Name("dL/dz", "hidden", (1,)),
    )  # fmt: skip
    for style in STYLES:
        notation = sheet.derivation(style).notation
        yield [f"`{style}`", *(f"`{notation.text(name)}`" for name in names)]


def _codes() -> Iterable[list[str]]:
    for code, mistake in CATALOGUE.items():
        yield [f"`{code}`", mistake.text]
    yield ["`arithmetic`", "none of the above: it says by how much the entry is off"]


def _table(header: list[str], rows: Iterable[list[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, ["---"] * len(header), *rows])

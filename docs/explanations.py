"""The pages of docs/explanation: what the numbers of the worksheets show, every number computed here by chainrule."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import Model, Network, plots
from chainrule.activations import ReLU, Softmax, sigmoid
from chainrule.explain.derivation import Derivation
from chainrule.explain.marking.marks import Marks
from chainrule.explain.quantities.recipes import Products
from chainrule.explain.worksheets.worksheet import Worksheet, read_worksheet

SHEETS = Path(__file__).parent.parent / "examples" / "worksheets"
NOTE = "<!-- Written by docs/explanations.py: every number comes out of the code. Change it there. -->"
LINK = "../../examples/worksheets"


def explanations() -> dict[str, str | plots.Picture]:
    """Every page and picture, by file name."""
    return {
        "worked-examples.md": worked_examples(),
        "slips.md": slips(),
        "softmax.md": softmax(), "softmax.svg": softmax_picture(),
        "log-odds.md": log_odds(), "log-odds.svg": log_odds_picture(),
        "memoization.md": memoization(), "memoization.svg": memoization_picture(),
        "sigmoid-surfaces.md": sigmoid_surfaces(),
        "sigmoid-surface-1.svg": surface_picture(1), "sigmoid-surface-2.svg": surface_picture(2),
    }  # fmt: skip


def _sheet(name: str) -> Worksheet:
    return read_worksheet(SHEETS / f"{name}.toml")


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([NOTE, f"# {title}", *parts]) + "\n"


def _table(header: list[str], rows: list[list[str]], right: tuple[int, ...] = ()) -> str:
    rule = ["---:" if i in right else "---" for i in range(len(header))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *rows])


def _code(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"


def _link(name: str) -> str:
    return f"[{name}.toml]({LINK}/{name}.toml)"


def _n(value: float, digits: int = 6) -> str:
    return f"{value:.{digits}g}"


def marks_text(marks: Marks, symbols: tuple[str, ...] = ()) -> str:
    """The marks as they print; only some symbols where they are named."""
    entries = tuple(entry for entry in marks.entries if not symbols or entry.symbol in symbols)
    return str(Marks(marks.title, entries, marks.first_wrong))


# ---------------------------------------------------------------- the worksheets


def worked_examples() -> str:
    rows = []
    for path in sorted(SHEETS.glob("*.toml")):
        sheet = read_worksheet(path)
        counts = sheet.mark().counts
        first = sheet.mark().first_wrong
        rows.append([
            f"[{path.stem}]({LINK}/{path.name})", sheet.title, sheet.source.partition(":")[0],
            *(str(counts[verdict]) if sheet.work else "" for verdict in ("correct", "follows", "wrong")),
            f"`{first}`" if first else "",
        ])  # fmt: skip
    return _page(
        "The worked examples",
        "Numbers that lecture notes work out by hand, as worksheets, each with the numbers as they are written there. "
        "`chainrule explain SHEET` derives every one of them, `chainrule mark SHEET` says whether they are right. Where the "
        "notes give a network and no numbers the sheet has round ones, and says so.",
        _table(["sheet", "", "from", "correct", "follow", "wrong", "first wrong step"], rows, (3, 4, 5)),
        "What is wrong in them: [the slips that marking found](slips.md).",
    )


# --------------------------------------------------------------------- the slips


def slips() -> str:
    step = _sheet("two_sigmoid_units")
    exact = step.derivation()
    after_slip = ("O", "dL/dO", "dO/dZ0", "dL/dZ0", "dL/dw1", "dL/dH1", "dL/dZ1", "dL/dw11", "w1+")
    mean = _sheet("mean_squared_loss").derivation()
    differences = [mean[f"h[row {r}; f,1]"].value - mean[f"y[row {r}; 1]"].value for r in range(1, 6)]
    inside, outside = sum(d * d for d in differences) / 5, (sum(differences) / 5) ** 2
    assert math.isclose(inside, mean["L"].value)
    five, many = (float(v) for v in sigmoid(np.array([5.0, 5000.0])))
    return _page(
        "The slips that marking found",
        "Lecture notes are written by people. Marked like anybody's work, these contain slips of six kinds; everything that was "
        "computed from a wrong number by the right method is accepted (`follows`), so that each is found once, where it was "
        "made.",
        "## A derivative by z, written for one by h",
        f"One whole step of gradient descent ({_link('two_sigmoid_units')}). Its dL/dO is {step.work['dL/dO']}: "
        f"that is already dL/dZ0 = {_n(exact['dL/dz[output,1]'].value)}. With dL/dO = {_n(exact['dL/dh[output,1]'].value)} "
        f"the second factor dO/dZ0 is still to come; written too early, it enters twice, and all later gradients are "
        f"{_n(exact['dL/dz[output,1]'].value / float(step.work['dL/dZ0']), 2)} times too small. Their method is right.",
        _code(marks_text(step.mark(), after_slip)),
        "## A sum that doesn't add up",
        f"Cross-entropy of three classes ({_link('three_classes')}): the third pre-activation. ŷ and L follow from it.",
        _code(marks_text(_sheet("three_classes").mark(), ("a21", "a22", "a23", "ŷ1", "ŷ2", "ŷ3", "L"))),
        "In the binary example beside it ŷ = 0.7152 is no slip: it is right for a2 = 0.921, which was rounded before it was "
        "used.",
        _code(marks_text(_sheet("binary_cross_entropy").mark(), ("a2", "ŷ", "L"))),
        "## 32 weights, or 40",
        f"A weight calculator for 5-4-3-2-1 ({_link('weight_calculator')}).",
        _code(marks_text(_sheet("weight_calculator").mark())),
        "## Sigmoids of large numbers",
        f"The sigmoid of 5 is {_n(five)}, and that of 5000 is {_n(many)} to every digit of a double: a sigmoid saturates at 1. "
        f"0.01 is what the sigmoid of -5 rounds to ({_n(float(sigmoid(np.array(-5.0))))}). ReLU, beside it in the notes, "
        f"is right: {_n(float(ReLU().value(np.array(5.0))))} and {_n(float(ReLU().value(np.array(-5.0))))}.",
        _code(marks_text(_sheet("sigmoid_of_five").mark())),
        "## A difference that kept its sign",
        f"The error of a prediction of 140 where 100 is right ({_link('errors_of_predictions')}). The difference y - ŷ is -40; "
        "a loss is never negative, and for 100.00009 the notes write it without the sign too.",
        _code(marks_text(_sheet("errors_of_predictions").mark())),
        "## The square outside the sum",
        "The mean squared loss is (1/5) Σ (f(x_i) - y_i)², and its derivative is taken term by term. In one line the square "
        "stands outside, [(1/5) Σ (f(x_i) - y_i)]². There errors of different signs cancel: for the five rows of "
        f"{_link('mean_squared_loss')} that gives {_n(outside)} in place of {_n(inside)}.",
        _table(
            ["row", "f(x) - y", "(f(x) - y)²"],
            [
                *([str(r), _n(d), _n(d * d)] for r, d in enumerate(differences, 1)),
                ["mean", _n(sum(differences) / 5), _n(inside)],
                ["square of the mean", _n(outside), ""],
            ],
            (1, 2),
        ),
    )


# ----------------------------------------------------------------------- softmax

EXAMPLES = ((3.0, 4.0, 10.0, 3.0), (7.0, -2.0, 4.0, 1.0))


def _shares(a: tuple[float, ...]) -> list[float]:
    return [value / sum(a) for value in a]


def _softmax(a: tuple[float, ...] | list[float]) -> list[float]:
    return [float(h) for h in Softmax().value(np.array([a]))[0]]


def softmax() -> str:
    def example(a: tuple[float, ...]) -> str:
        rows = [
            [f"{i}", _n(value), f"{share:.2f}", f"{h:.6f}"]
            for i, (value, share, h) in enumerate(zip(a, _shares(a), _softmax(a), strict=True), 1)
        ]
        rows.append(["sum", _n(sum(a)), f"{sum(_shares(a)):.2f}", f"{sum(_softmax(a)):.6f}"])
        return _table(["unit", "z", "z / sum of z", "softmax"], rows, (1, 2, 3))

    shifted = [value + 1000 for value in EXAMPLES[1]]
    assert _softmax(shifted) == _softmax(EXAMPLES[1])
    naive = float(np.exp(np.float64(700.0)))
    return _page(
        "Why softmax, and not plain normalization",
        "A classifier's last layer gives one number for each class, and they shall become probabilities: none negative, "
        "together 1. Why not divide each by their sum?",
        "![The shares and the softmax of both examples](softmax.svg)",
        f"For (3, 4, 10, 3) that looks fine ({_link('plain_normalization_1')}):",
        example(EXAMPLES[0]),
        f"For (7, -2, 4, 1) it doesn't ({_link('plain_normalization_2')}): the second class would have a probability of "
        f"{_shares(EXAMPLES[1])[1]:.2f}.",
        example(EXAMPLES[1]),
        "Pre-activations may be negative, and their sum may be zero. Softmax takes `exp` first:",
        f"    {Softmax.formula}",
        "- Every share is positive, and they sum to 1, whatever goes in.",
        "- The order stays: the largest z has the largest share.",
        "- Only differences count. Adding 1000 to every z changes nothing, and that is also how it is computed: the largest z "
        f"is taken off first, since exp(700) is already {_n(naive, 2)} and exp(710) is more than a double can hold.",
        "- With cross-entropy its gradient is as simple as can be, `dL/dz = h - y`.",
        "Who divides without `exp` is told so:",
        _code(marks_text(_sheet("plain_normalization_2").mark())),
    )


def softmax_picture() -> plots.Picture:
    panels = {
        f"z = ({', '.join(_n(v) for v in a)})": {"z / sum of z": _shares(a), "softmax": _softmax(a)} for a in EXAMPLES
    }
    return plots.bars(
        panels,
        title="Shares of plain normalization and of softmax",
        labels=[f"unit {i}" for i in range(1, 5)],
        caption="A share below 0 is no probability. The largest z has the largest share in both.",
    )


# ---------------------------------------------------------------------- log-odds


def _naive_log_odds(x: float) -> str:
    """log(y / (1 - y)) as somebody types it, in doubles."""
    try:
        y = math.exp(x) / (math.exp(x) + 1)
        return _n(math.log(y / (1 - y)), 10)
    except OverflowError:
        return "overflow in exp"
    except ZeroDivisionError:
        return "division by zero"
    except ValueError:
        return "logarithm of 0"


def log_odds() -> str:
    rows = []
    for x in (-1000.0, -700.0, -40.0, -5.0, 0.0, 5.0, 20.0, 36.0, 40.0, 710.0):
        y, other = float(sigmoid(np.array(x))), float(sigmoid(np.array(-x)))
        ours = _n(math.log(y) - math.log(other), 10) if min(y, other) > 0 else "below the least double"
        rows.append([_n(x), _n(y, 4), _n(other, 4), _naive_log_odds(x), ours])
    losses = []
    for z, target in ((1000.0, 1.0), (1000.0, 0.0), (-1000.0, 1.0), (0.0, 1.0)):
        work = _one_logit(z, target)
        losses.append([
            _n(z), _n(target), _n(work["h[output,1]"].value), _n(work["L"].value), _n(work["dL/dz[output,1]"].value)
        ])  # fmt: skip
    return _page(
        "Log-odds: the sigmoid, and back again",
        "The sigmoid's inverse, step by step:",
        "    y = 1 / (1 + e^-x) = e^x / (e^x + 1)\n    y (e^x + 1) = e^x\n    y = e^x (1 - y)\n"
        "    y / (1 - y) = e^x\n    log(y / (1 - y)) = x",
        "So what goes into a sigmoid is the logarithm of the odds y / (1 - y), and at y = 0 and y = 1 it is -∞ and ∞.",
        "![The sigmoid and the log-odds](log-odds.svg)",
        "## Stable at both ends",
        f"In doubles `1 - y` is where it breaks: from x = {_first_full()} on y is 1 to every digit, and nothing is left of 1 - y. It needn't "
        "be computed as a difference: 1 - sigmoid(x) = sigmoid(-x), which loses no digits.",
        _table(["x", "y = sigmoid(x)", "1 - y = sigmoid(-x)", "log(y / (1 - y)), as typed", "log y - log sigmoid(-x)"], rows,
               (0, 1, 2, 3, 4)),
        "## Losses never need y",
        "For the same reason binary cross-entropy of a sigmoid is computed from the pre-activation, so that a loss and its "
        "gradient are finite and right where h is exactly 0 or 1:",
        _table(["z", "target", "h", "L", "dL/dz = h - y"], losses, (0, 1, 2, 3, 4)),
    )  # fmt: skip


def _first_full() -> int:
    """The first whole x whose sigmoid is 1 in doubles."""
    return next(x for x in range(1000) if float(sigmoid(np.array(float(x)))) == 1)


def _one_logit(z: float, target: float) -> Derivation:
    model = Model(Network.mlp(1, [], 1, output="sigmoid"), "binary_cross_entropy", "sgd", dtype="float64")
    model.set_parameters({"output": {"W": [[1.0]], "b": [0.0]}})
    return model.explain([z], target)


def log_odds_picture() -> plots.Picture:
    x = np.linspace(-6, 6, 121)
    y = sigmoid(x)

    def draw(figure: Any, theme: Any) -> None:
        left, right = figure.subplots(1, 2)
        for axes, xs, ys, names in ((left, x, y, ("x", "y")), (right, y, x, ("y", "x"))):
            axes.plot(xs, ys, **theme.series(0), gid=names[1])
            axes.set(xlabel=names[0], ylabel=names[1])
        left.set_title("y = sigmoid(x)", loc="left")
        right.set_title("x = log(y / (1 - y))", loc="left")

    return plots.Picture(
        draw,
        title="The sigmoid and its inverse",
        caption="The same points, read from x to y and from y to x: the log-odds go to minus and plus infinity at the ends.",
        values={"x": x, "y": y},
        height=2.9,
    )


# ------------------------------------------------------------------- memoization

DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24)


def _deep(depth: int) -> Derivation:
    net = Network.mlp(2, [2] * depth, 1, activation="sigmoid", output="sigmoid", bias=False)
    return Model(net, "half_squared_error", "sgd", dtype="float64", seed=0).explain([0.5, 0.8], 1.0)


def _first(depth: int) -> str:
    return "W[hidden,1,1]" if depth == 1 else "W[hidden_1,1,1]"


def memoization() -> str:
    work = _sheet("four_three_two_one").derivation()
    weights = [q.name for q in work if q.name.kind == "dL/dW"]
    through: dict[str, int] = {}
    for weight in weights:
        for quantity in work.needed_for(weight):
            if quantity.name.kind in ("dL/dh", "dL/dz"):
                through[str(quantity.name)] = through.get(str(quantity.name), 0) + 1
    shared = [
        [f"`{work[name].symbol}`", str(through[name]), str(work[name].uses)]
        for name in (str(q.name) for q in work if q.name.kind in ("dL/dh", "dL/dz"))
    ]
    apart = sum(work.paths(str(n)).multiplications_apart for n in weights)
    count = sum(work.paths(str(n)).count for n in weights)
    once = 0
    for quantity in work:
        recipe = work.graph.recipes(quantity.name)[0]
        if quantity.name.kind in ("dL/dh", "dL/dz", "dL/dW") and isinstance(recipe, Products):
            once += sum(len(part.factors) > 1 for part in recipe.parts)
    kept = sum(q.name.kind in ("dL/dh", "dL/dz") for q in work)
    deep = []
    for depth in DEPTHS:
        paths = _deep(depth).paths(_first(depth))
        deep.append([
            str(depth), f"{paths.count:,}", f"{paths.multiplications_apart:,}", f"{paths.multiplications_memoized:,}",
            f"{paths.kept:,} ({paths.bytes:,} bytes)",
        ])  # fmt: skip
    report = work.model.memo_report([[1, 2, -1, 0.5]], [[1]])
    return _page(
        "Memoization, counted",
        "Memoization (not memorization): what is needed many times is computed once and kept. It is what makes "
        "back-propagation fast; the chain rule alone is not.",
        "## Two paths, one factor in front of both",
        f"In the 4-3-2-1 network ({_link('four_three_two_one')}) a weight of the first layer reaches the loss on two paths, "
        "through both units of the second layer. The chain rule multiplies along each and sums:",
        _code(work.to_text(weight="W[hidden_1,1,1]").partition("\n\n")[2].partition("\n\n")[2]),
        "## Who uses what",
        f"`{work['dL/dh[output,1]'].symbol}` is a factor of all {through['dL/dh[output,1]']} gradients of the "
        f"{len(weights)} weights. Without memoization it is computed anew for each of them; with it, once.",
        _table(["gradient", "weights whose gradient needs it", "read by so many later quantities"], shared, (1, 2)),
        _table(
            ["all 20 weights", "multiplications", "numbers kept"],
            [
                [f"every one of the {count} paths by itself", str(apart), "0"],
                ["each gradient once", str(once), f"{kept} ({8 * kept} bytes)"],
            ],
            (1, 2),
        ),
        "## Paths multiply with the depth",
        "With two units in each hidden layer every further layer doubles the paths of a first weight. With memoization the "
        "multiplications grow by a constant:",
        "![Multiplications for one weight, with and without memoization](memoization.svg)",
        _table(["hidden layers", "paths of one weight", "multiplications, each path by itself", "memoized", "numbers kept"],
               deep, (0, 1, 2, 3, 4)),
        "## The forward pass is kept too",
        "Going back through a layer needs what went forward through it. The engine's own report for the 4-3-2-1 network: "
        f"{report.bytes} bytes kept spare it {report.steps_without_memo - report.forward_steps} of "
        f"{report.steps_without_memo} forward steps (`model.memo_report(X, y)`).",
        _code(str(report)),
    )  # fmt: skip


def memoization_picture() -> plots.Picture:
    paths = [_deep(depth).paths(_first(depth)) for depth in DEPTHS]
    return plots.curves(
        {
            "each path by itself": (DEPTHS, [one.multiplications_apart for one in paths]),
            "memoized": (DEPTHS, [one.multiplications_memoized for one in paths]),
        },
        title="Multiplications for the gradient by one weight",
        x="hidden layers of two units",
        y="multiplications",
        caption="Of a weight of the first layer. Every further layer doubles the paths; what is kept grows by a constant.",
        marked=True,
        log=True,
    )


# ---------------------------------------------------------------------- surfaces

REACH = 6.0


def sigmoid_surfaces() -> str:
    parts = [
        "Two sigmoid units read x1 and x2; a third reads both. Each hidden unit is a slope from 0 to 1 across the plane, flat "
        "along one line; the output combines the two. Seen over the square from "
        f"-{_n(REACH)} to {_n(REACH)}; blue is 0 and red is 1.",
    ]
    for k in (1, 2):
        sheet = _sheet(f"sigmoid_surface_{k}")
        work = sheet.derivation("ours")
        weights = sheet.model.parameters
        w1, w2 = weights["hidden"]["W"], weights["output"]["W"]
        rows = []
        for r, x in enumerate(np.atleast_2d(sheet.x), 1):
            names = (f"h[row {r}; hidden,1]", f"h[row {r}; hidden,2]", f"h[row {r}; output,1]")
            rows.append([f"({_n(x[0])}, {_n(x[1])})", *(_n(work[name].value) for name in names)])
        parts += [
            f"## w11 = {_n(w1[0, 0])}, w12 = {_n(w1[1, 0])}, w13 = {_n(w1[0, 1])}, w14 = {_n(w1[1, 1])}, "
            f"w21 = {_n(w2[0, 0])}, w22 = {_n(w2[1, 0])}",
            f"![h1, h2 and ŷ as surfaces](sigmoid-surface-{k}.svg)",
            _table(["x", "h1", "h2", "ŷ"], rows, (1, 2, 3)),
            f"{_link(f'sigmoid_surface_{k}')}; `chainrule plot surfaces sigmoid_surface_{k}.toml` draws it.",
        ]
    parts.append(
        "ŷ = sigmoid(h1 - h2) stays between sigmoid(-1) = "
        f"{_n(float(sigmoid(np.array(-1.0))))} and sigmoid(1) = {_n(float(sigmoid(np.array(1.0))))}: where both units agree "
        "it is a half."
    )
    return _page("Sigmoid units as surfaces", *parts)


def surface_picture(k: int) -> plots.Picture:
    return plots.surfaces(_sheet(f"sigmoid_surface_{k}").model, reach=REACH, cells=15, labels=["h1", "h2", "ŷ"])

"""Pages of docs/explanation around networks drawn with their numbers, and around the loss over their weights."""

from __future__ import annotations

from functools import cache

import numpy as np
from explanations import _code, _link, _n, _page, _sheet, _table
from picture_pages import moons

from chainrule import SGD, Adam, Add, Dense, Input, Model, Network, Objective, Trail, Turned, plots
from chainrule.explain.derivation import Derivation
from chainrule.explain.diagram.binding import diagram_of
from chainrule.explain.render.svg import drawing

RATE = 0.02
FIRST, SECOND = "W[output,1,1]", "W[output,2,1]"


def network_pages() -> dict[str, str | plots.Picture]:
    """Every page and picture, by file name."""
    return {
        "networks.md": networks(),
        "network-2-2-2.svg": _drawn(_sheet("two_by_two_by_two").derivation(), "W[hidden,1,1]"),
        "network-4-3-2-1.svg": _drawn(_sheet("four_three_two_one").derivation(), "W[hidden_1,1,1]"),
        "network-4-3-2.svg": _drawn(_sheet("four_three_two").derivation()),
        "network-3-3-1.svg": _drawn(_sheet("three_three_one").derivation()),
        "network-wide.svg": plots.network(wide(), np.linspace(-1, 1, 300), 1),
        "network-heads.svg": plots.network(people(), {"x": [0.2, -0.4, 1.0]}, {"gender": 1, "age": 0.3, "mood": 2}),
        "weight-histograms.svg": plots.histograms(*deep()),
        "knobs.md": knobs(),
        "knobs-one.svg": plots.knobs(one_knob()),
        "knobs-two.svg": plots.knobs(bulb()[0]),
        "knobs-hills.svg": plots.knobs(hills()),
    }  # fmt: skip


def _drawn(work: Derivation, highlight: str | None = None) -> str:
    return drawing(diagram_of(work, highlight=highlight), width=800)


# ---------------------------------------------------------------------- networks


def networks() -> str:
    four = _sheet("four_three_two_one").derivation()
    step = _sheet("two_sigmoid_units").derivation()
    path = diagram_of(four, highlight="W[hidden_1,1,1]").path
    paths = four.paths("W[hidden_1,1,1]")
    assert path is not None
    counts = [
        [
            _link(name),
            str(network.count(biases=False).total),
            str(network.count().total - network.count(biases=False).total),
        ]
        for name in ("four_three_two_one", "four_three_two", "three_three_one", "two_by_two_by_two")
        for network in [_sheet(name).derivation().trace.network]
    ]
    names = ("z[hidden,1]", "h[hidden,1]", "dh/dz[hidden,1]", "dL/dh[hidden,1]", "dL/dz[hidden,1]", "dL/dW[hidden,1,1]",
             "dL/dx[1]")  # fmt: skip
    value = {name: step[name].value for name in names}
    return _page(
        "Networks, drawn with their numbers",
        "Every circle is a unit, every line a weight: solid where it is positive, dashed where it is negative, the thicker the "
        "larger. In the circles stand the values of one row, at the lines the weights; with ∂ the derivative of the loss by "
        "each. All of it is bound to the derivation: `chainrule explain SHEET --format html` has the same drawing above the "
        "formulas, and tells every number in full where the pointer rests.",
        "## 2-2-2, with the numbers of the practice problem",
        f"{_link('two_by_two_by_two')}: two inputs, two hidden units, two outputs, biases that stay as they are. Highlighted "
        "is one of the two paths from w_1 to the loss.",
        "![The 2-2-2 network with all its numbers](network-2-2-2.svg)",
        "## 4-3-2-1: twenty weights, and one path of two",
        f"{_link('four_three_two_one')}. From the first weight {paths.count} paths lead to the loss. The one that weighs most "
        f"is highlighted, {_n(path.product)}; the other one goes by the second unit of the second hidden layer, and both "
        f"together are the gradient, {_n(paths.total)}.",
        "![The 4-3-2-1 network, one path highlighted](network-4-3-2-1.svg)",
        "## 4-3-2: the error depends on eighteen weights",
        f"{_link('four_three_two')}. The error depends on two outputs, each output on three weights and three values between, "
        "each of these on four weights and four inputs. To make it smaller all eighteen are changed, each by its own ∂.",
        "![The 4-3-2 network](network-4-3-2.svg)",
        "## 3-3-1: sixteen numbers that are learned",
        f"{_link('three_three_one')}. Beside its twelve weights each unit has a bias, b: sixteen numbers.",
        "![The 3-3-1 network](network-3-3-1.svg)",
        _table(["network", "weights", "biases"], counts, (1, 2)),
        "## Blocks with weights, and blocks without",
        "What happens in a circle are two blocks. The first has weights: z = Σ w x + b. The second has none: h = φ(z). Going "
        "back, each is handed the derivative of the loss by what it made, and gives the derivative by what it read; a block "
        f"with weights also gives those of its weights. In {_link('two_sigmoid_units')}, first hidden unit:",
        _table(
            ["block", "forward", "it is handed", "it gives"],
            [
                [
                    "φ, no weights",
                    f"h = φ({_n(value['z[hidden,1]'], 4)}) = {_n(value['h[hidden,1]'], 4)}",
                    f"dL/dh = {_n(value['dL/dh[hidden,1]'], 4)}",
                    f"dL/dz = dL/dh φ'(z) = {_n(value['dL/dh[hidden,1]'], 4)} · {_n(value['dh/dz[hidden,1]'], 4)} = "
                    f"{_n(value['dL/dz[hidden,1]'], 4)}",
                ],
                [
                    "weights",
                    f"z = {_n(value['z[hidden,1]'], 4)}",
                    f"dL/dz = {_n(value['dL/dz[hidden,1]'], 4)}",
                    f"dL/dw = dL/dz x = {_n(value['dL/dW[hidden,1,1]'], 4)}; by the input, summed over all units that read "
                    f"it, dL/dx = {_n(value['dL/dx[1]'], 4)}",
                ],
            ],
        ),
        "## Wide networks, several heads",
        "Of layers too wide to draw whole the first units and the last are drawn, with how many there are between; a unit that "
        'is asked for is drawn too: `plots.network(model, x, y, highlight="W[hidden_2,150,222]")`.',
        "![A network of 300 inputs and 300 hidden units](network-wide.svg)",
        "Any network is laid out by depth: here a residual block, whose sum passes two values on as they are, and three heads "
        "with a loss each. What passes unchanged is dotted.",
        "![A residual network with three heads](network-heads.svg)",
        "## Weights and gradients by layer",
        "Of many weights a histogram tells more than a drawing. Eight layers of sigmoid units that haven't learned yet: the "
        "weights are much alike in all of them, the gradients become smaller from layer to layer on their way back "
        "([why](vanishing-gradients.md)).",
        "![Histograms of weights and gradients](weight-histograms.svg)",
        _code(
            "chainrule plot network SHEET --weight \"W[hidden,1,1]\"\n"
            "chainrule plot network MODEL --table FILE --row 17\n"
            "chainrule plot histograms MODEL --table FILE"
        ),
    )  # fmt: skip


def wide() -> Model:
    return Model(Network.mlp(300, [300], 1, activation="tanh", output="sigmoid"), "binary_cross_entropy")


def people() -> Model:
    x = Input(3, name="x")
    body = Dense(3, activation="tanh", name="body")(x)
    summed = Add(name="sum")(body, Dense(3, activation="tanh", name="more")(body))
    heads = {
        "gender": Dense(1, activation="sigmoid", name="gender")(summed),
        "age": Dense(1, name="age")(summed),
        "mood": Dense(3, activation="softmax", name="mood")(summed),
    }
    losses = {"gender": "binary_cross_entropy", "age": "squared_error", "mood": "cross_entropy"}
    return Model(Network(inputs=x, outputs=heads), losses, seed=3)


def deep() -> tuple[Model, np.ndarray, np.ndarray]:
    X = np.random.default_rng(0).normal(size=(64, 8))
    return Model(Network.mlp(8, [24] * 7, 1, activation="sigmoid"), "squared_error", dtype="float64"), X, X[:, 0]


# ------------------------------------------------------------------------- knobs


@cache
def bulb() -> tuple[Turned, Trail, Model, np.ndarray, np.ndarray]:
    """Two knobs, one bulb: o = w1 x1 + w2 x2, trained by gradient descent from (-3, 3)."""
    X = np.random.default_rng(4).normal(size=(8, 2)).round(1) * [1, 0.5]
    y = X @ [1.5, -2.0]
    model = Model(
        Network.mlp(2, [], 1, bias=False), Objective("squared_error", reduction="sum"), SGD(RATE), dtype="float64"
    )
    model.set_parameters({"output": {"W": [[-3.0], [3.0]]}})
    trail = Trail(FIRST, SECOND)
    model.fit(X, y, epochs=40, batch_size="full", shuffle=False, callbacks=trail, progress=False)
    return model.turn(FIRST, SECOND, X=X, y=y, points=25, trail=trail), trail, model, X, y


@cache
def classifier() -> tuple[Model, Trail, np.ndarray, np.ndarray]:
    X, y = moons(120, seed=0)
    model = Model(Network.mlp(2, [4], 1, activation="tanh", output="sigmoid"), "binary_cross_entropy", Adam(0.03), seed=5,
                  dtype="float64")  # fmt: skip
    trail = Trail("W[hidden,1,2]", "W[output,2,1]", every="epoch")
    model.fit(X, y, epochs=60, callbacks=trail, progress=False)
    return model, trail, X, y


def one_knob() -> Turned:
    model, _, X, y = classifier()
    return model.turn("W[hidden,1,2]", X=X, y=y, reach=4)


def hills() -> Turned:
    model, trail, X, y = classifier()
    return model.turn("W[hidden,1,2]", "W[output,2,1]", X=X, y=y, points=25, reach=6, trail=trail)


def knobs() -> str:
    turned, trail, model, X, y = bulb()
    model.set_parameters({"output": {"W": trail.values[0][:, None]}})
    steps = []
    for n in range(4):
        model.set_parameters({"output": {"W": trail.values[n][:, None]}})
        loss, gradient = model.loss_and_gradients(X, y)
        by = gradient["output"]["W"][:, 0]
        assert np.allclose(trail.values[n] - RATE * by, trail.values[n + 1])
        w = trail.values[n]
        steps.append([str(n), _n(w[0], 4), _n(w[1], 4), _n(loss, 4), _n(by[0], 4), _n(by[1], 4)])
    model.set_parameters({"output": {"W": trail.values[-1][:, None]}})
    one = one_knob()
    return _page(
        "Knobs and a bulb",
        "Think of a box with many knobs, each of which can be turned up or down, and one bulb, which is to shine in the right "
        "way. The knobs are the weights, millions in some networks; how wrongly the bulb shines is the loss. Learning is to "
        "find out, for every knob, which way to turn it.",
        "## One knob",
        "`model.turn` turns one weight, leaves all others as they are, and watches the loss. The gradient is the slope of that "
        "curve where the weight is now: turn the knob against it, and the loss becomes smaller. Below the curve is what the "
        "network says of the plane at five positions of that one knob.",
        "![The loss over one weight, and the regions](knobs-one.svg)",
        _code(
            'turned = model.turn("W[hidden,1,2]", X=X, y=y)\n'
            "turned.at, turned.loss_now, turned.gradient    "
            f"# ({_n(one.at[0], 3)},) {_n(one.loss_now, 3)} ({_n(one.gradient[0], 2)},)\n"
            "turned.values[0], turned.loss                  # the curve, as arrays\n"
            "turned.outputs(X)                              # what the network says of each row at each position\n"
            "plots.knobs(turned)"
        ),
        "The notes call weights in other ways; so may you: whatever `explain` writes in one of its notations is taken, and a "
        "symbol that could mean several weights is said to.",
        "## Two knobs: a surface, and a way down",
        "The loss of a bulb with two knobs, o = w1 x1 + w2 x2, over all rows:",
        "    L = Σ (y - o)² = Σ (y - (w1 x1 + w2 x2))²",
        "Its slopes in the two directions, and a step of gradient descent:",
        "    dL/dw1 = Σ 2 (y - o) (-1) x1        w1 <- w1 - η dL/dw1\n"
        "    dL/dw2 = Σ 2 (y - o) (-1) x2        w2 <- w2 - η dL/dw2",
        f"In vectors it is w <- w - η dL/dw. With η = {RATE}, from (-3, 3) on:",
        _table(["step", "w1", "w2", "L", "dL/dw1", "dL/dw2"], steps, (0, 1, 2, 3, 4, 5)),
        "The callback `Trail` records where two weights are after each step, and the picture shows the way: steep first, along "
        "the valley then. It crosses the lines of equal loss at right angles, as a gradient does where both axes have the same "
        f"scale, and ends at ({_n(turned.at[0], 3)}, {_n(turned.at[1], 3)}); the data were made with (1.5, -2).",
        "![The loss over two weights: a bowl, and the way into it](knobs-two.svg)",
        _code(
            f'trail = Trail("{FIRST}", "{SECOND}")\n'
            "model.fit(X, y, epochs=40, batch_size=\"full\", callbacks=trail)\n"
            f'plots.knobs(model.turn("{FIRST}", "{SECOND}", X=X, y=y, trail=trail))'
        ),
        "## Two knobs of many",
        "A network with hidden units has no bowl. Here are two of the seventeen weights of the network above: steep walls, a "
        "plateau, and a valley that bends. While it trained the other fifteen were turned too, so the ground moved under the way; "
        "what is drawn is the ground at the end.",
        "![The loss over two weights of a network with hidden units](knobs-hills.svg)",
        _code(
            'chainrule plot knobs MODEL --table FILE --weight "W[hidden,1,2]"\n'
            'chainrule plot knobs MODEL --table FILE --weight "W[hidden,1,2]" --weight "W[output,2,1]"'
        ),
        "What makes descent faster than the plain steps above: [gradient descent on a surface](gradient-descent.md).",
    )  # fmt: skip

"""Pages of docs/explanation around pictures that `chainrule.plots` makes: what lecture notes draw, computed."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from explanations import _n, _page, _table

from chainrule import SGD, Adam, Augment, Doctor, EarlyStopping, Model, Network, plots
from chainrule.activations import ACTIVATIONS, ReLU, sigmoid
from chainrule.initializers import GlorotNormal, HeNormal, Normal
from chainrule.losses import BinaryCrossEntropy, get_loss
from chainrule.plots.by_depth import threshold_model, weights_told
from chainrule.plots.vanishing_gradients import gradient_norms

DEEP = 20


def picture_pages() -> dict[str, str | plots.Picture]:
    """Every page and picture, by file name."""
    return {
        "activations.md": activations(),
        "activations-two.svg": plots.activations("sigmoid", "relu"), "activations.svg": plots.activations(),
        "vanishing-gradients.md": vanishing(), "vanishing-gradients.svg": plots.vanishing(depth=DEEP),
        "starting-weights.svg": starting_weights(),
        "layer-by-step.svg": layer_by_step(),
        "cross-entropy.md": cross_entropy(), "cross-entropy.svg": cross_entropy_picture(),
        "regions-by-depth.md": regions_by_depth(), "regions-by-depth.svg": plots.depth(cells=201),
        "gradient-descent.md": gradient_descent(), "gradient-descent.svg": plots.descent(),
        "gradient-descent-mini-batch.svg": plots.descent(batch_size=4),
        "learning-rates.md": learning_rates(), "learning-rates.svg": plots.schedules(),
        "overfitting.md": overfitting(),
        "overfitting-losses.svg": plots.losses(fitted("nothing")[0]),
        "early-stopping.svg": plots.losses(fitted("early stopping")[0]),
        **{f"overfitting-{file}.svg": overfitting_regions(kind) for kind, file in KINDS.items()},
    }  # fmt: skip


# ------------------------------------------------------------------- a training, watched


def layer_by_step() -> plots.Picture:
    """Seven layers of sigmoids: of the how-to about what is wrong with a training."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 8))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    network = Network.mlp(8, [16] * 7, 1, activation="sigmoid", output="sigmoid")
    model, doctor = Model(network, "binary_cross_entropy", SGD(0.1), dtype="float64"), Doctor()
    model.fit(X[:450], y[:450], epochs=20, callbacks=doctor, progress=False)
    return plots.vitals(doctor)


# ------------------------------------------------------------------- activations


def activations() -> str:
    rows = []
    for z in (-5000.0, -5.0, 0.0, 5.0, 5000.0):
        s, r = float(sigmoid(np.array(z))), float(ReLU().value(np.array(z)))
        rows.append([_n(z), _n(s), _n(s * (1 - s), 3), _n(r), _n(float(r > 0))])
    menu = []
    for name, cls in ACTIVATIONS.items():
        if cls.coupled:
            continue
        values = plots.activations(name, reach=6).values[name]
        low, high = np.nanmin(values["dh/dz"]), np.nanmax(values["dh/dz"])
        menu.append([name, f"`{cls.formula}`", _n(float(low), 3), _n(float(high), 3)])
    return _page(
        "Activations: the sigmoid beside ReLU, and the others",
        "Without an activation between them, two layers are one: a linear function of a linear function is linear. Which one "
        "it is decides what comes back: on its way from the loss to a weight the gradient is multiplied by the derivative of "
        "every activation that it passes.",
        "![The sigmoid and ReLU, each with its derivative](activations-two.svg)",
        "The sigmoid's derivative is at most a quarter, and next to nothing where the sigmoid is near 0 or 1: it saturates. "
        "ReLU's is 1 for every positive z, however large.",
        _table(["z", "sigmoid", "its derivative", "ReLU", "its derivative"], rows, (0, 1, 2, 3, 4)),
        "What that does over many layers: [vanishing gradients](vanishing-gradients.md). ReLU's price is the flat side: a unit "
        "whose z is negative for every row gets no gradient, and stays as it is. Leaky ReLU, ELU, GELU, SiLU and Mish leave "
        "it a little.",
        "## All of them",
        "![Every activation with its derivative](activations.svg)",
        "The least and the greatest derivative between z = -6 and z = 6:",
        _table(["activation", "formula", "least", "greatest"], menu, (2, 3)),
        "`chainrule plot activations sigmoid relu` draws some, `chainrule plot activations` all; from Python "
        "`plots.activations(LeakyReLU(slope=0.2))`.",
    )


# --------------------------------------------------------------------- vanishing


def vanishing() -> str:
    values = plots.vanishing(depth=DEEP).values
    rows = []
    for name, norms in values.items():
        if name != "layer":
            ratio = norms[0] / norms[-1]
            rows.append([name, f"{norms[0]:.1e}", f"{norms[-1]:.1e}", f"{ratio:.0e}"])
    one = gradient_norms("sigmoid", DEEP, 32, 64, seed=0)
    factor = float(np.exp(np.log(one[1] / one[-1]) / (DEEP - 1)))
    return _page(
        "Vanishing gradients",
        "The gradient by a weight of the first layer is a product: for each layer on the way from the loss back to it there is "
        "one factor with that layer's weights, and one with the derivative of its activation. Products of many numbers below 1 "
        "are next to nothing.",
        "![The norm of the gradient by each layer's weights, for several activations](vanishing-gradients.svg)",
        f"The picture shows networks of {DEEP} hidden layers that haven't learned yet. A sigmoid's derivative is at most 1/4, so "
        f"{DEEP} of them multiply to at most {0.25**DEEP:.0e}; with weights that start small the gradient becomes "
        f"about {factor:.1g} times what it was in each layer here. The first layers of such a network don't learn in any "
        "time that one would wait.",
        _table(["activation", "norm of dL/dW, first layer", "output layer", "ratio"], rows, (1, 2, 3)),
        "ReLU's derivative is 1 where a unit is active, and weights that start as He et al. propose keep the size from layer to "
        "layer; tanh with Glorot's does too, as long as it doesn't saturate. With weights that start too large the same "
        "product explodes.",
        "## Where weights start",
        "The same for ReLU alone and several initializers. Weights of variance 2 / inputs (He) keep the size of what goes "
        "forward and of what comes back. Smaller ones shrink both, so that the gradient is next to nothing in every layer: what "
        "one end lacks in activations the other lacks in deltas. Larger ones make both explode.",
        "![The norm of the gradient by each layer's weights, for several initializers](starting-weights.svg)",
        "## What helps",
        '[Another activation](activations.md), the initializer that goes with it (`initializer="auto"`, the '
        "default, chooses it), batch normalization, residual connections (`Add`), fewer layers.",
        "Numbers of your own: `chainrule plot vanishing sigmoid relu --depth 50 --units 16`. They come from "
        "`model.loss_and_gradients`, the same code that trains.",
    )


STARTS = {
    "he_normal": HeNormal(),
    "glorot_normal": GlorotNormal(),
    "normal, 0.1": Normal(0.1),
    "normal, 0.5": Normal(0.5),
}


def starting_weights() -> plots.Picture:
    layers = np.arange(1, DEEP + 2)
    norms = {}
    for name, initializer in STARTS.items():
        each = [gradient_norms("relu", DEEP, 32, 64, seed, initializer) for seed in range(5)]
        norms[name] = (layers, np.exp(np.log(each).mean(axis=0)))
    return plots.curves(
        norms,
        title=f"Gradients through {DEEP} layers of ReLU, by where weights start",
        x="layer, from the input (1) to the output",
        y="norm of dL/dW",
        caption="32 units in each layer, the mean over 5 starts. The standard deviation of He's weights is "
        f"sqrt(2 / 32) = {math.sqrt(2 / 32):.2f}, that of Glorot's sqrt(2 / 64) = {math.sqrt(2 / 64):.2f}.",
        log=True,
    )


# ------------------------------------------------------------------- cross-entropy


def _losses(h: np.ndarray, target: float) -> dict[str, np.ndarray]:
    """Both losses of one output, by the classes that compute them."""
    rows, y = h[:, None], np.full((len(h), 1), target)
    return {
        "cross-entropy": BinaryCrossEntropy().rows(y, rows),
        "squared error": get_loss("squared_error").rows(y, rows),
    }


def cross_entropy_picture() -> plots.Picture:
    h = np.linspace(0.005, 0.995, 199)
    series = {f"{name}, y = {target}": (h, values) for target in (1, 0) for name, values in _losses(h, target).items()}
    return plots.curves(
        series, title="Losses of a yes-or-no answer", x="h, the probability of yes that is answered", y="loss",
        caption="Cross-entropy is -log h where yes is right (y = 1) and -log(1 - h) where no is (y = 0).",
    )  # fmt: skip


def cross_entropy() -> str:
    rows = []
    for h in (0.99, 0.9, 0.5, 0.1, 0.01, 0.0001):
        values = _losses(np.array([h]), 1.0)
        z = math.log(h / (1 - h))
        slope = 2 * (h - 1) * h * (1 - h)
        rows.append([_n(h), *(_n(float(v[0]), 4) for v in values.values()), _n(z, 4), _n(h - 1, 4), _n(slope, 4)])
    return _page(
        "Cross-entropy: a penalty that is logarithmic",
        "A classifier answers with probabilities. Cross-entropy is minus the logarithm of the one that it gave to what was right: "
        "nothing for certainty, little for nearly right, and more than any bound for a confident mistake.",
        "![Cross-entropy and squared error of one answer](cross-entropy.svg)",
        "The squared error of a probability is never more than 1, and behind a sigmoid its gradient is nearly 0 just where the "
        "answer is worst. That of cross-entropy is `h - y`, whatever the sigmoid's slope:",
        _table(["h, where yes is right", "cross-entropy", "squared error", "z", "dL/dz of cross-entropy",
                "of squared error"], rows, (0, 1, 2, 3, 4, 5)),
        "For several classes it is `-log h` of the right one, behind [softmax](softmax.md), and the gradient is `h - y` again. "
        "Worked by hand: [the worked examples](worked-examples.md), `binary_cross_entropy` and `three_classes`.",
    )  # fmt: skip


# ----------------------------------------------------------------- regions by depth


def regions_by_depth() -> str:
    point = np.array([[1.0, 1.0]])
    rows = []
    for layers in (1, 2, 3):
        model = threshold_model(layers)
        name = f"{layers} layer{'s' * (layers > 1)}"
        hidden = [layer.name for layer in model.network.layers[1:-1]]
        h, told = point, []
        for layer in hidden:
            weights = model.parameters[layer]
            h = (h @ weights["W"] + weights["b"] >= 0).astype(float)
            told.append("(" + ", ".join(_n(v) for v in h[0]) + ")")
        rows.append([name, " → ".join(told), _n(float(model.predict(point)[0, 0]))])
    return _page(
        "What layers of threshold units can cut out",
        "A threshold unit is 1 where `w1 x1 + w2 x2 + b >= 0` and 0 elsewhere: it cuts the plane along a line. What can be made "
        "of such cuts depends on how many layers there are.",
        "![One layer: a half-plane; two: a convex region; three: any region](regions-by-depth.svg)",
        "- **One layer** is one cut: a half-plane.\n"
        "- **Two layers**: the second asks whether several of the first are 1 together. `h1 + h2 + h3 - 2.5` is positive only if "
        "all three are, so the region is where three half-planes overlap: a convex region, whatever the number of units. (Asked "
        "whether at least one is 1, it gives what is left over by a convex region; with other weights a few more, but not any.)\n"
        "- **Three layers**: the third asks whether at least one of several convex regions holds, `g1 + g2 + g3 - 0.5`. Any "
        "region with straight edges is made of convex pieces, and any other is as near to one as one likes.",
        "## By hand",
        "Take a point, say (1, 1), and work through the formulas under the picture:",
        _table(["network", "hidden layers", "y"], rows, (2,)),
        "```text\n" + "\n".join(weights_told("3 layers")) + "\n```",
        "Threshold units have no derivative to learn by, which is why they gave way to [sigmoids](sigmoid-surfaces.md) and ReLU: "
        "the same cuts, softened. Of soft steps two layers are enough in principle: their sums come as near to any region as "
        'one likes (Cybenko, 1989, "Approximation by superpositions of a sigmoidal function"), with as many units as that takes.',
        "`chainrule plot depth` draws the picture; `chainrule plot regions MODEL` draws the regions of a model that was trained.",
    )


# --------------------------------------------------------------- gradient descent


def gradient_descent() -> str:
    values = plots.descent().values
    lowest = values["lowest"]
    rows = []
    for name, way in values.items():
        if name not in ("w1", "w2", "loss", "lowest"):
            gaps = np.linalg.norm(way - lowest, axis=1)
            rows.append([name, _n(float(gaps[0]), 3), _n(float(gaps[10]), 3), _n(float(gaps[-1]), 3)])
    return _page(
        "Gradient descent on a surface",
        "A linear unit with two weights has a loss that can be drawn: `L = mean (y - (w1 x1 + w2 x2))^2`. Its gradient points "
        "uphill; a step goes the other way, `w+ = w - rate dL/dw`, for both weights at once.",
        "![The ways of six optimizers down the same surface](gradient-descent.svg)",
        "The inputs have different scales and are correlated, so the surface is a long narrow valley: steep across, nearly flat "
        "along. Plain gradient descent goes down into it at once and then creeps. Momentum keeps its speed and overshoots, "
        "Nesterov looks ahead and does so less; AdaGrad, RMSProp and Adam give each weight a rate of its own.",
        _table(["optimizer", "distance at the start", "after 10 steps", "after 40"], rows, (1, 2, 3)),
        "## With a few rows at a time",
        "The gradient of 4 rows is right only on average. The way is a noisy one, and costs a sixteenth of the arithmetic:",
        "![The same with 4 rows of 64 in each step](gradient-descent-mini-batch.svg)",
        "`chainrule plot descent sgd adam --batch-size 4` draws it; the formulas of all optimizers are in "
        "[the reference](../reference/formulas.md).",
    )


def learning_rates() -> str:
    return _page(
        "Learning rates over a fit",
        "Large steps at first, small ones at the end: a schedule says how large. Every optimizer takes one in place of a number, "
        "`Adam(Cosine(1e-3, warmup_epochs=5))`; on the command line `--schedule cosine`.",
        "![The learning rate of every step, by schedule](learning-rates.svg)",
        "`reduce_on_plateau` alone looks at the losses: its rate falls when they haven't for a while. The formulas are in "
        "[the reference](../reference/formulas.md). `chainrule plot schedules cosine one_cycle --rate 0.01 --epochs 100` draws "
        "some; what a fit really used is in its history: `model.history.plot(rates=True)`.",
    )


# --------------------------------------------------------------------- overfitting

KINDS = {"nothing": "none", "L2": "l2", "dropout": "dropout", "early stopping": "early", "augmentation": "augmented"}


def moons(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles around each other, with much noise."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    angle = rng.uniform(0, np.pi, rows)
    x = np.stack([np.cos(angle) + y, np.where(y, 0.4, 0.0) + np.where(y, -1, 1) * np.sin(angle)], axis=1)
    return x + 0.32 * rng.normal(size=x.shape), y


@cache
def fitted(kind: str) -> tuple[Model, np.ndarray, np.ndarray]:
    """A network with far more units than 90 rows need, and what it was fitted on."""
    X, y = moons(90, 1)
    network = Network.mlp(
        2, [64, 64], 1, activation="relu", output="sigmoid", dropout=0.4 if kind == "dropout" else 0.0
    )
    model = Model(network, "binary_cross_entropy", Adam(0.01), l2=0.004 if kind == "L2" else 0.0, metrics=["accuracy"])
    stop = EarlyStopping(patience=20) if kind == "early stopping" else ()
    augment = Augment(noise=0.25) if kind == "augmentation" else None
    model.fit(X, y, epochs=200, validation=moons(400, 2), stop=stop, augment=augment, progress=False)
    return model, X, y


def overfitting_regions(kind: str) -> plots.Picture:
    model, X, y = fitted(kind)
    return plots.regions(model, X, y, cells=140)


def overfitting() -> str:
    return _page(
        "Overfitting, and what holds it back",
        "90 rows of two noisy half circles, and a network with two hidden layers of 64 units: it has weights enough to learn "
        "every row by heart. The training loss goes on falling; on rows that it doesn't see the loss rises again.",
        "![Loss and accuracy by epoch, without regularization](overfitting-losses.svg)",
        "What it has learned by then are borders around single rows:",
        "![The regions without regularization](overfitting-none.svg)",
        "## Early stopping",
        "`EarlyStopping(patience=20)` watches the rows that are held out, stops when they haven't become better for 20 epochs, "
        "and brings back the weights of the best epoch, which the ring marks.",
        "![Loss and accuracy with early stopping](early-stopping.svg)",
        "![The regions with early stopping](overfitting-early.svg)",
        "## L2",
        "`Model(..., l2=0.004)` adds `l2 sum W^2` to what is minimized: large weights, which steep borders need, cost something. "
        "`l1` does the same by `sum |W|` and leaves many weights at 0.",
        "![The regions with an L2 penalty](overfitting-l2.svg)",
        "## Dropout",
        "`Network.mlp(..., dropout=0.4)` switches off two fifths of the hidden units in every step, other ones each time, so that "
        "none can rely on a single other.",
        "![The regions with dropout](overfitting-dropout.svg)",
        "## Augmentation",
        "`fit(..., augment=Augment(noise=0.25))` moves every row a little, in each epoch anew: what is learned has to hold "
        "around a row too. Pictures can be shifted, rotated, scaled and flipped besides.",
        "![The regions with rows moved at random](overfitting-augmented.svg)",
        "In your own runs: `model.history.plot()`, or `chainrule plot losses MODEL`; `plots.regions(model, X, y)`, or "
        "`chainrule plot regions MODEL --table FILE --columns A,B`.",
    )

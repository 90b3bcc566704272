"""How large gradients are, layer by layer: the vanishing curve of each activation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.activations import ActivationFunction, get_activation
from chainrule.arrays import Doubles
from chainrule.errors import InputError, TrainingError, counted
from chainrule.initializers import Initializer
from chainrule.limits import Limit, check
from chainrule.model import Model
from chainrule.network import Network
from chainrule.plots.picture import Picture
from chainrule.plots.themes import Theme, called, logarithmic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = {"depth": 500, "width": 1000, "rows": 10_000, "starts": 50}
USUAL = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu")


def vanishing(
    *which: str | ActivationFunction,
    depth: int = 20,
    width: int = 32,
    rows: int = 64,
    starts: int = 5,
    initializer: str = "auto",
) -> Picture:
    """The norm of the gradient by each layer's weights in deep networks, before they learn, for each activation.

    Networks of `depth` hidden layers, each with `starts` draws of its weights; rows are drawn from a normal
    distribution, and so are the targets. The norms are averaged over the draws (their logarithms are).

    Arguments:
        which: activations by name or as objects; left out, the usual ones.
        depth: hidden layers.
        width: units of each, and inputs.
        rows: of data.
        starts: draws of the weights.
        initializer: where the weights start; "auto" suits each activation.

    Raises:
        InputError: there is no such activation, nothing can be learned through it, or a number can't be used.
        TrainingError: values overflow on their way through so many layers.
        MissingDependencyError: matplotlib isn't installed.

    >>> picture = vanishing("sigmoid", "relu", depth=6, starts=1)
    >>> sigmoid, relu = picture.values["sigmoid"], picture.values["relu"]
    >>> bool(sigmoid[0] < 1e-3 * sigmoid[-1]), bool(relu[0] < 1e-3 * relu[-1])
    (True, False)
    """
    for (name, most), number in zip(_MOST.items(), (depth, width, rows, starts), strict=True):
        check("vanishing", name, number, Limit(1, most, whole=True))
    norms: dict[str, Doubles] = {}
    for one in which or USUAL:
        activation = get_activation(one)
        name = called(activation)
        if not activation.trainable:
            raise InputError(f"the derivative of {name} is 0 everywhere: no gradient comes through at all")
        if name in norms:
            raise InputError(f"{name} is named twice: each activation is drawn once")
        try:
            each = [gradient_norms(activation, depth, width, rows, seed, initializer) for seed in range(starts)]
        except TrainingError:
            raise TrainingError(f"values overflow on their way through {depth} layers of {name}: take fewer") from None
        with np.errstate(divide="ignore"):
            norms[name] = np.exp(np.log(each).mean(axis=0))
    layers = np.arange(1, depth + 2)

    def draw(figure: Figure, theme: Theme) -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.subplots()
        every = max(1, (depth + 1) // 8)
        for i, (name, values) in enumerate(norms.items()):
            shown = np.where(values > 0, values, np.nan)
            axes.plot(layers, shown, label=name, gid=name, markevery=(i % every, every), **theme.series(i, marked=True))
        logarithmic(axes, "y")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_xlabel("layer, from the input (1) to the output")
        axes.set_ylabel("norm of dL/dW")
        axes.set_xlim(0.5, depth + 1.5)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))

    start = "what suits each activation" if initializer == "auto" else initializer
    return Picture(
        draw,
        title=f"Gradients through {counted(depth, 'hidden layer')}",
        caption=f"Networks of {counted(depth, 'hidden layer')} of {width} units that haven't learned yet, weights from "
        f"{start}, the mean over {counted(starts, 'start')}. Each layer on the way back multiplies by its weights and "
        "by f': where that is less than 1, gradients shrink from layer to layer, and the first layers hardly learn.",
        values={"layer": layers, **norms},
        height=4.0,
    )


def gradient_norms(
    activation: str | ActivationFunction,
    depth: int,
    width: int,
    rows: int,
    seed: int,
    initializer: str | Initializer = "auto",
) -> Doubles:
    """The norm of dL/dW of each layer of one network, from the first to the output.

    Arguments:
        activation: of the hidden layers.
        depth: how many there are.
        width: units of each, and inputs.
        rows: of data.
        seed: draws the weights, the rows and the targets.
        initializer: where the weights start; "auto" suits the activation.

    >>> gradient_norms("tanh", 2, 4, 8, seed=0).shape
    (3,)
    """
    network = Network.mlp(width, [width] * depth, 1, activation=activation, initializer=initializer)
    model = Model(network, "squared_error", "sgd", dtype="float64", seed=seed)
    rng = np.random.default_rng(seed)
    _, gradients = model.loss_and_gradients(rng.normal(size=(rows, width)), rng.normal(size=(rows, 1)))
    return np.array([np.linalg.norm(arrays["W"]) for arrays in gradients.values()])

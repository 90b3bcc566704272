"""Mistakes on the way forward: in `z` and in `h`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.explain.marking.mistakes.attempt import Attempt, pre_activation
from chainrule.explain.network.elements import Element
from chainrule.explain.quantities.recipes import Products
from chainrule.explain.quantities.rounding import Spread, through


def activation_missing(a: Attempt) -> Iterator[Spread]:
    """h = z."""
    step = a.activation()
    if a.name.kind == "h" and step is not None and step.layer.makes != "linear":
        yield a.view.lookup(pre_activation(a.graph, step, a.name))


def bias_missing(a: Attempt) -> Iterator[Spread]:
    """z without its bias: the parameter that is a term by itself."""
    if isinstance(a.kind, Element) and isinstance(a.recipe, Products):
        kept = [part for part in a.recipe.parts if not (len(part.factors) == 1 and a.learned(part.factors[0]))]
        if len(kept) < len(a.recipe.parts):
            yield a.parts(kept)


def softmax_without_exp(a: Attempt) -> Iterator[Spread]:
    """z divided by the sum of z."""
    step = a.activation()
    if a.name.kind != "h" or step is None or not a.graph.is_coupled(step):
        return
    row, unit = a.place
    n = a.graph.trace.value(step.output).shape[1]
    names = [a.graph.name_of(step.inputs[0], row, k) for k in range(n)]
    with np.errstate(all="ignore"):
        yield through(lambda z: z[:, unit] / z.sum(axis=1), [a.view.lookup(name) for name in names])

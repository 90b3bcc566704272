"""Mistakes that are made in every kind of quantity, or in most."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.explain.marking.mistakes.attempt import Attempt, pre_activation, scaled
from chainrule.explain.network.elements import Element, Gradient
from chainrule.explain.network.sums import LocalDerivative
from chainrule.explain.quantities.recipes import Products
from chainrule.explain.quantities.rounding import Spread


def sign_flipped(a: Attempt) -> Iterator[Spread]:
    """The right size, the wrong sign."""
    yield scaled(a.right, -1)


def pre_activation_used(a: Attempt) -> Iterator[Spread]:
    """z taken where h belongs."""
    if a.name.kind == "h":
        return
    instead = {}
    for name in a.recipe.inputs:
        source = name
        if isinstance(a.graph.kind(name), LocalDerivative):  # dz/dW is what the weight is multiplied by
            factors = a.graph.recipes(name)[0].inputs
            source = factors[0] if len(factors) == 1 else name
        if source.kind == "h" and source.layer in a.graph.activation_steps:
            step = a.graph.activation_steps[source.layer]
            instead[name] = a.view.lookup(pre_activation(a.graph, step, source))
    if instead:
        yield a.view.carried(a.recipe, instead)


def weights_transposed(a: Attempt) -> Iterator[Spread]:
    """W read across: column by column where it is written row by row."""
    if not isinstance(a.kind, (Element, Gradient)) or not isinstance(a.recipe, Products):
        return
    instead = {}
    for name in a.recipe.inputs:
        if a.learned(name) and len(name.index) == 2:
            _, span = a.graph.parameter_steps[name.kind, name.layer]
            i, j = (k - 1 for k in name.index)
            row, column = divmod(j * span.shape[0] + i, span.shape[1])
            instead[name] = a.view.lookup(name._replace(index=(row + 1, column + 1)))
    if instead:
        yield a.view.carried(a.recipe, instead)

"""Mistakes that are made in every kind of quantity, or in most."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.explain.marking.mistakes.attempt import Attempt, pre_activation, scaled
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Products
from chainrule.explain.quantities.rounding import Spread


def sign_flipped(a: Attempt) -> Iterator[Spread]:
    """The right size, the wrong sign."""
    yield scaled(a.right, -1)


def pre_activation_used(a: Attempt) -> Iterator[Spread]:
    """z taken where h belongs."""
    if a.kind == "h":
        return
    instead = {}
    for name in a.recipe.inputs:
        source = name
        if name.kind == "dz/dW":
            (source,) = a.graph.recipes(name)[0].inputs or (name,)
        if source.kind == "h" and source.layer in a.graph.activation_steps:
            step = a.graph.activation_steps[source.layer]
            instead[name] = a.view.lookup(pre_activation(a.graph, step, source))
    if instead:
        yield a.view.carried(a.recipe, instead)


def weights_transposed(a: Attempt) -> Iterator[Spread]:
    """W read across: column by column where it is written row by row."""
    if a.kind not in ("z", "dL/dh", "dL/dx") or not isinstance(a.recipe, Products):
        return
    weights = [n for n in a.recipe.inputs if n.kind == "W"]
    if not weights:
        return
    instead = {}
    for name in weights:
        _, span = a.graph.parameter_steps["W", name.layer]
        n_inputs, units = span.shape
        i, j = (k - 1 for k in name.index)
        row, column = divmod(j * n_inputs + i, units)
        instead[name] = a.view.lookup(Name("W", name.layer, (row + 1, column + 1)))
    yield a.view.carried(a.recipe, instead)

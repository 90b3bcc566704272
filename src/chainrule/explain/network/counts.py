"""How many numbers a network learns: weights, biases, and all of them, of a layer or in total."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Part, Products, Recipe
from chainrule.summary import count_parameters

if TYPE_CHECKING:
    from chainrule.explain.network.graph import Graph

GENERAL = {
    "weights": "weights = inputs * units",
    "biases": "biases = units",
    "parameters": "parameters = weights + biases",
}


def count(graph: Graph, name: Name) -> tuple[Recipe, ...]:
    """`weights[hidden]` from the layer's shape, `parameters[hidden]` as their sum, `weights` over all layers.

    What batch normalization learns counts among the parameters alone.
    """
    layers = [layer for layer in count_parameters(graph.program).layers if name.layer in ("", layer.name)]
    if not name.layer:
        each = tuple(Part((Name(name.kind, layer.name),)) for layer in layers)
        return (Products(each, f"{name.kind} = sum over layers"),)
    (layer,) = layers
    if name.kind == "parameters":
        own = [Part((Name(kind, name.layer),)) for kind in ("weights", "biases")]
        return (Products((*own, *_constant(layer.total - layer.weights - layer.biases)), GENERAL[name.kind]),)
    number = layer.weights if name.kind == "weights" else layer.biases
    return (Products(_constant(number), GENERAL[name.kind]),)


def _constant(number: int) -> tuple[Part, ...]:
    return (Part((), float(number)),) if number else ()

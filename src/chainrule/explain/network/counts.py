"""How many numbers a network learns: weights, biases, and all of them, of a layer or in total."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.errors import InputError, did_you_mean, listed
from chainrule.explain.network.kind import GIVEN, NetworkKind, Stage
from chainrule.explain.network.structure import Structure
from chainrule.explain.quantities.names import COUNTS, Name
from chainrule.explain.quantities.recipes import Part, Products, Recipe
from chainrule.summary import count_parameters

GENERAL = {
    "weights": "weights = inputs * units",
    "biases": "biases = units",
    "parameters": "parameters = weights + biases",
}


@dataclass(frozen=True)
class Count(NetworkKind):
    """`weights[hidden]` from the layer's shape, `parameters[hidden]` as their sum, `weights` over all layers.

    They are asked for by name only: a derivation doesn't list them. What batch normalization learns counts among the
    parameters alone.
    """

    layer: bool = False
    optional_layer: bool = True
    per_row: bool = False
    needs_target = False

    def resolve(self, net: Structure, name: Name) -> Name:
        """Of a layer that learns something, or of all."""
        layers = list(dict.fromkeys(layer for _, layer in net.parameter_steps))
        if name.layer and name.layer not in layers:
            raise InputError(
                f'"{name}": there is no layer "{name.layer}" with parameters.{did_you_mean(name.layer, layers)} '
                f"There are {listed(layers) or 'none'}"
            )
        return name

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """From the shapes."""
        layers = [layer for layer in count_parameters(net.program).layers if name.layer in ("", layer.name)]
        if not name.layer:
            each = tuple(Part((Name(name.kind, layer.name),)) for layer in layers)
            return (Products(each, f"{name.kind} = sum over layers"),)
        (layer,) = layers
        if name.kind == "parameters":
            own = [Part((Name(kind, name.layer),)) for kind in ("weights", "biases")]
            return (Products((*own, *_constant(layer.total - layer.weights - layer.biases)), GENERAL[name.kind]),)
        number = layer.weights if name.kind == "weights" else layer.biases
        return (Products(_constant(number), GENERAL[name.kind]),)

    def stage(self, net: Structure, layer: str) -> Stage:
        """Before everything that is computed."""
        place = net.trace.network.layout.spans[-1].step + 1
        if layer:
            place = next(step.index for (_, owner), (step, _) in net.parameter_steps.items() if owner == layer)
        return (GIVEN, 1 + place, COUNTS.index(self.spelled))

    def uses(self, net: Structure, name: Name) -> int:
        """By the count over all layers, and by that of all parameters."""
        return int(bool(name.layer)) + int(name.kind != "parameters")


def _constant(number: int) -> tuple[Part, ...]:
    return (Part((), float(number)),) if number else ()

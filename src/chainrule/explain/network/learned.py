"""Learned numbers: each before and after the step of the optimizer, the gradient by it; and how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Doubles
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.explain.formula import Number
from chainrule.explain.formula.grammar import bound
from chainrule.explain.network.structure import Choice, NetworkKind, Structure, check_index
from chainrule.explain.quantities.names import COUNTS, Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Products, Recipe
from chainrule.layers.element import Learned
from chainrule.parameters import Span
from chainrule.steps import Step
from chainrule.summary import count_parameters

GENERAL = {
    "weights": "weights = inputs * units",
    "biases": "biases = units",
    "parameters": "parameters = weights + biases",
}


@dataclass(frozen=True)
class OfParameter(NetworkKind):
    """A number for each one that is learned; `of` is what the layer calls the parameter."""

    per_row: bool = False

    def resolve(self, net: Structure, name: Name) -> Name:
        check_index(name, net.parameter_shape(name, self.of))
        return name

    def owner(self, net: Structure, layer: str) -> tuple[Step, Span]:
        """The step that learns the parameter, and where its numbers lie."""
        return net.parameter_steps[self.of, layer]

    def names(self, net: Structure, layer: str, choice: Choice) -> Iterator[Name]:
        indices = choice.indices(self.owner(net, layer)[1].shape)
        return (Name(self.spelled, layer, tuple(i + 1 for i in index)) for index in indices)

    def learned(self, name: Name) -> Learned:
        """The number that it is about, as its layer calls it."""
        return Learned(self.of, tuple(i - 1 for i in name.index))


@dataclass(frozen=True)
class Parameter(OfParameter):
    """A learned number before the update: `W`, `b`, or whatever a layer calls it."""

    given: bool = True
    needs_target = False

    def array(self, net: Structure, layer: str) -> Doubles:
        return net.trace.parameters[self.owner(net, layer)[0].index][self.of]  # type: ignore[return-value]  # float64 throughout

    def uses(self, net: Structure, name: Name) -> int:
        """By its layer, by the penalty and its gradient (of l1 that has the sign only), and by the update."""
        operation = net.operations[self.owner(net, name.layer)[0].index]
        l1, l2 = net.runs[self.of, name.layer].charge
        penalties = bool(l1 or l2) + bool(l2 and not operation.is_whole)
        return operation.uses_of_learned(self.learned(name)) + penalties + (not net.trace.optimizer.full_batch)


class ParameterGradient(OfParameter):
    """`dL/dW` and the gradients by the other learned numbers: over all rows, with the penalty's part."""

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        return (net.operations[self.owner(net, name.layer)[0].index].gradient(self.learned(name)),)

    def array(self, net: Structure, layer: str) -> Doubles:
        return net.trace.parameter_gradients[self.owner(net, layer)[0].index][self.of]

    def array_formula(self, net: Structure, layer: str) -> str:
        """As the layer says."""
        return self.owner(net, layer)[0].layer.array_formulas.get(self.of, "")

    def uses(self, net: Structure, name: Name) -> int:
        """The parameter after the update."""
        return int(net.runs[self.of, name.layer].trainable and not net.trace.optimizer.full_batch)


class Updated(OfParameter):
    """`W+`, `b+`: the optimizer's own update of one number."""

    def resolve(self, net: Structure, name: Name) -> Name:
        if net.without_update:
            raise InputError(f'"{name}": no update is asked for (a worksheet says it in [update])')
        return super().resolve(net, name)

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """What the optimizer does to a number and its gradient."""
        trace, run = net.trace, net.runs[self.of, name.layer]
        own, gradient = name._replace(kind=self.of), name._replace(kind=f"dL/d{self.of}")
        if not run.trainable:
            return (Products((Part((own,)),), f"{self.spelled} = {self.of}"),)
        if trace.optimizer.full_batch:
            raise InputError(f"{trace.optimizer.name} has no update of single parameters: it searches along a line")
        _, span = self.owner(net, name.layer)
        remembered = trace.memory(span.offset + int(np.ravel_multi_index(self.learned(name).index, span.shape)))
        optimizer, t = trace.rule(run), trace.optimizer_step

        def function(points: Doubles) -> Doubles:
            w, g = points[:, 0].copy(), points[:, 1].copy()
            trace.update(run, w, g, np.repeat(remembered, len(points), axis=1))
            return w

        memory = zip(optimizer.slot_letters, map(float, remembered[:, 0]), strict=False)
        numbers = {"rate": trace.moment.rate * run.rate_factor, "t": float(t), **dict(memory)}
        letters = {"w": own, "g": gradient, **{letter: Number(value) for letter, value in numbers.items()}}
        text = optimizer.step_formula(t)
        return (FunctionOf((own, gradient), function, text, lambda: bound(text, letters, optimizer)),)

    def array(self, net: Structure, layer: str) -> Doubles:
        return net.trace.updated[self.owner(net, layer)[0].index][self.of]


class Count(NetworkKind):
    """`weights[hidden]` from the layer's shape, `parameters[hidden]` as their sum, `weights` over all layers.

    They are asked for by name only: a derivation doesn't list them. What batch normalization learns counts among the
    parameters alone.
    """

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
        layers = [layer for layer in count_parameters(net.program).layers if name.layer in ("", layer.name)]
        if not name.layer:
            each = tuple(Part((Name(name.kind, layer.name),)) for layer in layers)
            return (Products(each, f"{name.kind} = sum over layers"),)
        (layer,) = layers
        numbers = {"weights": layer.weights, "biases": layer.biases}
        own = () if self.spelled in numbers else tuple(Part((Name(kind, name.layer),)) for kind in numbers)
        constant = numbers.get(self.spelled, layer.scales)
        return (Products((*own, *([Part((), float(constant))] if constant else [])), GENERAL[self.spelled]),)

    def uses(self, net: Structure, name: Name) -> int:
        """By the count over all layers, and by that of all parameters."""
        return int(bool(name.layer)) + int(self.spelled != COUNTS[-1])

"""Mistakes on the way forward and back: in `z` and `h`, in `dL/dh`, `dL/dz`, `dL/dW` and `dL/dx`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.explain.marking.mistakes.attempt import Attempt, pre_activation
from chainrule.explain.network.elements import Element, Gradient, Slope
from chainrule.explain.network.learned import ParameterGradient
from chainrule.explain.network.sums import LocalDerivative
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Part, Spread, product
from chainrule.steps import Step

MANY_PATHS = 7


def sign_flipped(a: Attempt) -> Iterator[Spread]:
    """the size is right, the sign is not"""
    yield a.scaled(-1)


def activation_missing(a: Attempt) -> Iterator[Spread]:
    """this is z: the activation was left out"""
    step = a.activation
    if a.name.kind == "h" and step is not None and step.layer.makes != "linear":
        yield a.view.lookup(pre_activation(a.graph, step, a.name))


def pre_activation_used(a: Attempt) -> Iterator[Spread]:
    """z was taken where h belongs"""
    if a.name.kind == "h":
        return
    instead = {}
    for name in a.recipe.inputs:
        source = name
        if isinstance(a.graph.kind(name), LocalDerivative):  # dz/dW is what the weight is multiplied by
            factors = a.graph.recipes(name)[0].inputs
            source = factors[0] if len(factors) == 1 else name
        if source.kind == "h" and source.layer in a.graph.activation_steps:
            instead[name] = pre_activation(a.graph, a.graph.activation_steps[source.layer], source)
    yield from a.exchanged(instead)


def bias_missing(a: Attempt) -> Iterator[Spread]:
    """the bias was left out"""
    if isinstance(a.kind, Element):
        kept = [part for part in a.parts if not (len(part.factors) == 1 and a.learned(part.factors[0]))]
        if len(kept) < len(a.parts):
            yield a.summed(kept)


def softmax_without_exp(a: Attempt) -> Iterator[Spread]:
    """z was divided by the sum of z, without exp"""
    step = a.activation
    if a.name.kind == "h" and step is not None and a.graph.is_coupled(step):
        row, unit = a.place
        names = [a.graph.name_of(step.inputs[0], row, k) for k in range(a.graph.sizes[step.output])]
        with np.errstate(all="ignore"):
            yield a.through(lambda z: z[:, unit] / z.sum(axis=1), *names)


def input_missing(a: Attempt) -> Iterator[Spread]:
    """this is dL/dz: the factor dz/dW, the input of the weight, was left out"""
    if a.name.kind == "dL/dW":
        yield from gradient_by_unit(a)


def gradient_by_unit(a: Attempt) -> Iterator[Spread]:
    """The gradient by a unit in place of that by one of its parameters."""
    if isinstance(a.kind, ParameterGradient):
        local = {n for n in a.recipe.inputs if isinstance(a.graph.kind(n), LocalDerivative)}
        if local and a.parts:
            yield a.summed([Part(tuple(n for n in p.factors if n not in local), p.coefficient) for p in a.parts])


def weights_transposed(a: Attempt) -> Iterator[Spread]:
    """W was read across: rows and columns are exchanged"""
    if not isinstance(a.kind, (Element, Gradient)) or not a.parts:
        return
    instead = {}
    for name in a.recipe.inputs:
        if a.learned(name) and len(name.index) == 2:
            _, span = a.graph.parameter_steps[name.kind, name.layer]
            i, j = (k - 1 for k in name.index)
            row, column = divmod(j * span.shape[0] + i, span.shape[1])
            instead[name] = name._replace(index=(row + 1, column + 1))
    yield from a.exchanged(instead)


def delta_for_output_gradient(a: Attempt) -> Iterator[Spread]:
    """this is dL/dz of the output, not dL/dh: dh/dz is already in it"""
    if not a.is_delta or a.head is None:
        return
    for step in a.graph.activation_steps.values():
        if step.output == a.slot:
            delta = a.graph.name_of(step.inputs[0], *a.place, gradient=True)
            view = a.view.trying({a.name: a.right})
            yield from (view.carried(recipe) for recipe in a.graph.recipes(delta))


def output_gradient_for_delta(a: Attempt) -> Iterator[Spread]:
    """this is dL/dh of the output: the factor dh/dz was left out"""
    if a.head is not None:
        yield from activation_derivative_missing(a)


def activation_derivative_missing(a: Attempt) -> Iterator[Spread]:
    """the factor dh/dz was left out"""
    if a.is_delta and a.activation is not None:
        yield _gradient_by_h(a, a.activation)


def _gradient_by_h(a: Attempt, step: Step) -> Spread:
    return a.view.lookup(a.graph.name_of(step.output, *a.place, gradient=True))


def activation_derivative_repeated(a: Attempt) -> Iterator[Spread]:
    """the factor dh/dz was applied twice"""
    step = a.activation
    if a.is_delta and step is not None and not a.graph.is_coupled(step):
        slope = a.view.lookup(Name("dh/dz", step.name, a.name.index, a.name.row))
        yield product(1.0, [_gradient_by_h(a, step), slope, slope])


def activation_derivative_at_z(a: Attempt) -> Iterator[Spread]:
    """the derivative of the activation was taken at the wrong place (f'(h), or z for h)"""
    step = a.activation
    is_slope = isinstance(a.kind, Slope)
    if not (a.is_delta or is_slope) or step is None or step.layer.applies is None or a.graph.is_coupled(step):
        return
    f, h, z = step.layer.applies, *(a.graph.name_of(slot, *a.place) for slot in (step.output, step.inputs[0]))

    def at_h(points: Doubles) -> Array:
        return f.derivative(points[:, 0] if f.needs == "z" else f.value(points[:, 0]))

    def from_z(points: Doubles) -> Array:
        return f.derivative(points[:, 0])

    for function, source in [(at_h, h), (from_z, z)][: 2 if f.needs == "h" else 1]:
        slope = a.through(function, source)
        yield slope if is_slope else product(1.0, [_gradient_by_h(a, step), slope])


def path_missing(a: Attempt) -> Iterator[Spread]:
    """one or more of the paths that are to be summed were left out"""
    if not isinstance(a.kind, Gradient) or a.kind.of == "z":
        return
    n = len(a.parts)
    for size in range(n - 1, 0, -1) if n <= MANY_PATHS else (n - 1, 1):
        yield from (a.summed(list(kept)) for kept in combinations(a.parts, size))


def updated_weight_used(a: Attempt) -> Iterator[Spread]:
    """the weight after the update was used; back-propagation takes the one before"""
    if isinstance(a.kind, Gradient) and not a.graph.trace.optimizer.full_batch:
        yield from a.exchanged({n: n._replace(kind=f"{n.kind}+") for n in a.recipe.inputs if a.learned(n)})

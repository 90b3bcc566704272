"""Mistakes on the way back: in `dL/dh`, `dL/dz`, `dL/dW` and `dL/dx`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from chainrule.activations import ActivationFunction
from chainrule.arrays import Array, Doubles
from chainrule.explain.marking.mistakes.attempt import Attempt
from chainrule.explain.network.activated import Slope
from chainrule.explain.network.elements import Gradient
from chainrule.explain.network.learned import ParameterGradient
from chainrule.explain.network.sums import LocalDerivative
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Part, Products
from chainrule.explain.quantities.rounding import Function, Spread, product, through
from chainrule.steps import Step

MANY_PATHS = 7


def input_missing(a: Attempt) -> Iterator[Spread]:
    """dL/dW = dL/dz."""
    if a.name.kind == "dL/dW":
        yield from gradient_by_unit(a)


def gradient_by_unit(a: Attempt) -> Iterator[Spread]:
    """The gradient by a unit in place of that by one of its parameters."""
    if isinstance(a.kind, ParameterGradient) and isinstance(a.recipe, Products):
        local = {n for n in a.recipe.inputs if isinstance(a.graph.kind(n), LocalDerivative)}
        if local:
            parts = [(tuple(n for n in part.factors if n not in local), part.coefficient) for part in a.recipe.parts]
            yield a.parts([Part(*part) for part in parts])


def delta_for_output_gradient(a: Attempt) -> Iterator[Spread]:
    """dL/dz written for the dL/dh of an output."""
    index = a.head()
    if not a.is_delta or index is None:
        return
    for step in a.graph.activation_steps.values():
        if step.output == a.slot:
            delta = a.graph.name_of(step.inputs[0], *a.place, gradient=True)
            view = a.view.trying({a.name: a.right})
            for recipe in a.graph.recipes(delta):
                yield view.carried(recipe)


def output_gradient_for_delta(a: Attempt) -> Iterator[Spread]:
    """dL/dh written for the dL/dz of an output: dh/dz left out."""
    if a.head() is not None:
        yield from activation_derivative_missing(a)


def activation_derivative_missing(a: Attempt) -> Iterator[Spread]:
    """dL/dz without dh/dz."""
    step = a.activation()
    if a.is_delta and step is not None:
        yield _gradient_by_h(a, step)


def _gradient_by_h(a: Attempt, step: Step) -> Spread:
    return a.view.lookup(a.graph.name_of(step.output, *a.place, gradient=True))


def activation_derivative_repeated(a: Attempt) -> Iterator[Spread]:
    """dh/dz applied twice."""
    step = a.activation()
    if not a.is_delta or step is None or a.graph.is_coupled(step):
        return
    slope = Name("dh/dz", step.name, a.name.index, a.name.row)
    yield product(1.0, [_gradient_by_h(a, step), *[a.view.lookup(slope)] * 2])


def activation_derivative_at_z(a: Attempt) -> Iterator[Spread]:
    """dh/dz taken as f'(h), or from z as if it were h (for the sigmoid z(1 - z))."""
    step = a.activation()
    is_slope = isinstance(a.kind, Slope)
    if not (a.is_delta or is_slope) or step is None or step.layer.applies is None or a.graph.is_coupled(step):
        return
    h, z = a.graph.name_of(step.output, *a.place), a.graph.name_of(step.inputs[0], *a.place)
    for source, function in _misplaced(step.layer.applies, h, z):
        slope = through(function, [a.view.lookup(source)])
        yield slope if is_slope else product(1.0, [_gradient_by_h(a, step), slope])


def _misplaced(f: ActivationFunction, h: Name, z: Name) -> list[tuple[Name, Function]]:
    def at_h(points: Doubles) -> Array:
        return f.derivative(points[:, 0] if f.needs == "z" else f.value(points[:, 0]))

    def from_z(points: Doubles) -> Array:
        return f.derivative(points[:, 0])

    return [(h, at_h), (z, from_z)] if f.needs == "h" else [(h, at_h)]


def path_missing(a: Attempt) -> Iterator[Spread]:
    """One or more of the summed paths left out."""
    if not isinstance(a.kind, Gradient) or a.kind.of == "z" or not isinstance(a.recipe, Products):
        return
    parts = list(a.recipe.parts)
    sizes = range(len(parts) - 1, 0, -1) if len(parts) <= MANY_PATHS else (len(parts) - 1, 1)
    for size in sizes:
        for kept in combinations(parts, size):
            yield a.parts(list(kept))


def updated_weight_used(a: Attempt) -> Iterator[Spread]:
    """The weight after the update taken for the one before."""
    if not isinstance(a.kind, Gradient) or a.graph.trace.optimizer.full_batch:
        return
    if weights := [n for n in a.recipe.inputs if a.learned(n)]:
        yield a.view.carried(a.recipe, {n: a.view.lookup(n._replace(kind=f"{n.kind}+")) for n in weights})

"""Mistakes that only some networks allow: layers of one's own, dropout, batch normalization, heads that count more."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.arrays import Array, Doubles
from chainrule.explain.marking.mistakes.attempt import Attempt
from chainrule.explain.marking.mistakes.backward import gradient_by_unit
from chainrule.explain.network.costs import Share, Total
from chainrule.explain.network.elements import Element
from chainrule.explain.network.whole import Normalized
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Part, Products
from chainrule.explain.quantities.rounding import Spread, product, through
from chainrule.layers import BatchNorm, Dropout
from chainrule.steps import Step


def head_weight_missing(a: Attempt) -> Iterator[Spread]:
    """A head's loss taken as if it counted once."""
    heads = a.graph.trace.heads
    weighted = [head for head in heads if head.weight not in (0, 1)]
    if isinstance(a.kind, Total) and isinstance(a.recipe, Products):
        for head in weighted:
            layer = "" if a.graph.single_head else head.head
            firsts = [part.factors[0] for part in a.recipe.parts]
            mine = [isinstance(a.graph.kind(first), Share) and first.layer == layer for first in firsts]
            pairs = zip(a.recipe.parts, mine, strict=True)
            yield a.parts([Part(p.factors, p.coefficient / (head.weight if own else 1.0)) for p, own in pairs])
    index = a.head()
    if a.is_delta and index is not None and heads[index] in weighted:
        yield product(1 / heads[index].weight, [a.right])


def derivative_by_parameter_missing(a: Attempt) -> Iterator[Spread]:
    """The gradient by a unit written for that by its parameter, in a layer that is no dense one: dL/dgain = dL/dh."""
    if a.name.kind != "dL/dW":
        yield from gradient_by_unit(a)


def dropout_scale_missing(a: Attempt) -> Iterator[Spread]:
    """Kept units not divided by the share that is kept."""
    yield from _with_mask(a, lambda coefficient, rate: 1.0 if coefficient else 0.0)


def mask_missing(a: Attempt) -> Iterator[Spread]:
    """A silent unit taken for one that is kept, with or without the division."""
    yield from _with_mask(a, lambda coefficient, rate: coefficient or 1 / (1 - rate))
    yield from _with_mask(a, lambda coefficient, rate: 1.0)
    instead = {}
    for name in a.recipe.inputs:
        step = _dropout_of(a, name)
        if step is not None:
            instead[name] = a.view.lookup(a.graph.name_of(step.inputs[0], a.graph.rows[name.row], name.index[0] - 1))
    if instead:
        yield a.view.carried(a.recipe, instead)


def _dropout_of(a: Attempt, name: Name) -> Step | None:
    """The dropout that makes a value."""
    if name.kind != "h" or not a.graph.trace.training:
        return None
    steps = (step for step in a.graph.program.steps if isinstance(step.layer, Dropout))
    return next((step for step in steps if step.name == name.layer), None)


def _with_mask(a: Attempt, change: object) -> Iterator[Spread]:
    """The quantity with other coefficients where dropout made them."""
    assert callable(change)
    if not isinstance(a.recipe, Products) or not a.graph.trace.training:
        return
    rates = {step.name: step.layer.rate for step in a.graph.program.steps if isinstance(step.layer, Dropout)}
    parts, changed = [], False
    for part in a.recipe.parts:
        owner = a.name if isinstance(a.kind, Element) else part.factors[0] if part.factors else None
        coefficient = part.coefficient
        if owner is not None and owner.kind in ("h", "dL/dh") and owner.layer in rates:
            coefficient = change(coefficient, rates[owner.layer])
        changed = changed or coefficient != part.coefficient
        parts.append(Part(part.factors, coefficient))
    if changed:
        yield a.parts(parts)


def normalization_missing(a: Attempt) -> Iterator[Spread]:
    """What batch normalization reads taken for what it makes, and the same on the way back."""
    step = _norm_of(a)
    if step is None:
        return
    names, place = _column(a, step)
    scale, shift, *column = [a.view.lookup(name) for name in names]
    if isinstance(a.kind, Element):
        yield column[place]
        yield through(lambda v: v[:, 0] * v[:, 1] + v[:, 2], [scale, column[place], shift])
    else:
        delta = a.view.lookup(a.graph.name_of(step.output, *a.place, gradient=True))
        yield delta
        yield product(1.0, [delta, scale])


def _column(a: Attempt, step: Step) -> tuple[tuple[Name, ...], int]:
    operation = a.graph.operations[step.index]
    assert isinstance(operation, Normalized)
    return operation.column(*a.place)


def statistics_taken_as_fixed(a: Attempt) -> Iterator[Spread]:
    """Mean and variance of the batch taken as constants on the way back."""
    step = _norm_of(a)
    if step is None or isinstance(a.kind, Element) or not a.graph.trace.training:
        return
    assert isinstance(step.layer, BatchNorm)
    epsilon = step.layer.epsilon
    names, _ = _column(a, step)
    delta = a.graph.name_of(step.output, *a.place, gradient=True)

    def function(points: Doubles) -> Array:
        return points[:, 0] * points[:, -1] / (points[:, 2:-1].var(axis=1) + epsilon) ** 0.5

    yield through(function, [a.view.lookup(name) for name in (*names, delta)])


def unbiased_variance(a: Attempt) -> Iterator[Spread]:
    """The variance of the batch divided by n - 1, not by n."""
    step = _norm_of(a)
    if step is None or not isinstance(a.kind, Element) or not a.graph.trace.training or a.graph.trace.n_rows < 2:
        return
    assert isinstance(step.layer, BatchNorm)
    epsilon = step.layer.epsilon
    names, place = _column(a, step)

    def function(points: Doubles) -> Array:
        x = points[:, 2:]
        x_hat = (x[:, place] - x.mean(axis=1)) / (x.var(axis=1, ddof=1) + epsilon) ** 0.5
        return points[:, 0] * x_hat + points[:, 1]

    yield through(function, [a.view.lookup(name) for name in names])


def _norm_of(a: Attempt) -> Step | None:
    """The batch normalization that makes `h`, or that alone reads the value of a gradient."""
    steps = a.graph.program.steps
    if isinstance(a.kind, Element):
        found = [step for step in steps if step.output == a.graph.slots[a.name.kind, a.name.layer]]
    elif a.is_delta:
        found = [step for step in steps if a.slot in step.inputs]
    else:
        return None
    return found[0] if len(found) == 1 and isinstance(found[0].layer, BatchNorm) else None

"""Mistakes that only some networks allow: layers of one's own, dropout, batch normalization, heads that count more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from chainrule.arrays import Array, Doubles
from chainrule.explain.marking.mistakes.attempt import Attempt
from chainrule.explain.marking.mistakes.passes import gradient_by_unit
from chainrule.explain.network.costs import Share, Total
from chainrule.explain.network.elements import Element
from chainrule.explain.network.whole import Normalized
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Part, Spread, product, through
from chainrule.layers import BatchNorm, Dropout
from chainrule.steps import Step


def head_weight_missing(a: Attempt) -> Iterator[Spread]:
    """the weight with which this head's loss counts was left out"""
    heads = a.graph.trace.heads
    for head in heads if isinstance(a.kind, Total) and a.parts else ():
        if head.weight in (0, 1):
            continue
        layer = "" if a.graph.single_head else head.head
        parts = []
        for part in a.parts:
            share = part.factors[0]
            own = isinstance(a.graph.kind(share), Share) and share.layer == layer
            parts.append(Part(part.factors, part.coefficient / (head.weight if own else 1.0)))
        yield a.summed(parts)
    if a.is_delta and a.head is not None and heads[a.head].weight not in (0, 1):
        yield a.scaled(1 / heads[a.head].weight)


def derivative_by_parameter_missing(a: Attempt) -> Iterator[Spread]:
    """this is the gradient by the unit: its derivative by the parameter was left out"""
    if a.name.kind != "dL/dW":
        yield from gradient_by_unit(a)


def dropout_scale_missing(a: Attempt) -> Iterator[Spread]:
    """kept units were not divided by the share that dropout keeps"""
    yield from _with_mask(a, lambda coefficient, rate: 1.0 if coefficient else 0.0)


def mask_missing(a: Attempt) -> Iterator[Spread]:
    """this unit is silent in this step: dropout's mask was left out"""
    yield from _with_mask(a, lambda coefficient, rate: coefficient or 1 / (1 - rate))
    yield from _with_mask(a, lambda coefficient, rate: 1.0)
    dropouts = _dropouts(a)
    instead = {}
    for name in a.recipe.inputs:
        if name.kind == "h" and name.layer in dropouts:
            before, _ = dropouts[name.layer]
            instead[name] = a.graph.name_of(before, a.graph.rows[name.row], name.index[0] - 1)
    yield from a.exchanged(instead)


def _dropouts(a: Attempt) -> dict[str, tuple[int, float]]:
    """What the dropouts that are at work read, and their rates, by layer."""
    steps, context = a.graph.program.steps if a.graph.trace.training else (), a.graph.trace.context
    return {
        step.name: (step.inputs[0], step.layer.rate_at(replace(context, layer=step.index)))
        for step in steps
        if isinstance(step.layer, Dropout)
    }


def _with_mask(a: Attempt, change: Callable[[float, float], float]) -> Iterator[Spread]:
    """The quantity with other coefficients where dropout made them."""
    dropouts = _dropouts(a)
    parts = []
    for part in a.parts:
        owner = a.name if isinstance(a.kind, Element) else part.factors[0] if part.factors else None
        coefficient = part.coefficient
        if owner is not None and owner.kind in ("h", "dL/dh") and owner.layer in dropouts:
            coefficient = change(coefficient, dropouts[owner.layer][1])
        parts.append(Part(part.factors, coefficient))
    if any(part.coefficient != before.coefficient for part, before in zip(parts, a.parts, strict=True)):
        yield a.summed(parts)


def normalization_missing(a: Attempt) -> Iterator[Spread]:
    """batch normalization was left out"""
    found = _normalized(a)
    if found is None:
        return
    step, _, names, place = found
    scale, shift, *column = [a.view.lookup(name) for name in names]
    if isinstance(a.kind, Element):
        yield column[place]
        yield through(lambda v: v[:, 0] * v[:, 1] + v[:, 2], [scale, column[place], shift])
    else:
        delta = a.view.lookup(a.graph.name_of(step.output, *a.place, gradient=True))
        yield delta
        yield product(1.0, [delta, scale])


def statistics_taken_as_fixed(a: Attempt) -> Iterator[Spread]:
    """mean and variance of the batch depend on x too: that part was left out"""
    found = _normalized(a)
    if found is None or isinstance(a.kind, Element) or not a.graph.trace.training:
        return
    step, epsilon, names, _ = found

    def function(points: Doubles) -> Array:
        return points[:, 0] * points[:, -1] / (points[:, 2:-1].var(axis=1) + epsilon) ** 0.5

    yield a.through(function, *names, a.graph.name_of(step.output, *a.place, gradient=True))


def unbiased_variance(a: Attempt) -> Iterator[Spread]:
    """the variance was divided by n - 1; batch normalization divides by n"""
    found = _normalized(a)
    if found is None or not isinstance(a.kind, Element) or not a.graph.trace.training or a.graph.trace.n_rows < 2:
        return
    _, epsilon, names, place = found

    def function(points: Doubles) -> Array:
        x = points[:, 2:]
        x_hat = (x[:, place] - x.mean(axis=1)) / (x.var(axis=1, ddof=1) + epsilon) ** 0.5
        return points[:, 0] * x_hat + points[:, 1]

    yield a.through(function, *names)


def _normalized(a: Attempt) -> tuple[Step, float, tuple[Name, ...], int] | None:
    """The batch normalization that makes `h`, or that alone reads the value of a gradient.

    With its epsilon, the numbers that it computes with (its scale, its shift, the column), and the row's place there.
    """
    steps = a.graph.program.steps
    if isinstance(a.kind, Element):
        found = [step for step in steps if step.output == a.graph.slots[a.name.kind, a.name.layer]]
    else:
        found = [step for step in steps if a.is_delta and a.slot in step.inputs]
    if len(found) != 1 or not isinstance(found[0].layer, BatchNorm):
        return None
    operation = a.graph.operations[found[0].index]
    assert isinstance(operation, Normalized)
    return found[0], found[0].layer.epsilon, *operation.column(*a.place)

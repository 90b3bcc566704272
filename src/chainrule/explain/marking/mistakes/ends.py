"""Mistakes at both ends of the way back: in the loss and its gradients by the outputs, and in the update."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.explain.formula import Call, Node, Number, Quotient, evaluate, read_formula, symbols_of
from chainrule.explain.formula.grammar import options_of
from chainrule.explain.formula.tree import rebuild
from chainrule.explain.marking.mistakes.attempt import Attempt
from chainrule.explain.network.costs import HeadGradient, Penalty, Share, Target, Total
from chainrule.explain.network.elements import Element
from chainrule.explain.network.learned import ParameterGradient, Updated
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Spread, product
from chainrule.losses import LOSSES, Loss
from chainrule.parameters import ParameterRun

CROSS_ENTROPIES = ("binary_cross_entropy", "cross_entropy")
LOGARITHMIC = (*CROSS_ENTROPIES, "poisson", "poisson_deviance")


def target_output_swapped(a: Attempt) -> Iterator[Spread]:
    """target and output are exchanged: y - h for h - y"""
    if a.head is None:
        return
    if a.is_delta:
        yield a.scaled(-1)
    if isinstance(a.recipe, FunctionOf):
        targets, outputs = ([n for n in a.recipe.inputs if isinstance(a.graph.kind(n), k)] for k in (Target, Element))
        if len(targets) == len(outputs) == 1:
            yield from a.exchanged({targets[0]: outputs[0], outputs[0]: targets[0]})


def log_base(a: Attempt) -> Iterator[Spread]:
    """the logarithm is to another base; the loss takes the natural one"""
    heads, bases = a.graph.trace.heads, (math.log(10), math.log(2))
    if isinstance(a.kind, Total):
        if all(head.loss.name in CROSS_ENTROPIES for head in heads):
            yield from (_reweighted(a, 1 / base) for base in bases)
    elif a.head is not None and not isinstance(a.kind, Share):
        if heads[a.head].loss.name in CROSS_ENTROPIES:
            yield from (a.scaled(1 / base) for base in bases)
    elif a.head is not None and heads[a.head].loss.name in LOGARITHMIC:
        tree = a.graph.recipes(a.name)[0].tree()
        if tree is not None:
            yield from (_with_logarithm(a, tree, base) for base in bases)


def _with_logarithm(a: Attempt, tree: Node, base: float) -> Spread:
    """A formula with logarithms to another base, those of 0 left out as the loss leaves them out."""

    def change(node: Node) -> Node | None:
        return Quotient(node, Number(base)) if isinstance(node, Call) and node.function == "log" else None

    other = rebuild(tree, change)
    names = [name for name in symbols_of(other) if isinstance(name, Name)]

    def function(points: Doubles) -> Array:
        values = {name: points[:, i] for i, name in enumerate(names)}
        return np.nan_to_num(np.broadcast_to(evaluate(other, values), len(points)), nan=0.0)

    return a.through(function, *names)


def _reweighted(a: Attempt, factor: float, penalty: float = 1.0) -> Spread:
    """L, or the gradient by a parameter, with all of it scaled but the penalty, or the penalty otherwise."""
    return a.reweighted(lambda part: penalty if _is_penalty(a, part) else factor)


def _is_penalty(a: Attempt, part: Part) -> bool:
    """Whether a summand of L, or of a gradient by a parameter, is the penalty's."""
    return isinstance(a.graph.kind(part.factors[0]), Penalty) if isinstance(a.kind, Total) else part.outer is None


def _has_penalty(a: Attempt) -> bool:
    return isinstance(a.kind, (Total, ParameterGradient)) and any(_is_penalty(a, part) for part in a.parts)


def factor_two(a: Attempt) -> Iterator[Spread]:
    """a factor of 2 is too many or too few"""
    for factor in (2, 0.5):
        if isinstance(a.kind, Total):
            yield _reweighted(a, factor)
        elif _has_penalty(a):
            yield _reweighted(a, 1.0, factor)
    if a.head is not None or isinstance(a.kind, (Total, Penalty, ParameterGradient)):
        yield from (a.scaled(factor) for factor in (2, 0.5))


def mean_sum_confused(a: Attempt) -> Iterator[Spread]:
    """a mean was taken for a sum, or a sum for a mean"""
    if a.head is None and not isinstance(a.kind, (Total, ParameterGradient)):
        return
    for n in sorted({a.graph.trace.n_rows, *(head.outputs for head in a.graph.trace.heads)} - {1}):
        for factor in (n, 1 / n):
            if _has_penalty(a):
                yield _reweighted(a, factor)
            yield a.scaled(factor)


def penalty_missing(a: Attempt) -> Iterator[Spread]:
    """the penalty on the weights was left out"""
    if _has_penalty(a):
        yield a.summed([part for part in a.parts if not _is_penalty(a, part)])


def other_loss(a: Attempt) -> Iterator[Spread]:
    """this is right for another loss"""
    if a.head is not None and a.graph.trace.heads[a.head].loss.separable:
        own = type(a.graph.trace.heads[a.head].loss)
        with np.errstate(all="ignore"):
            for loss in LOSSES.values():
                yield from _by_other_loss(a, a.head, loss()) if loss is not own else ()


def _by_other_loss(a: Attempt, i: int, loss: Loss) -> Iterator[Spread]:
    row, unit = a.place
    factor = 1.0 if isinstance(a.kind, HeadGradient) else float(a.graph.trace.row_factors[i][row])
    head = "" if a.graph.single_head else a.graph.trace.heads[i].head
    h, y = a.graph.name_of(a.graph.head_slots[i], row, unit), Name("y", head, (unit + 1,), a.name.row)
    if isinstance(a.kind, Share):
        yield a.through(lambda points: loss.rows(points[:, [1]], points[:, [0]]), h, y)
        return
    gradient = a.through(lambda points: factor * loss.gradient(points[:, [1]], points[:, [0]])[:, 0], h, y)
    if isinstance(a.kind, HeadGradient) or a.name.kind == "dL/dh":
        yield gradient
        return
    step = a.activation
    if step is None or not a.graph.is_coupled(step):
        slopes = [] if step is None else [a.view.lookup(Name("dh/dz", step.name, a.name.index, a.name.row))]
        yield product(1.0, [gradient, *slopes])
    if loss.fuses_with is not None:  # the difference h - y, whichever activation stands before
        target = a.view.lookup(y).point
        yield product(factor, [Spread(*(o - target for o in a.view.lookup(h)))])


def learning_rate_missing(a: Attempt) -> Iterator[Spread]:
    """the learning rate was left out"""
    if _is_update(a):
        yield _other_update(a, rate=1.0)


def gradient_ascent(a: Attempt) -> Iterator[Spread]:
    """the step was added; descent subtracts it"""
    if _is_update(a):
        own = a.view.lookup(a.recipe.inputs[0])
        yield Spread(*(2 * own.point - end for end in (a.right.point, a.right.high, a.right.low)))
        yield _other_update(a, sign=-1.0)


def _is_update(a: Attempt) -> bool:
    return isinstance(a.kind, Updated) and isinstance(a.recipe, FunctionOf)


def _remembered(a: Attempt) -> tuple[Array, ParameterRun]:
    """What the optimizer remembers of the number, and how it treats it."""
    _, span = a.graph.parameter_steps[a.kind.of, a.name.layer]
    flat = span.offset + int(np.ravel_multi_index([i - 1 for i in a.name.index], span.shape))
    return a.graph.trace.memory(flat), a.graph.trace.objective.run_at(span.offset)


def _other_update(a: Attempt, rate: float | None = None, sign: float = 1.0) -> Spread:
    remembered, run = _remembered(a)

    def function(points: Doubles) -> Array:
        w, g = points[:, 0].copy(), sign * points[:, 1]
        a.graph.trace.update(run, w, g, np.repeat(remembered, len(points), axis=1), rate)
        return w

    return a.through(function, *a.recipe.inputs)


def bias_correction_missing(a: Attempt) -> Iterator[Spread]:
    """the correction of the running means for their start was left out"""
    first, second = " / (1 - beta1^t)", " / (1 - beta2^t)"
    yield from _update_by(a, lambda text: text.replace(first, "").replace(second, ""))
    yield from _update_by(a, lambda text: text.replace(first, ""))
    yield from _update_by(a, lambda text: text.replace(second, ""))


def epsilon_inside_root(a: Attempt) -> Iterator[Spread]:
    """epsilon was put under the root; it stands beside it"""
    yield from _update_by(a, lambda text: text.replace(") + epsilon)", " + epsilon))"))


def _update_by(a: Attempt, change: Callable[[str], str]) -> Iterator[Spread]:
    """The update by another formula."""
    if not _is_update(a):
        return
    trace, (remembered, run) = a.graph.trace, _remembered(a)
    optimizer = trace.rule(run)
    text = optimizer.step_formula(trace.optimizer_step)
    if change(text) == text:
        return
    tree = read_formula(change(text)).right
    numbers = {key: node.value for key, node in options_of(optimizer).items() if isinstance(node, Number)}
    numbers |= dict(zip(optimizer.slot_letters, remembered[:, 0], strict=False))
    numbers |= {"rate": trace.moment.rate * run.rate_factor, "t": float(trace.optimizer_step)}
    yield a.through(lambda p: evaluate(tree, {**numbers, "w": p[:, 0], "g": p[:, 1]}), *a.recipe.inputs)

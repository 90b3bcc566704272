"""Mistakes in the loss, and in what starts from it: its gradients by the outputs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.explain.formula import Call, Node, Number, Quotient, evaluate
from chainrule.explain.formula.tree import rebuild
from chainrule.explain.marking.mistakes.attempt import Attempt, scaled
from chainrule.explain.network.costs import HeadGradient, Penalty, Share, Target, Total
from chainrule.explain.network.elements import Element
from chainrule.explain.network.learned import ParameterGradient
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Products
from chainrule.explain.quantities.rounding import Spread, product, through
from chainrule.losses import LOSSES, Loss


def target_output_swapped(a: Attempt) -> Iterator[Spread]:
    """Target and output in each other's place."""
    if a.head() is None:
        return
    if a.is_delta:
        yield scaled(a.right, -1)
    swap = dict(_swapped(a))
    if swap and isinstance(a.recipe, FunctionOf):
        yield a.view.carried(a.recipe, {n: a.view.lookup(other) for n, other in swap.items()})


def _swapped(a: Attempt) -> Iterator[tuple[Name, Name]]:
    targets = [n for n in a.recipe.inputs if isinstance(a.graph.kind(n), Target)]
    outputs = [n for n in a.recipe.inputs if isinstance(a.graph.kind(n), Element)]
    if len(targets) == len(outputs) == 1:
        yield targets[0], outputs[0]
        yield outputs[0], targets[0]


LOGARITHMIC = ("binary_cross_entropy", "cross_entropy", "poisson", "poisson_deviance")


def log_base(a: Attempt) -> Iterator[Spread]:
    """log10 or log2 for the natural logarithm."""
    index = a.head()
    if isinstance(a.kind, Total):
        heads = a.graph.trace.heads
        if all(head.loss.name in ("binary_cross_entropy", "cross_entropy") for head in heads):
            yield from (_reweighted(a, 1 / math.log(base)) for base in (10, 2))
        return
    if index is None or a.graph.trace.heads[index].loss.name not in LOGARITHMIC:
        return
    if not isinstance(a.kind, Share):
        if a.graph.trace.heads[index].loss.name in ("binary_cross_entropy", "cross_entropy"):
            yield from (scaled(a.right, 1 / math.log(base)) for base in (10, 2))
        return
    tree = a.graph.recipes(a.name)[0].tree()
    if tree is not None:
        for base in (10, 2):
            yield _evaluated(a, _other_logarithm(tree, base))


def _other_logarithm(tree: Node, base: int) -> Node:
    def change(node: Node) -> Node | None:
        if isinstance(node, Call) and node.function == "log":
            return Quotient(node, Number(math.log(base)))
        return None

    return rebuild(tree, change)


def _evaluated(a: Attempt, tree: Node) -> Spread:
    """A tree of names, with logarithms of 0 left out as the loss leaves them out."""
    from chainrule.explain.formula import symbols_of

    names = [name for name in symbols_of(tree) if isinstance(name, Name)]

    def function(points: Doubles) -> Array:
        values = {name: points[:, i] for i, name in enumerate(names)}
        return np.nan_to_num(np.broadcast_to(evaluate(tree, values), len(points)), nan=0.0)

    return through(function, [a.view.lookup(name) for name in names])


def _reweighted(a: Attempt, factor: float, penalty: float = 1.0) -> Spread:
    """L, or the gradient by a parameter, with all of it scaled but the penalty, or the penalty otherwise."""
    assert isinstance(a.recipe, Products)
    factors = (penalty if _is_penalty(a, part) else factor for part in a.recipe.parts)
    return a.parts([Part(p.factors, p.coefficient * f) for p, f in zip(a.recipe.parts, factors, strict=True)])


def _is_penalty(a: Attempt, part: Part) -> bool:
    """Whether a summand of L, or of a gradient by a parameter, is the penalty's."""
    return isinstance(a.graph.kind(part.factors[0]), Penalty) if isinstance(a.kind, Total) else part.outer is None


def _has_penalty(a: Attempt) -> bool:
    if not isinstance(a.kind, (Total, ParameterGradient)) or not isinstance(a.recipe, Products):
        return False
    return any(_is_penalty(a, part) for part in a.recipe.parts)


def factor_two(a: Attempt) -> Iterator[Spread]:
    """A 2 or a half too many or too few; of the penalty's derivative too."""
    for factor in (2, 0.5):
        if isinstance(a.kind, Total):
            yield _reweighted(a, factor)
        elif _has_penalty(a):
            yield _reweighted(a, 1.0, factor)
    if a.head() is not None or isinstance(a.kind, (Total, Penalty, ParameterGradient)):
        yield from (scaled(a.right, factor) for factor in (2, 0.5))


def mean_sum_confused(a: Attempt) -> Iterator[Spread]:
    """Divided by n where a sum is wanted, or not divided where a mean is."""
    counts = {a.graph.trace.n_rows, *(head.outputs for head in a.graph.trace.heads)} - {1}
    if a.head() is None and not isinstance(a.kind, (Total, ParameterGradient)):
        return
    for n in sorted(counts):
        for factor in (n, 1 / n):
            if _has_penalty(a):
                yield _reweighted(a, factor)
            yield scaled(a.right, factor)


def penalty_missing(a: Attempt) -> Iterator[Spread]:
    """The penalty, or its part of a gradient, left out."""
    if _has_penalty(a):
        assert isinstance(a.recipe, Products)
        yield a.parts([part for part in a.recipe.parts if not _is_penalty(a, part)])


def other_loss(a: Attempt) -> Iterator[Spread]:
    """Right for another standard loss."""
    index = a.head()
    if index is None or not a.graph.trace.heads[index].loss.separable:
        return
    head, row = a.graph.trace.heads[index], a.graph.rows[a.name.row]
    factor = 1.0 if isinstance(a.kind, HeadGradient) else float(a.graph.trace.row_factors(index)[row])
    unit = a.name.index[0] - 1
    h = a.graph.name_of(a.graph.head_slots[index], row, unit)
    y = Name("y", "" if a.graph.single_head else head.head, (unit + 1,), a.name.row)
    for cls in LOSSES.values():
        loss = cls()
        if cls is type(head.loss):
            continue
        yield from _by_other_loss(a, loss, h, y, factor)


def _by_other_loss(a: Attempt, loss: Loss, h: Name, y: Name, factor: float) -> Iterator[Spread]:
    output, target = a.view.lookup(h), a.view.lookup(y)

    def share(points: Doubles) -> Array:
        return loss.rows(points[:, [1]], points[:, [0]])

    def gradient(points: Doubles) -> Array:
        return factor * loss.gradient(points[:, [1]], points[:, [0]])[:, 0]

    with np.errstate(all="ignore"):
        if isinstance(a.kind, Share):
            yield through(share, [output, target])
        elif isinstance(a.kind, HeadGradient) or a.name.kind == "dL/dh":
            yield through(gradient, [output, target])
        else:
            step = a.activation()
            if step is None or not a.graph.is_coupled(step):
                slopes = [] if step is None else [a.view.lookup(Name("dh/dz", step.name, a.name.index, a.name.row))]
                yield product(1.0, [through(gradient, [output, target]), *slopes])
            if loss.fuses_with is not None:  # the difference h - y, whichever activation stands before
                yield product(factor, [Spread(*(o - target.point for o in output))])

"""Mistakes in the loss, and in what starts from it: its gradients by the outputs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.explain.formula import Call, Node, Number, Quotient, evaluate
from chainrule.explain.formula.tree import rebuild
from chainrule.explain.marking.mistakes.attempt import BY_PARAMETERS, Attempt, is_penalty, scaled
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Products, Recipe
from chainrule.explain.quantities.rounding import Spread, product, through
from chainrule.losses import LOSSES, Loss


def target_output_swapped(a: Attempt) -> Iterator[Spread]:
    """Target and output in each other's place."""
    if a.head() is None:
        return
    if a.kind in ("dL/dh", "dL/dz"):
        yield scaled(a.right, -1)
    swap = dict(_swapped(a.recipe))
    if swap and isinstance(a.recipe, FunctionOf):
        yield a.view.carried(a.recipe, {n: a.view.lookup(other) for n, other in swap.items()})


def _swapped(recipe: Recipe) -> Iterator[tuple[Name, Name]]:
    targets = [n for n in recipe.inputs if n.kind == "y"]
    outputs = [n for n in recipe.inputs if n.kind in ("h", "z")]
    if len(targets) == len(outputs) == 1:
        yield targets[0], outputs[0]
        yield outputs[0], targets[0]


LOGARITHMIC = ("binary_cross_entropy", "cross_entropy", "poisson", "poisson_deviance")


def log_base(a: Attempt) -> Iterator[Spread]:
    """log10 or log2 for the natural logarithm."""
    index = a.head()
    if a.kind == "L":
        heads = a.graph.trace.heads
        if all(head.loss.name in ("binary_cross_entropy", "cross_entropy") for head in heads):
            yield from (_data_loss(a, 1 / math.log(base)) for base in (10, 2))
        return
    if index is None or a.graph.trace.heads[index].loss.name not in LOGARITHMIC:
        return
    if a.kind != "loss":
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


def _data_loss(a: Attempt, factor: float) -> Spread:
    """L with the losses of the rows scaled, the penalty not."""
    assert isinstance(a.recipe, Products)
    return a.parts(
        [Part(p.factors, p.coefficient * (1.0 if p.factors[0].kind == "penalty" else factor)) for p in a.recipe.parts]
    )


def factor_two(a: Attempt) -> Iterator[Spread]:
    """A 2 or a half too many or too few."""
    if a.kind == "L":
        yield from (_data_loss(a, factor) for factor in (2, 0.5))
    if a.kind == "dL/dW" and isinstance(a.recipe, Products):  # the 2 of the penalty's derivative
        for factor in (2, 0.5):
            parts = [Part(p.factors, p.coefficient * (factor if is_penalty(p) else 1.0)) for p in a.recipe.parts]
            if any(map(is_penalty, parts)):
                yield a.parts(parts)
    if a.head() is not None or a.kind in ("L", "penalty", *BY_PARAMETERS):
        yield from (scaled(a.right, factor) for factor in (2, 0.5))


def mean_sum_confused(a: Attempt) -> Iterator[Spread]:
    """Divided by n where a sum is wanted, or not divided where a mean is."""
    counts = {a.graph.trace.n_rows, *(head.outputs for head in a.graph.trace.heads)} - {1}
    if a.head() is None and a.kind not in ("L", *BY_PARAMETERS):
        return
    for n in sorted(counts):
        for factor in (n, 1 / n):
            if a.kind == "L":
                yield _data_loss(a, factor)
            elif a.kind == "dL/dW" and isinstance(a.recipe, Products):
                yield a.parts(
                    [Part(p.factors, p.coefficient * (1.0 if is_penalty(p) else factor)) for p in a.recipe.parts]
                )
            yield scaled(a.right, factor)


def penalty_missing(a: Attempt) -> Iterator[Spread]:
    """The penalty, or its part of a gradient, left out."""
    if a.kind == "L" and isinstance(a.recipe, Products):
        kept = [p for p in a.recipe.parts if p.factors[0].kind != "penalty"]
    elif a.kind in ("dL/dW", "dL/db") and isinstance(a.recipe, Products):
        kept = [p for p in a.recipe.parts if not is_penalty(p)]
    else:
        return
    assert isinstance(a.recipe, Products)
    if len(kept) < len(a.recipe.parts):
        yield a.parts(kept)


def other_loss(a: Attempt) -> Iterator[Spread]:
    """Right for another standard loss."""
    index = a.head()
    if index is None or not a.graph.trace.heads[index].loss.separable:
        return
    head, row = a.graph.trace.heads[index], a.graph.row_of(a.name)
    factor = float(a.graph.trace.row_factors(index)[row]) if a.kind != "dloss/dh" else 1.0
    unit = a.name.index[0] - 1
    h = a.graph.name_of(a.graph.head_slot(head), row, unit)
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
        if a.kind == "loss":
            yield through(share, [output, target])
        elif a.kind in ("dL/dh", "dloss/dh"):
            yield through(gradient, [output, target])
        else:
            step = a.activation()
            if step is None or not a.graph.is_coupled(step):
                slopes = [] if step is None else [a.view.lookup(Name("dh/dz", step.name, a.name.index, a.name.row))]
                yield product(1.0, [through(gradient, [output, target]), *slopes])
            if loss.fuses_with is not None:  # the difference h - y, whichever activation stands before
                yield product(factor, [Spread(*(o - target.point for o in output))])

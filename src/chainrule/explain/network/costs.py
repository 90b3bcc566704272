"""The loss: each output's share, the whole with its penalties, and the gradient that it starts the way back with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.explain.formula import (
    Negative,
    Node,
    Number,
    Product,
    SumOver,
    Symbol,
    read_formula,
    replace_symbols,
    symbols_of,
)
from chainrule.explain.formula.tree import rebuild
from chainrule.explain.network.values import bound, options_of
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Products, Recipe
from chainrule.losses import Loss
from chainrule.objective import HeadLoss

if TYPE_CHECKING:
    from chainrule.explain.network.graph import Graph

MANY = 2000  # weights; the penalties of more are not written out


def head_slot(graph: Graph, head: HeadLoss) -> int:
    """The slot of a head's output, behind its activation."""
    return head.slot if head.skips is None else graph.program.steps[head.skips].output


def target_name(graph: Graph, head: HeadLoss, row: int, unit: int) -> Name:
    """The name of a target."""
    return Name("y", "" if graph.single_head else head.head, (unit + 1,), graph.row_name(row))


def share_name(graph: Graph, head: HeadLoss, row: int, unit: int | None) -> Name:
    """The name of an output's share of a row's loss, or of the row's loss where it has no shares."""
    return Name(
        "loss", "" if graph.single_head else head.head, () if unit is None else (unit + 1,), graph.row_name(row)
    )


def loss_share(graph: Graph, name: Name) -> tuple[Recipe, ...]:
    """`loss[j]` from the output; a second route from the pre-activation where loss and activation are partners."""
    index = graph._head_index(name)
    head, row = graph.trace.heads[index], graph.row_of(name)
    slot = head_slot(graph, head)
    if not name.index:
        return (_whole_row(graph, index, row),)
    unit = name.index[0] - 1
    loss, _ = head.loss.apart(graph.trace.data.targets[index], head.outputs)
    h, y = graph.name_of(slot, row, unit), target_name(graph, head, row, unit)

    def plain(points: Doubles) -> Array:
        return loss.rows(points[:, [1]], points[:, [0]])

    recipes: list[Recipe] = [
        FunctionOf((h, y), plain, head.loss.formula, lambda: share_tree(head.loss.formula, loss, {"h": h, "y": y}))
    ]
    if head.fused and head.loss.name != "cross_entropy":
        z = graph.name_of(head.slot, row, unit)

        def fused(points: Doubles) -> Array:
            return loss.fused_rows(points[:, [1]], points[:, [0]])

        text = head.loss.fused_formula
        letters = {"z": z, "h": z, "y": y}
        recipes.append(FunctionOf((z, y), fused, text, lambda: share_tree(text, loss, letters), "from z"))
    elif head.fused:
        recipes.append(_fused_class_share(graph, index, row, unit))
    return tuple(recipes)


def _fused_class_share(graph: Graph, index: int, row: int, unit: int) -> FunctionOf:
    """Cross-entropy of a softmax from its pre-activations: `-y_j (z_j - log sum_k exp(z_k))`."""
    head = graph.trace.heads[index]
    loss, _ = head.loss.apart(graph.trace.data.targets[index], head.outputs)
    names = [graph.name_of(head.slot, row, k) for k in range(head.outputs)]

    def fused(points: Doubles) -> Array:
        only = np.zeros((len(points), head.outputs))
        only[:, unit] = 1  # the loss of a row that is certainly of this class is -log h_j
        return points[:, -1] * loss.fused_rows(only, points[:, :-1])

    y = target_name(graph, head, row, unit)
    return FunctionOf((*names, y), fused, head.loss.fused_formula, None, "from z")


def _whole_row(graph: Graph, index: int, row: int) -> FunctionOf:
    """A row's loss by a function that isn't a sum over outputs."""
    head = graph.trace.heads[index]
    slot = head_slot(graph, head)
    target = graph.trace.data.targets[index][[row]]
    names = tuple(graph.name_of(slot, row, k) for k in range(head.outputs))

    def function(points: Doubles) -> Array:
        return np.concatenate([head.loss.rows(target, point[None]) for point in points])

    return FunctionOf(names, function, head.loss.formula)


def share_tree(text: str, loss: Loss, letters: dict[str, Name]) -> Node:
    """The body of a loss's sum over outputs, for one of them."""

    def body(node: Node) -> Node | None:
        return node.body if isinstance(node, SumOver) and node.index == "j" else None

    tree = rebuild(read_formula(text).right, body)
    symbols: dict[str, Node] = {f"{letter}_j": Symbol(name) for letter, name in letters.items()}
    return replace_symbols(tree, options_of(loss) | symbols)


def total_loss(graph: Graph, name: Name) -> tuple[Recipe, ...]:
    """`L`: every row's loss with its factor, and the penalties."""
    parts = []
    for i, head in enumerate(graph.trace.heads):
        factors = graph.trace.row_factors(i)
        units: range | tuple[None] = range(head.outputs) if head.loss.separable else (None,)
        parts += [
            Part((share_name(graph, head, row, unit),), float(factors[row]))
            for row in range(graph.trace.n_rows)
            for unit in units
        ]
    if graph.trace.objective.penalties:
        parts.append(Part((Name("penalty"),)))
    how = "mean" if graph.trace.objective.reduction == "mean" else "sum"
    return (Products(tuple(parts), f"L = {how} over rows of the losses + penalties"),)


def penalty(graph: Graph, name: Name) -> tuple[Recipe, ...]:
    """`l2 sum W^2 + l1 sum |W|` over the charged weights."""
    charged = penalized(graph)
    factor = graph.trace.penalty_factor
    text = "penalty = l2 sum W^2 + l1 sum |W|"
    if len(charged) > MANY:
        return (FunctionOf((), lambda points: np.full(len(points), graph.trace.penalty), text),)
    parts = []
    for weight, l1, l2 in charged:
        if l2:
            parts.append(Part((weight, weight), factor * l2))
        if l1:
            sign = 1.0 if graph.value(weight) >= 0 else -1.0
            parts.append(Part((weight,), factor * l1 * sign))
    return (Products(tuple(parts), text),)


def penalized(graph: Graph) -> list[tuple[Name, float, float]]:
    """Every charged parameter with its l1 and l2."""
    found: list[tuple[Name, float, float]] = []
    for span in graph.trace.network.layout.spans:
        l1, l2 = charges(graph, span.offset)
        if l1 or l2:
            indices = (tuple(i + 1 for i in index) for index in np.ndindex(span.shape))
            found += [(Name(span.name, span.layer, index), l1, l2) for index in indices]
    return found


def charges(graph: Graph, offset: int) -> tuple[float, float]:
    """l1 and l2 of the parameter at an offset of the vector."""
    for run in graph.trace.objective.penalties:
        if run.begin <= offset < run.end:
            return run.l1, run.l2
    return 0.0, 0.0


def head_gradient(graph: Graph, name: Name) -> tuple[Recipe, ...]:
    """`dloss/dh`: the derivative of a head's row loss by its output, before factors and other readers."""
    return (gradient_by_output(graph, graph.head_of[name.layer], graph.row_of(name), name.index[0] - 1, factor=1.0),)


def gradient_by_output(graph: Graph, index: int, row: int, unit: int, factor: float) -> FunctionOf:
    """`dL/dh_j` of an output as the loss gives it, times a factor."""
    head = graph.trace.heads[index]
    slot = head_slot(graph, head)
    if not head.loss.separable:
        target = graph.trace.data.targets[index][[row]]
        names = tuple(graph.name_of(slot, row, k) for k in range(head.outputs))

        def whole(points: Doubles) -> Array:
            return factor * np.concatenate([head.loss.gradient(target, point[None])[:, unit] for point in points])

        return FunctionOf(names, whole, head.loss.gradient_formula)
    loss, _ = head.loss.apart(graph.trace.data.targets[index], head.outputs)
    h, y = graph.name_of(slot, row, unit), target_name(graph, head, row, unit)

    def function(points: Doubles) -> Array:
        return factor * loss.gradient(points[:, [1]], points[:, [0]])[:, 0]

    text = head.loss.gradient_formula
    return FunctionOf((h, y), function, text, lambda: times(factor, bound(text, {"h_j": h, "y_j": y}, loss)))


def fused_gradient(graph: Graph, index: int, row: int, unit: int, factor: float) -> FunctionOf:
    """`dL/dz_j` of a known pair, such as `h_j - y_j`, times a factor."""
    head = graph.trace.heads[index]
    loss, _ = head.loss.apart(graph.trace.data.targets[index], head.outputs)
    text = head.loss.fused_gradient_formula
    letters = {
        "z_j": graph.name_of(head.slot, row, unit),
        "h_j": graph.name_of(head_slot(graph, head), row, unit),
        "y_j": target_name(graph, head, row, unit),
    }
    tree = times(factor, bound(text, letters, loss))
    used = tuple(letters[letter] for letter in symbols_of(read_formula(text).right) if letter in letters)

    def function(points: Doubles) -> Array:
        from chainrule.explain.formula import evaluate

        values = {name: points[:, i] for i, name in enumerate(used)}
        return np.broadcast_to(evaluate(tree, values), len(points))

    return FunctionOf(used, function, text, lambda: tree, "fused")


def times(factor: float, tree: Node) -> Node:
    """A tree with a factor before it, unless that is 1."""
    if factor == 1:
        return tree
    if factor == -1:
        return Negative(tree)
    return Product((Number(factor), tree))

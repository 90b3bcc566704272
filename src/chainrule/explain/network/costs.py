"""The loss: each output's share, the whole with its penalties, and the gradient that it starts the way back with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.errors import InputError
from chainrule.explain.formula import (
    Negative,
    Node,
    Number,
    Product,
    SumOver,
    Symbol,
    evaluate,
    read_formula,
    replace_symbols,
)
from chainrule.explain.formula.tree import rebuild
from chainrule.explain.network.formulas import bound, options_of
from chainrule.explain.network.kind import BACKWARD, LOSSES, TOTAL, NetworkKind, Stage
from chainrule.explain.network.structure import Structure, check_index
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Products, Recipe
from chainrule.losses import Loss

MANY = 2000  # weights; the penalties of more are not written out


@dataclass(frozen=True)
class Target(NetworkKind):
    """`y`: what an output should be."""

    layer: bool = False
    optional_layer: bool = True
    given: bool = True

    def resolve(self, net: Structure, name: Name) -> Name:
        """An output of the head that is said, or of the only one."""
        layer, head = net.resolve_head(name)
        check_index(name, (head.outputs,))
        return name._replace(layer="" if net.single_head else layer)

    def array(self, net: Structure, layer: str) -> Doubles:
        """The targets of the head as numbers: labels are one-hot."""
        return net.trace.targets(net.head_index(layer))

    def uses(self, net: Structure, name: Name) -> int:
        """By the share of the loss and the gradient by the output."""
        return 2 * net.heads[net.head_index(name.layer)].loss.separable


@dataclass(frozen=True)
class Share(NetworkKind):
    """`loss[j]` from the output; a second route from the pre-activation where loss and activation are partners."""

    layer: bool = False
    optional_layer: bool = True
    computed_by = -1  # the fused form is the stable one
    readers = 1

    def resolve(self, net: Structure, name: Name) -> Name:
        """An output's share where the loss is a sum over outputs, else the whole row's."""
        layer, head = net.resolve_head(name)
        if head.loss.separable and not name.index and head.outputs == 1:
            name = name._replace(index=(1,))  # a row's loss is the only output's share
        if head.loss.separable != bool(name.index):
            raise InputError(
                f'"{name}": say which output, {name._replace(index=(1,))}; '
                "a row's loss is the sum of its outputs' shares"
                if head.loss.separable
                else f'"{name}": the loss "{head.loss.name}" is no sum over outputs; ask for "loss"'
            )
        check_index(name, (head.outputs,))
        return name._replace(layer="" if net.single_head else layer)

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """By the loss's formula for one output."""
        index = net.head_index(name.layer)
        head, row = net.heads[index], net.rows[name.row]
        slot = net.head_slots[index]
        if not name.index:
            return (_whole_row(net, index, row),)
        unit = name.index[0] - 1
        loss, _ = net.trace.apart[index]
        h, y = net.name_of(slot, row, unit), net.target_name(head, row, unit)

        def plain(points: Doubles) -> Array:
            return loss.rows(points[:, [1]], points[:, [0]])

        recipes: list[Recipe] = [
            FunctionOf((h, y), plain, head.loss.formula, lambda: share_tree(head.loss.formula, loss, {"h": h, "y": y}))
        ]
        if head.fused and head.loss.name != "cross_entropy":
            z = net.name_of(head.slot, row, unit)

            def fused(points: Doubles) -> Array:
                return loss.fused_rows(points[:, [1]], points[:, [0]])

            text = head.loss.fused_formula
            letters = {"z": z, "h": z, "y": y}
            recipes.append(FunctionOf((z, y), fused, text, lambda: share_tree(text, loss, letters), "from z"))
        elif head.fused:
            recipes.append(_fused_class_share(net, index, row, unit))
        return tuple(recipes)

    def stage(self, net: Structure, layer: str) -> Stage:
        """Head by head."""
        return (LOSSES, net.head_index(layer), 0)


@dataclass(frozen=True)
class Penalty(NetworkKind):
    """`l2 sum W^2 + l1 sum |W|` over the charged weights."""

    layer: bool = False
    per_row: bool = False
    readers = 1

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """Weight by weight, unless there are too many."""
        charged = penalized(net)
        factor = net.trace.penalty_factor
        text = "penalty = l2 sum W^2 + l1 sum |W|"
        if len(charged) > MANY:
            return (FunctionOf((), lambda points: np.full(len(points), net.trace.penalty), text),)
        parts = []
        for weight, l1, l2 in charged:
            if l2:
                parts.append(Part((weight, weight), factor * l2))
            if l1:
                sign = 1.0 if net.parameter(weight) >= 0 else -1.0
                parts.append(Part((weight,), factor * l1 * sign))
        return (Products(tuple(parts), text),)

    def array(self, net: Structure, layer: str) -> Doubles:
        """A single number, as the objective has it."""
        return np.array(net.trace.penalty)

    def stage(self, net: Structure, layer: str) -> Stage:
        """Behind the heads' losses."""
        return (LOSSES, len(net.heads), 0)


@dataclass(frozen=True)
class Total(NetworkKind):
    """`L`: every row's loss with its factor, and the penalties."""

    layer: bool = False
    per_row: bool = False

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """The sum of the shares."""
        parts = []
        for i, head in enumerate(net.heads):
            factors = net.trace.row_factors(i)
            units: range | tuple[None] = range(head.outputs) if head.loss.separable else (None,)
            parts += [
                Part((net.share_name(head, row, unit),), float(factors[row]))
                for row in range(net.trace.n_rows)
                for unit in units
            ]
        if net.trace.objective.penalties:
            parts.append(Part((Name("penalty"),)))
        how = "mean" if net.trace.objective.reduction == "mean" else "sum"
        return (Products(tuple(parts), f"L = {how} over rows of the losses + penalties"),)

    def array(self, net: Structure, layer: str) -> Doubles:
        """A single number, as the engine computed it."""
        return np.array(net.trace.loss)

    def stage(self, net: Structure, layer: str) -> Stage:
        """Between forward and backward."""
        return (TOTAL, 0, 0)


@dataclass(frozen=True)
class HeadGradient(NetworkKind):
    """`dloss/dh`: the derivative of a head's row loss by its output, before factors and other readers."""

    readers = 1

    def resolve(self, net: Structure, name: Name) -> Name:
        """An output of the head that is said."""
        layer, head = net.resolve_head(name)
        check_index(name, (head.outputs,))
        return name._replace(layer=layer)

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """The loss's own derivative."""
        return (gradient_by_output(net, net.head_of[name.layer], net.rows[name.row], name.index[0] - 1, factor=1.0),)

    def stage(self, net: Structure, layer: str) -> Stage:
        """Before the gradient by the output."""
        return (BACKWARD, -net.head_slots[net.head_of[layer]], 0)


def _fused_class_share(net: Structure, index: int, row: int, unit: int) -> FunctionOf:
    """Cross-entropy of a softmax from its pre-activations: `-y_j (z_j - log sum_k exp(z_k))`."""
    head = net.heads[index]
    loss, _ = net.trace.apart[index]
    names = [net.name_of(head.slot, row, k) for k in range(head.outputs)]

    def fused(points: Doubles) -> Array:
        only = np.zeros((len(points), head.outputs))
        only[:, unit] = 1  # the loss of a row that is certainly of this class is -log h_j
        return points[:, -1] * loss.fused_rows(only, points[:, :-1])

    y = net.target_name(head, row, unit)
    return FunctionOf((*names, y), fused, head.loss.fused_formula, None, "from z")


def _whole_row(net: Structure, index: int, row: int) -> FunctionOf:
    """A row's loss by a function that isn't a sum over outputs."""
    head = net.heads[index]
    slot = net.head_slots[index]
    target = net.trace.data.targets[index][[row]]
    names = tuple(net.name_of(slot, row, k) for k in range(head.outputs))

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


def penalized(net: Structure) -> list[tuple[Name, float, float]]:
    """Every charged parameter with its l1 and l2."""
    found: list[tuple[Name, float, float]] = []
    for span in net.trace.network.layout.spans:
        l1, l2 = net.runs[span.name, span.layer].charge
        if l1 or l2:
            indices = (tuple(i + 1 for i in index) for index in np.ndindex(span.shape))
            found += [(Name(span.name, span.layer, index), l1, l2) for index in indices]
    return found


def gradient_by_output(net: Structure, index: int, row: int, unit: int, factor: float) -> FunctionOf:
    """`dL/dh_j` of an output as the loss gives it, times a factor."""
    head = net.heads[index]
    slot = net.head_slots[index]
    if not head.loss.separable:
        target = net.trace.data.targets[index][[row]]
        names = tuple(net.name_of(slot, row, k) for k in range(head.outputs))

        def whole(points: Doubles) -> Array:
            return factor * np.concatenate([head.loss.gradient(target, point[None])[:, unit] for point in points])

        return FunctionOf(names, whole, head.loss.gradient_formula)
    loss, _ = net.trace.apart[index]
    h, y = net.name_of(slot, row, unit), net.target_name(head, row, unit)

    def function(points: Doubles) -> Array:
        return factor * loss.gradient(points[:, [1]], points[:, [0]])[:, 0]

    text = head.loss.gradient_formula
    return FunctionOf((h, y), function, text, lambda: times(factor, bound(text, {"h_j": h, "y_j": y}, loss)))


def fused_gradient(net: Structure, index: int, row: int, unit: int, factor: float) -> FunctionOf:
    """`dL/dz_j` of a known pair, such as `h_j - y_j`, times a factor."""
    head = net.heads[index]
    loss, _ = net.trace.apart[index]
    text = head.loss.fused_gradient_formula
    letters = {
        "z_j": net.name_of(head.slot, row, unit),
        "h_j": net.name_of(net.head_slots[index], row, unit),
        "y_j": net.target_name(head, row, unit),
    }
    used = tuple(letter for letter in read_formula(text).letters if letter in letters)
    names = tuple(letters[letter] for letter in used)

    def function(points: Doubles) -> Array:
        values: dict[str, Any] = {letter: number.value for letter, number in options_of(loss).items()}
        values |= zip(used, points.T, strict=True)
        return np.broadcast_to(factor * evaluate(read_formula(text).right, values), len(points))

    def tree() -> Node:
        return times(factor, bound(text, dict(zip(used, names, strict=True)), loss))

    return FunctionOf(names, function, text, tree, "fused")


def times(factor: float, tree: Node) -> Node:
    """A tree with a factor before it, unless that is 1."""
    if factor == 1:
        return tree
    if factor == -1:
        return Negative(tree)
    return Product((Number(factor), tree))

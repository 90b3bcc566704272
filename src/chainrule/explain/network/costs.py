"""The loss: each output's share, the whole with its penalties, and the gradient that it starts the way back with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import product

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.errors import InputError
from chainrule.explain.formula import Negative, Node, Number, Product, SumOver, read_formula
from chainrule.explain.formula.grammar import bind, bound
from chainrule.explain.formula.tree import rebuild
from chainrule.explain.network.structure import ALL, Choice, NetworkKind, Structure, check_index
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Products, Recipe, from_tree
from chainrule.losses import Loss

MANY = 2000  # weights; the penalties of more are not written out


class Target(NetworkKind):
    """`y`: what an output should be."""

    def resolve(self, net: Structure, name: Name) -> Name:
        layer, head = net.resolve_head(name)
        check_index(name, (head.outputs,))
        net.check_label(name, layer)
        return name._replace(layer="" if net.single_head else layer)

    def array(self, net: Structure, layer: str) -> Doubles:
        """The targets of the head as numbers: labels are one-hot."""
        return net.trace.targets(net.head_index(layer))

    def uses(self, net: Structure, name: Name) -> int:
        """By the share of the loss and the gradient by the output."""
        return 2 * net.heads[net.head_index(name.layer)].loss.separable


class Share(NetworkKind):
    """`loss[j]` from the output; a second route from the pre-activation where loss and activation are partners."""

    computed_by = -1  # the fused form is the stable one
    readers = 1

    def resolve(self, net: Structure, name: Name) -> Name:
        """An output's share where the loss is a sum over outputs, else the whole row's."""
        layer, head = net.resolve_head(name)
        net.check_label(name, layer)
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
        index, row = net.head_index(name.layer), net.rows[name.row]
        head, (loss, _) = net.heads[index], net.trace.apart[index]
        if not name.index:
            return (_of_row(net, index, row, head.loss.rows, head.loss.formula),)
        unit = name.index[0] - 1
        h, z, y = _letters(net, index, row, unit).values()
        text, fused = head.loss.formula, head.loss.fused_formula
        plain = FunctionOf(
            (h, y), lambda points: loss.rows(points[:, [1]], points[:, [0]]), text,
            lambda: share_tree(text, loss, {"h_j": h, "y_j": y}),
        )  # fmt: skip
        if not head.fused:
            return (plain,)
        if head.loss.name != "cross_entropy":
            return plain, FunctionOf(
                (z, y), lambda points: loss.fused_rows(points[:, [1]], points[:, [0]]), fused,
                lambda: share_tree(fused, loss, {"z_j": z, "h_j": z, "y_j": y}), "from z",
            )  # fmt: skip

        def of_class(points: Doubles) -> Array:
            """`-y_j (z_j - log sum_k exp(z_k))`: the loss of a row that is certainly of this class is `-log h_j`."""
            only = np.zeros((len(points), head.outputs))
            only[:, unit] = 1
            return points[:, -1] * loss.fused_rows(only, points[:, :-1])

        names = (net.name_of(head.slot, row, k) for k in range(head.outputs))
        return plain, FunctionOf((*names, y), of_class, fused, None, "from z")

    def names(self, net: Structure, layer: str, choice: Choice) -> Iterator[Name]:
        return (name for _, name in _shares(net, net.head_index(layer), choice))


class Penalty(NetworkKind):
    """`l2 sum W^2 + l1 sum |W|` over the charged weights."""

    readers = 1

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """Weight by weight, unless there are too many."""
        charged = [(span, *net.runs[span.name, span.layer].charge) for span in net.trace.network.layout.spans]
        charged = [(span, l1, l2) for span, l1, l2 in charged if l1 or l2]
        factor, text = net.trace.penalty_factor, "penalty = l2 sum W^2 + l1 sum |W|"
        if sum(math.prod(span.shape) for span, _, _ in charged) > MANY:
            return (FunctionOf((), lambda points: np.full(len(points), net.trace.penalty), text),)
        parts = []
        for span, l1, l2 in charged:
            for index, w in np.ndenumerate(net.trace.parameters[span.step][span.name]):
                weight = Name(span.name, span.layer, tuple(i + 1 for i in index))
                if l2:
                    parts.append(Part((weight, weight), factor * l2))
                if l1:
                    parts.append(Part((weight,), factor * l1 * (1.0 if w >= 0 else -1.0)))
        return (Products(tuple(parts), text),)

    def array(self, net: Structure, layer: str) -> Doubles:
        return np.array(net.trace.penalty)

    def names(self, net: Structure, layer: str, choice: Choice) -> Iterable[Name]:
        return super().names(net, layer, choice) if net.trace.objective.penalties else ()


class Total(NetworkKind):
    """`L`: every row's loss with its factor, and the penalties."""

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        parts: list[Part] = []
        for i, factors in enumerate(net.trace.row_factors):
            parts += (Part((share,), float(factors[row])) for row, share in _shares(net, i, ALL))
        if net.trace.objective.penalties:
            parts.append(Part((Name("penalty"),)))
        how = "mean" if net.trace.objective.reduction == "mean" else "sum"
        return (Products(tuple(parts), f"L = {how} over rows of the losses + penalties"),)

    def array(self, net: Structure, layer: str) -> Doubles:
        return np.array(net.trace.loss)


class HeadGradient(NetworkKind):
    """`dloss/dh`: the derivative of a head's row loss by its output, before factors and other readers."""

    readers = 1

    def resolve(self, net: Structure, name: Name) -> Name:
        layer, head = net.resolve_head(name)
        check_index(name, (head.outputs,))
        net.check_label(name, layer)
        return name._replace(layer=layer)

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        return (gradient_by_output(net, net.head_of[name.layer], net.rows[name.row], name.index[0] - 1, factor=1.0),)

    def names(self, net: Structure, layer: str, choice: Choice) -> Iterator[Name]:
        """Where it is but one part of the gradient by the output."""
        index = net.head_of[layer]
        slot = net.head_slots[index]
        by_layers = bool(net.readers[slot])
        if (by_layers or len(net.heads_at[slot]) > 1) and not (by_layers and net.heads[index].skips is not None):
            for row, unit in product(net.labelled(choice, index), choice.units(net.sizes[slot])):
                yield Name(self.spelled, layer, (unit + 1,), net.row_names[row])


def _shares(net: Structure, index: int, choice: Choice) -> Iterator[tuple[int, Name]]:
    """The rows that have a label of a head, each with the names of its shares of the loss."""
    head = net.heads[index]
    units = choice.units(head.outputs) if head.loss.separable else (None,)
    return ((row, net.share_name(head, row, unit)) for row, unit in product(net.labelled(choice, index), units))


def _letters(net: Structure, index: int, row: int, unit: int) -> dict[str, Name]:
    """An output, its pre-activation where loss and activation are partners, and its target, as formulas call them."""
    head, slot = net.heads[index], net.head_slots[index]
    names = (net.name_of(slot, row, unit), net.name_of(head.slot, row, unit), net.target_name(head, row, unit))
    return dict(zip(("h_j", "z_j", "y_j"), names, strict=True))


def _of_row(net: Structure, index: int, row: int, function: Callable[[Array, Array], Array], text: str) -> FunctionOf:
    """A function of target and output, for a loss that isn't a sum over outputs."""
    target = net.trace.data.targets[index][[row]]
    names = tuple(net.name_of(net.head_slots[index], row, k) for k in range(net.heads[index].outputs))
    return FunctionOf(names, lambda points: np.concatenate([function(target, point[None]) for point in points]), text)


def share_tree(text: str, loss: Loss, letters: dict[str, Name]) -> Node:
    """The body of a loss's sum over outputs, for one of them."""

    def body(node: Node) -> Node | None:
        return node.body if isinstance(node, SumOver) and node.index == "j" else None

    return bind(rebuild(read_formula(text).right, body), letters, loss)


def gradient_by_output(net: Structure, index: int, row: int, unit: int, factor: float) -> FunctionOf:
    """`dL/dh_j` of an output as the loss gives it, times a factor."""
    whole, (loss, _) = net.heads[index].loss, net.trace.apart[index]
    text = whole.gradient_formula
    if not whole.separable:
        return _of_row(net, index, row, lambda target, h: factor * whole.gradient(target, h)[:, unit], text)
    letters = _letters(net, index, row, unit)
    return FunctionOf(
        (letters["h_j"], letters["y_j"]),
        lambda points: factor * loss.gradient(points[:, [1]], points[:, [0]])[:, 0], text,
        lambda: times(factor, bound(text, letters, loss)),
    )  # fmt: skip


def fused_gradient(net: Structure, index: int, row: int, unit: int, factor: float) -> FunctionOf:
    """`dL/dz_j` of a known pair, such as `h_j - y_j`, times a factor."""
    loss, text = net.trace.apart[index][0], net.heads[index].loss.fused_gradient_formula
    letters = _letters(net, index, row, unit)
    names = tuple(letters[letter] for letter in read_formula(text).letters if letter in letters)

    def tree() -> Node:
        return times(factor, bound(text, letters, loss))

    return FunctionOf(names, lambda points: from_tree(tree(), text).function(points), text, tree, "fused")


def times(factor: float, tree: Node) -> Node:
    """A tree with a factor before it, unless that is 1."""
    if abs(factor) != 1:
        return Product((Number(factor), tree))
    return tree if factor == 1 else Negative(tree)

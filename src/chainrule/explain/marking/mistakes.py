"""Mistakes that people make: a quantity recomputed with one of them made, from the writer's own entries.

Each function yields what somebody would get who makes that mistake in that kind of quantity; `CATALOGUE` lists
them in the order in which diagnoses are given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from chainrule.activations import ActivationFunction
from chainrule.arrays import Array, Doubles
from chainrule.explain.builders.forward import activation_of, options_of
from chainrule.explain.builders.loss import fused_gradient, gradient_by_output, head_slot
from chainrule.explain.formula import Call, Node, Number, Quotient, evaluate, read_formula
from chainrule.explain.formula.tree import rebuild
from chainrule.explain.graph import Graph
from chainrule.explain.marking.layer_mistakes import (
    dropout_scale_missing,
    head_weight_missing,
    mask_missing,
    normalization_missing,
    statistics_taken_as_fixed,
    unbiased_variance,
)
from chainrule.explain.marking.own_values import OwnValues
from chainrule.explain.names import Name, parse
from chainrule.explain.recipes import FunctionOf, Part, Products, Recipe
from chainrule.explain.spread import Function, Spread, product, through
from chainrule.losses import LOSSES, Loss
from chainrule.steps import Step

MANY_PATHS = 7
BY_PARAMETERS = ("dL/dW", "dL/db", "dL/dscale", "dL/dshift")
DELTAS = ("dL/dz", "dL/dh")  # gradients by what an activation may read


@dataclass(frozen=True)
class Attempt:
    """A quantity in the writer's hands: its name, what the writer had, and how it should have been computed."""

    graph: Graph
    name: Name
    view: OwnValues
    recipe: Recipe

    @property
    def kind(self) -> str:
        """The kind of quantity."""
        return self.name.kind

    def carry(self, recipe: Recipe) -> Spread:
        """Another recipe from the writer's entries."""
        return recipe.carry(self.view.lookup)

    @property
    def right(self) -> Spread:
        """What it should have been, from the writer's entries."""
        return self.carry(self.recipe)

    def parts(self, parts: list[Part]) -> Spread:
        """A sum of other products."""
        return self.carry(Products(tuple(parts), ""))

    def head(self) -> int | None:
        """The head that a quantity belongs to: its loss, or the gradient by its output or that output's `z`."""
        if self.kind == "loss":
            return self.graph._head_index(self.name)
        if self.kind in ("dL/dh", "dL/dz", "dloss/dh"):
            for i, head in enumerate(self.graph.trace.heads):
                slot = head_slot(self.graph, head)
                mine = self.graph.slots.get((self.kind[-1], self.name.layer))
                if self.kind == "dloss/dh" and self.name.layer == head.head:
                    return i
                if mine in (slot, self._before(slot)):
                    return i
        return None

    def _before(self, slot: int) -> int | None:
        """The pre-activation of a slot that an activation makes."""
        for step in self.graph.activation_steps.values():
            if step.output == slot:
                return step.inputs[0]
        return None

    def activation(self) -> Step | None:
        """The activation step of `h` or `dh/dz`, or the one that reads what a gradient is by."""
        if self.kind in ("h", "dh/dz"):
            return self.graph.activation_steps.get(self.name.layer)
        if self.kind in DELTAS:
            slot = self.graph.slots[self.kind[-1], self.name.layer]
            readers = self.graph.program.readers(slot)
            for step in self.graph.activation_steps.values():
                if step.inputs[0] == slot and (self.kind == "dL/dz" or len(readers) == 1):
                    return step
        return None


Mistake = Callable[[Attempt], Iterator[Spread]]


def scaled(spread: Spread, factor: float) -> Spread:
    """A spread times a number."""
    return product(factor, [spread])


def sign_flipped(a: Attempt) -> Iterator[Spread]:
    """The right size, the wrong sign."""
    yield scaled(a.right, -1)


def activation_missing(a: Attempt) -> Iterator[Spread]:
    """h = z."""
    step = a.activation()
    if a.kind == "h" and step is not None and activation_of(step).name != "linear":
        yield a.view.lookup(_pre_activation(a.graph, step, a.name))


def _pre_activation(graph: Graph, step: Step, name: Name) -> Name:
    return graph.name_of(step.inputs[0], graph.row_of(name), name.index[-1] - 1)


def pre_activation_used(a: Attempt) -> Iterator[Spread]:
    """z taken where h belongs."""
    if a.kind == "h":
        return
    instead = {}
    for name in a.recipe.inputs:
        source = name
        if name.kind == "dz/dW":
            (source,) = a.graph.recipes(name)[0].inputs or (name,)
        if source.kind == "h" and source.layer in a.graph.activation_steps:
            step = a.graph.activation_steps[source.layer]
            instead[name] = a.view.lookup(_pre_activation(a.graph, step, source))
    if instead:
        yield a.recipe.carry(lambda name: instead[name] if name in instead else a.view.lookup(name))


def bias_missing(a: Attempt) -> Iterator[Spread]:
    """z without its bias."""
    if a.kind == "z" and isinstance(a.recipe, Products):
        kept = [part for part in a.recipe.parts if not any(n.kind == "b" for n in part.factors)]
        if len(kept) < len(a.recipe.parts):
            yield a.parts(kept)


def input_missing(a: Attempt) -> Iterator[Spread]:
    """dL/dW = dL/dz."""
    if a.kind == "dL/dW" and isinstance(a.recipe, Products):
        yield a.parts(
            [Part(tuple(n for n in part.factors if n.kind != "dz/dW"), part.coefficient) for part in a.recipe.parts]
        )


def weights_transposed(a: Attempt) -> Iterator[Spread]:
    """W read across: column by column where it is written row by row."""
    if a.kind not in ("z", "dL/dh", "dL/dx") or not isinstance(a.recipe, Products):
        return
    weights = [n for n in a.recipe.inputs if n.kind == "W"]
    if not weights:
        return
    instead = {}
    for name in weights:
        _, span = a.graph.parameter_steps["W", name.layer]
        n_inputs, units = span.shape
        i, j = (k - 1 for k in name.index)
        row, column = divmod(j * n_inputs + i, units)
        instead[name] = a.view.lookup(Name("W", name.layer, (row + 1, column + 1)))
    yield a.recipe.carry(lambda name: instead[name] if name in instead else a.view.lookup(name))


def delta_for_output_gradient(a: Attempt) -> Iterator[Spread]:
    """dL/dz written for the dL/dh of an output."""
    index = a.head()
    if a.kind != "dL/dh" or index is None:
        return
    slot = a.graph.slots["h", a.name.layer]
    for step in a.graph.activation_steps.values():
        if step.output == slot:
            delta = a.graph.name_of(step.inputs[0], a.graph.row_of(a.name), a.name.index[0] - 1, gradient=True)
            view = a.view.trying({a.name: a.right})
            for recipe in a.graph.recipes(delta):
                yield recipe.carry(view.lookup)


def output_gradient_for_delta(a: Attempt) -> Iterator[Spread]:
    """dL/dh written for the dL/dz of an output: dh/dz left out."""
    if a.head() is not None:
        yield from activation_derivative_missing(a)


def activation_derivative_missing(a: Attempt) -> Iterator[Spread]:
    """dL/dz without dh/dz."""
    step = a.activation()
    if a.kind in DELTAS and step is not None:
        yield a.view.lookup(_gradient_by_h(a, step, a.name.index[0] - 1))


def _gradient_by_h(a: Attempt, step: Step, unit: int) -> Name:
    return a.graph.name_of(step.output, a.graph.row_of(a.name), unit, gradient=True)


def activation_derivative_repeated(a: Attempt) -> Iterator[Spread]:
    """dh/dz applied twice."""
    step = a.activation()
    if a.kind not in DELTAS or step is None or a.graph.is_coupled(step):
        return
    slope = Name("dh/dz", step.name, a.name.index, a.name.row)
    yield product(1.0, [a.view.lookup(_gradient_by_h(a, step, a.name.index[0] - 1)), *[a.view.lookup(slope)] * 2])


def activation_derivative_at_z(a: Attempt) -> Iterator[Spread]:
    """dh/dz taken as f'(h), or from z as if it were h (for the sigmoid z(1 - z))."""
    step = a.activation()
    if a.kind not in (*DELTAS, "dh/dz") or step is None or a.graph.is_coupled(step):
        return
    row, unit = a.graph.row_of(a.name), a.name.index[0] - 1
    h, z = a.graph.name_of(step.output, row, unit), a.graph.name_of(step.inputs[0], row, unit)
    for source, function in _misplaced(activation_of(step), h, z):
        slope = through(function, [a.view.lookup(source)])
        yield slope if a.kind == "dh/dz" else product(1.0, [a.view.lookup(_gradient_by_h(a, step, unit)), slope])


def _misplaced(f: ActivationFunction, h: Name, z: Name) -> list[tuple[Name, Function]]:
    def at_h(points: Doubles) -> Array:
        return f.derivative(points[:, 0] if f.needs == "z" else f.value(points[:, 0]))

    def from_z(points: Doubles) -> Array:
        return f.derivative(points[:, 0])

    return [(h, at_h), (z, from_z)] if f.needs == "h" else [(h, at_h)]


def path_missing(a: Attempt) -> Iterator[Spread]:
    """One or more of the summed paths left out."""
    if a.kind not in ("dL/dh", "dL/dx") or not isinstance(a.recipe, Products):
        return
    parts = list(a.recipe.parts)
    sizes = range(len(parts) - 1, 0, -1) if len(parts) <= MANY_PATHS else (len(parts) - 1, 1)
    for size in sizes:
        for kept in combinations(parts, size):
            yield a.parts(list(kept))


def updated_weight_used(a: Attempt) -> Iterator[Spread]:
    """The weight after the update taken for the one before."""
    if a.kind not in ("dL/dh", "dL/dx") or a.graph.trace.model.optimizer.full_batch:
        return
    if any(n.kind == "W" for n in a.recipe.inputs):
        yield a.recipe.carry(lambda n: a.view.lookup(n._replace(kind="W+") if n.kind == "W" else n))


def target_output_swapped(a: Attempt) -> Iterator[Spread]:
    """Target and output in each other's place."""
    if a.head() is None:
        return
    if a.kind in ("dL/dh", "dL/dz"):
        yield scaled(a.right, -1)
    swap = dict(_swapped(a.recipe))
    if swap and isinstance(a.recipe, FunctionOf):
        yield a.recipe.carry(lambda n: a.view.lookup(swap.get(n, n)))


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

    names = [parse(symbol) for symbol in symbols_of(tree) if symbol != "pi"]

    def function(points: Doubles) -> Array:
        values = {str(name): points[:, i] for i, name in enumerate(names)}
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
            parts = [Part(p.factors, p.coefficient * (factor if _is_penalty(p) else 1.0)) for p in a.recipe.parts]
            if any(map(_is_penalty, parts)):
                yield a.parts(parts)
    if a.head() is not None or a.kind in ("L", "penalty", *BY_PARAMETERS):
        yield from (scaled(a.right, factor) for factor in (2, 0.5))


def _is_penalty(part: Part) -> bool:
    return not any(n.kind.startswith("dL/d") or n.kind == "loss" for n in part.factors)


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
                    [Part(p.factors, p.coefficient * (1.0 if _is_penalty(p) else factor)) for p in a.recipe.parts]
                )
            yield scaled(a.right, factor)


def penalty_missing(a: Attempt) -> Iterator[Spread]:
    """The penalty, or its part of a gradient, left out."""
    if a.kind == "L" and isinstance(a.recipe, Products):
        kept = [p for p in a.recipe.parts if p.factors[0].kind != "penalty"]
    elif a.kind in ("dL/dW", "dL/db") and isinstance(a.recipe, Products):
        kept = [p for p in a.recipe.parts if not _is_penalty(p)]
    else:
        return
    assert isinstance(a.recipe, Products)
    if len(kept) < len(a.recipe.parts):
        yield a.parts(kept)


def softmax_without_exp(a: Attempt) -> Iterator[Spread]:
    """z divided by the sum of z."""
    step = a.activation()
    if a.kind != "h" or step is None or not a.graph.is_coupled(step):
        return
    row, unit = a.graph.row_of(a.name), a.name.index[0] - 1
    n = a.graph.trace.value(step.output).shape[1]
    names = [a.graph.name_of(step.inputs[0], row, k) for k in range(n)]
    with np.errstate(all="ignore"):
        yield through(lambda z: z[:, unit] / z.sum(axis=1), [a.view.lookup(name) for name in names])


def learning_rate_missing(a: Attempt) -> Iterator[Spread]:
    """The whole gradient subtracted."""
    yield from _other_update(a, rate=1.0)


def gradient_ascent(a: Attempt) -> Iterator[Spread]:
    """The step added instead of subtracted."""
    if not _has_update(a):
        return
    own, right = Name(a.kind[:-1], a.name.layer, a.name.index), a.right
    yield Spread(*(2 * a.view.lookup(own).point - end for end in (right.point, right.high, right.low)))
    yield from _other_update(a, sign=-1.0)


def _has_update(a: Attempt) -> bool:
    return a.kind.endswith("+") and isinstance(a.recipe, FunctionOf)


def _other_update(a: Attempt, rate: float | None = None, sign: float = 1.0) -> Iterator[Spread]:
    if not _has_update(a):
        return
    trace = a.graph.trace
    _, span = a.graph.parameter_steps[a.kind[:-1], a.name.layer]
    flat = span.offset + int(np.ravel_multi_index([i - 1 for i in a.name.index], span.shape))
    remembered, t = trace.memory(flat), trace.optimizer_step
    used = trace.rate if rate is None else rate

    def function(points: Doubles) -> Array:
        w, g = points[:, 0].copy(), sign * points[:, 1]
        trace.model.optimizer.update(w, g, np.repeat(remembered, len(points), axis=1), used, t)
        return w

    yield through(function, [a.view.lookup(name) for name in a.recipe.inputs])


def bias_correction_missing(a: Attempt) -> Iterator[Spread]:
    """The running means of Adam as they are, without the correction for their start."""
    first, second = " / (1 - beta1^t)", " / (1 - beta2^t)"
    yield from _update_by(a, lambda text: text.replace(first, "").replace(second, ""))
    yield from _update_by(a, lambda text: text.replace(first, ""))
    yield from _update_by(a, lambda text: text.replace(second, ""))


def epsilon_inside_root(a: Attempt) -> Iterator[Spread]:
    """sqrt(s + epsilon) for sqrt(s) + epsilon."""
    yield from _update_by(a, lambda text: text.replace(") + epsilon)", " + epsilon))"))


def _update_by(a: Attempt, change: Callable[[str], str]) -> Iterator[Spread]:
    if not _has_update(a):
        return
    trace = a.graph.trace
    text = trace.model.optimizer.step_formula(trace.optimizer_step)
    if change(text) == text:
        return
    _, span = a.graph.parameter_steps[a.kind[:-1], a.name.layer]
    flat = span.offset + int(np.ravel_multi_index([i - 1 for i in a.name.index], span.shape))
    tree = read_formula(change(text)).right
    numbers = {key: node.value for key, node in options_of(trace.model.optimizer).items() if isinstance(node, Number)}
    numbers |= dict(zip(trace.model.optimizer.slot_letters, trace.memory(flat)[:, 0], strict=False))
    numbers |= {"rate": trace.rate, "t": float(trace.optimizer_step)}

    def function(points: Doubles) -> Array:
        return evaluate(tree, {**numbers, "w": points[:, 0], "g": points[:, 1]})

    yield through(function, [a.view.lookup(name) for name in a.recipe.inputs])


def other_loss(a: Attempt) -> Iterator[Spread]:
    """Right for another standard loss."""
    index = a.head()
    if index is None or not a.graph.trace.heads[index].loss.separable:
        return
    head, row = a.graph.trace.heads[index], a.graph.row_of(a.name)
    factor = float(a.graph.trace.row_factors(index)[row]) if a.kind != "dloss/dh" else 1.0
    unit = a.name.index[0] - 1
    h = a.graph.name_of(head_slot(a.graph, head), row, unit)
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


CATALOGUE: dict[str, Mistake] = {
    "sign-flipped": sign_flipped,
    "activation-missing": activation_missing,
    "pre-activation-used": pre_activation_used,
    "bias-missing": bias_missing,
    "input-missing": input_missing,
    "weights-transposed": weights_transposed,
    "delta-for-output-gradient": delta_for_output_gradient,
    "output-gradient-for-delta": output_gradient_for_delta,
    "activation-derivative-missing": activation_derivative_missing,
    "activation-derivative-repeated": activation_derivative_repeated,
    "activation-derivative-at-z": activation_derivative_at_z,
    "path-missing": path_missing,
    "updated-weight-used": updated_weight_used,
    "target-output-swapped": target_output_swapped,
    "log-base": log_base,
    "factor-two": factor_two,
    "mean-sum-confused": mean_sum_confused,
    "penalty-missing": penalty_missing,
    "softmax-without-exp": softmax_without_exp,
    "learning-rate-missing": learning_rate_missing,
    "gradient-ascent": gradient_ascent,
    "bias-correction-missing": bias_correction_missing,
    "epsilon-inside-root": epsilon_inside_root,
    "other-loss": other_loss,
    "head-weight-missing": head_weight_missing,
    "dropout-scale-missing": dropout_scale_missing,
    "mask-missing": mask_missing,
    "normalization-missing": normalization_missing,
    "statistics-taken-as-fixed": statistics_taken_as_fixed,
    "unbiased-variance": unbiased_variance,
}
__all__ = ["CATALOGUE", "Attempt", "Mistake", "fused_gradient", "gradient_by_output"]

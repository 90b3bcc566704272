"""Learned numbers, and what one step of the optimizer makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Doubles
from chainrule.errors import InputError
from chainrule.explain.formula import Node, Number, Symbol, read_formula, replace_symbols
from chainrule.explain.network.formulas import options_of
from chainrule.explain.network.kind import UPDATE, NetworkKind, Stage
from chainrule.explain.network.structure import Structure, check_index
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Products, Recipe
from chainrule.layers.element import Learned


@dataclass(frozen=True)
class Parameter(NetworkKind):
    """A learned number before the update: `W`, `b`, or whatever a layer calls it."""

    per_row: bool = False
    needs_target = False
    given: bool = True

    def resolve(self, net: Structure, name: Name) -> Name:
        """One of the parameter's numbers."""
        check_index(name, net.parameter_shape(name, self.spelled))
        return name

    def array(self, net: Structure, layer: str) -> Doubles:
        """The parameter."""
        return net.trace.parameters[net.parameter_steps[self.spelled, layer][0].index][self.spelled]  # type: ignore[return-value]  # float64 throughout

    def uses(self, net: Structure, name: Name) -> int:
        """By its layer, by the penalty and its gradient (of l1 that has the sign only), and by the update."""
        step, _ = net.parameter_steps[self.spelled, name.layer]
        learned = Learned(self.spelled, tuple(i - 1 for i in name.index))
        l1, l2 = net.runs[self.spelled, name.layer].charge
        penalties = bool(l1 or l2) + bool(l2 and not net.operations[step.index].takes_penalty_in)
        return net.operations[step.index].uses_of_learned(learned) + penalties + (not net.trace.optimizer.full_batch)


@dataclass(frozen=True)
class Updated(NetworkKind):
    """`W+`, `b+`: the optimizer's own update of one number."""

    per_row: bool = False

    def resolve(self, net: Structure, name: Name) -> Name:
        """One of the parameter's numbers."""
        if net.without_update:
            raise InputError(f'"{name}": no update is asked for (a worksheet says it in [update])')
        check_index(name, net.parameter_shape(name, self.of))
        return name

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """What the optimizer does to a number and its gradient."""
        _, span = net.parameter_steps[self.of, name.layer]
        trace, run = net.trace, net.runs[self.of, name.layer]
        own = Name(self.of, name.layer, name.index)
        if not run.trainable:
            return (Products((Part((own,)),), f"{self.spelled} = {self.of}"),)
        if trace.optimizer.full_batch:
            raise InputError(f"{trace.optimizer.name} has no update of single parameters: it searches along a line")
        gradient = Name(f"dL/d{self.of}", name.layer, name.index)
        remembered = trace.memory(span.offset + int(np.ravel_multi_index([i - 1 for i in name.index], span.shape)))
        optimizer, t = trace.optimizer.decayed(run.decay_factor), trace.optimizer_step

        def function(points: Doubles) -> Doubles:
            w, g = points[:, 0].copy(), points[:, 1].copy()
            trace.update(run, w, g, np.repeat(remembered, len(points), axis=1))
            return w

        text = optimizer.step_formula(t)

        def formula() -> Node:
            letters: dict[str, Node] = {**options_of(optimizer)}
            letters |= {
                "w": Symbol(own),
                "g": Symbol(gradient),
                "rate": Number(trace.rate * run.rate_factor),
                "t": Number(float(t)),
            }
            memory = dict(zip(optimizer.slot_letters, remembered[:, 0], strict=False))
            letters |= {letter: Number(float(value)) for letter, value in memory.items()}
            return replace_symbols(read_formula(text).right, letters)

        return (FunctionOf((own, gradient), function, text, formula),)

    def array(self, net: Structure, layer: str) -> Doubles:
        """The parameter as the optimizer leaves it."""
        return net.trace.updated[net.parameter_steps[self.of, layer][0].index][self.of]

    def stage(self, net: Structure, layer: str) -> Stage:
        """Last of all, in the order of the layers."""
        step, span = net.parameter_steps[self.of, layer]
        return (UPDATE, step.index, step.parameters.index(span))

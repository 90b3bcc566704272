"""Layers whose units are sums of products, as their scalar form says: differentiated term by term.

The derivative of a product by one of its factors is the product of the others, as often as the factor is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from chainrule.errors import InputError, listed
from chainrule.explain.network.structure import CHAIN, Choice, NetworkKind, Operation, Structure, check_index
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Part, Products, Recipe
from chainrule.layers.element import Learned, Read, Source, Term
from chainrule.steps import Step


class SumOfProducts(Operation):
    """A step whose layer says its scalar form (`Layer.element`)."""

    def __init__(self, net: Structure, step: Step):
        super().__init__(net, step)
        self.shapes = tuple(net.program.slots[i].shape for i in step.inputs)
        self.memo = net.trace.forward.memos[step.index]
        self.back_formula = step.layer.back_formula or CHAIN
        self.terms = cache(self._terms)  # (row, unit)
        self._made_of = cache(self._sources)  # (row, unit)
        self._acts_on = cache(self._units_of_sources)  # (row)

    def _terms(self, row: int, unit: int) -> tuple[Term, ...]:
        """The scalar form of one unit."""
        found = self.step.layer.element(row, unit, self.shapes, self.memo)
        if found is None:
            layer = self.step.name
            raise InputError(f'layer "{layer}" says the scalar form of some units, but not of unit {unit + 1}')
        return found

    def sources(self, row: int, unit: int) -> Mapping[Source, tuple[Term, ...]]:
        """What a unit is made of, each source with the terms that it is in: found at once where there are hundreds."""
        return self._made_of(0 if self.step.layer.rows_alike else row, unit)

    def _sources(self, row: int, unit: int) -> Mapping[Source, tuple[Term, ...]]:
        table: dict[Source, tuple[Term, ...]] = {}
        for term in self.terms(row, unit):
            for factor in dict.fromkeys(term.factors):
                table[factor] = (*table.get(factor, ()), term)
        return table

    def reached(self, row: int, source: Source) -> tuple[int, ...]:
        """The units that a source acts on: as the layer says, or else as its scalar forms show."""
        said = self.step.layer.reached(source, row, self.shapes, self.memo)
        if said is not None:
            return tuple(said)
        return self._acts_on(0 if self.step.layer.rows_alike else row).get(source, ())

    def _units_of_sources(self, row: int) -> Mapping[Source, tuple[int, ...]]:
        table: dict[Source, tuple[int, ...]] = {}
        for unit in range(self.net.sizes[self.step.output]):
            for factor in self.sources(row, unit):
                table[factor] = (*table.get(factor, ()), unit)
        return table

    def derivative(self, row: int, unit: int, source: Source) -> list[Part]:
        """The derivative of a unit by a source, as a sum of products."""
        parts = []
        for term in self.sources(row, unit).get(source, ()):
            left = list(term.factors)
            left.remove(source)
            names = tuple(self._name(row, factor) for factor in left)
            parts.append(Part(names, term.coefficient * term.factors.count(source)))
        return parts

    def _name(self, row: int, source: Source, gradient: bool = False) -> Name:
        if isinstance(source, Learned):
            kind = f"dL/d{source.name}" if gradient else source.name
            return Name(kind, self.step.name, tuple(i + 1 for i in source.index))
        return self.net.name_of(self.step.inputs[source.input], row, source.unit, gradient)

    def value(self, row: int, unit: int) -> Products:
        terms = self.terms(row, unit)
        parts = (Part(tuple(self._name(row, f) for f in term.factors), term.coefficient) for term in terms)
        return Products(tuple(parts), self.step.layer.formula)

    def passed_back(self, row: int, read: Read) -> list[Part]:
        """The gradient by each unit that reads the element, times that unit's derivative by it."""
        parts = []
        for unit in self.reached(row, read):
            outer = self.net.name_of(self.step.output, row, unit, gradient=True)
            parts += [Part((outer, *p.factors), p.coefficient, outer=outer) for p in self.derivative(row, unit, read)]
        return parts

    def gradient(self, learned: Learned) -> Products:
        """Over rows and units: the gradient by the unit, times its derivative where that is no mere number."""
        net, parts = self.net, []
        local = f"d{self.step.layer.letter}/d{learned.name}"
        for row in range(net.n_rows):
            for unit in self.reached(row, learned):
                outer = net.name_of(self.step.output, row, unit, gradient=True)
                found = self.derivative(row, unit, learned)
                if _is_number(found):
                    parts.append(Part((outer,), sum(part.coefficient for part in found), outer=outer))
                else:
                    parts.append(Part((outer, self._local(row, unit, learned)), outer=outer))
        run, factor = net.runs[learned.name, self.step.name], net.trace.penalty_factor
        if run.l2:
            parts.append(Part((self._name(0, learned),), 2 * run.l2 * factor))
        if run.l1:
            sign = float(np.sign(net.trace.parameters[self.step.index][learned.name][learned.index]))
            parts.append(Part((), run.l1 * factor * sign))
        outer_letter = f"dL/d{self.step.layer.letter}"
        over_rows = "sum over rows of " if net.n_rows > 1 else ""
        return Products(tuple(parts), f"dL/d{learned.name} = {over_rows}{outer_letter} {local}")

    def _local(self, row: int, unit: int, learned: Learned) -> Name:
        """`dz/dW[i,j]` is of unit j; where a number acts on other units, the unit stands first: `dh/da[unit,i]`."""
        index = tuple(i + 1 for i in learned.index)
        if self.reached(row, learned) != learned.index[-1:]:
            index = (unit + 1, *index)
        kind = f"d{self.step.layer.letter}/d{learned.name}"
        return Name(kind, self.step.name, index, self.net.row_names[row])

    def local(self, row: int, learned: Learned) -> Iterator[Name]:
        """The derivatives of the units by a learned number."""
        return (self._local(row, unit, learned) for unit in self.reached(row, learned))

    def _readers(self, row: int, source: Source) -> set[Name]:
        """What in one row is computed from a source: units, and the derivatives by what stands beside it."""
        found = set()
        for unit in self.reached(row, source):
            found.add(self.net.name_of(self.step.output, row, unit))
            for term in self.sources(row, unit).get(source, ()):
                beside = list(term.factors)
                beside.remove(source)
                for other in beside:
                    if isinstance(other, Learned):
                        found.add(self._local(row, unit, other))
                    elif self._has_gradient(other):
                        found.add(self._name(row, other, gradient=True))
        return found

    def _has_gradient(self, source: Source) -> bool:
        return isinstance(source, Learned) or not self.net.is_code[self.step.inputs[source.input]]

    def uses_of_element(self, row: int, slot: int, unit: int) -> int:
        """Each unit that reads it, and each derivative that it is a factor of."""
        inputs = [k for k, read in enumerate(self.step.inputs) if read == slot]
        return len(set().union(*(self._readers(row, Read(unit, k)) for k in inputs)))

    def uses_of_gradient(self, row: int, unit: int) -> int:
        """The gradients by all that the unit is made of."""
        sources = list(filter(self._has_gradient, self.sources(row, unit)))
        if len(set(self.step.inputs)) == len(self.step.inputs):
            return len(sources)
        return len({self._name(row, source, gradient=True) for source in sources})  # a slot read twice has one

    def uses_of_learned(self, learned: Learned) -> int:
        """The units that it is in, in every row, and each derivative that it is a factor of."""
        return sum(len(self._readers(row, learned)) for row in range(self.net.n_rows))


def _is_number(parts: list[Part]) -> bool:
    return all(not part.factors for part in parts)


@dataclass(frozen=True)
class LocalDerivative(NetworkKind):
    """`dz/dW`: the derivative of a unit by a learned number; `letter` is the unit's."""

    letter: str = "z"
    needs_target = False

    def resolve(self, net: Structure, name: Name) -> Name:
        """The unit is the last index of the number; where that acts on others, the unit stands first."""
        shape = net.parameter_shape(name, self.of)
        operation, learned, unit = self._parts(net, name)
        check_index(Name(name.kind, name.layer, tuple(i + 1 for i in learned.index)), shape)
        reached = operation.reached(net.rows[name.row], learned)
        if unit not in reached:
            units = f"unit {listed(unit + 1 for unit in reached)}" if reached else "no unit"
            raise InputError(f'"{name}" does not exist: {self.of} acts on {units} of "{name.layer}" here')
        if reached == learned.index[-1:]:
            return name._replace(index=name.index[-len(shape) :])
        if len(name.index) == len(shape):
            first = next(operation.local(net.rows[name.row], learned))
            raise InputError(f'"{name}": say of which unit, first: {first}')
        return name

    def _parts(self, net: Structure, name: Name) -> tuple[SumOfProducts, Learned, int]:
        step, span = net.parameter_steps[self.of, name.layer]
        operation, n = net.operations[step.index], len(span.shape)
        if not isinstance(operation, SumOfProducts) or step.layer.letter != self.letter:
            raise InputError(f'"{name}": "{name.layer}" is no sum of products, so it has no {self.spelled}')
        learned = Learned(self.of, tuple(i - 1 for i in name.index[len(name.index) - n :]))
        return operation, learned, (name.index[0] if len(name.index) > n else name.index[-1]) - 1

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        operation, learned, unit = self._parts(net, name)
        layer = operation.step.layer
        general = f"{self.spelled} = d({layer.formula.partition(' = ')[2]})/d{self.of}"
        parts = operation.derivative(net.rows[name.row], unit, learned)
        return (Products(tuple(parts), layer.local_formulas.get(self.of, general)),)

    def names(self, net: Structure, layer: str, choice: Choice) -> Iterator[Name]:
        step, span = net.parameter_steps[self.of, layer]
        operation = net.operations[step.index]
        assert isinstance(operation, SumOfProducts)
        for row, index in product(choice.rows(net), choice.indices(span.shape)):
            yield from operation.local(row, Learned(self.of, index))

    def uses(self, net: Structure, name: Name) -> int:
        """The gradient by the learned number, unless it is a mere number, which is written as such."""
        operation, learned, unit = self._parts(net, name)
        return int(not _is_number(operation.derivative(net.rows[name.row], unit, learned)))

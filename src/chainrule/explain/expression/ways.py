"""How the steps of an expression hang together: who reads whom, and which lie between a variable and the result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chainrule.errors import InputError, did_you_mean, listed
from chainrule.explain.expression.cut import Steps
from chainrule.explain.expression.step import Step
from chainrule.explain.quantities.names import Name


class Ways:
    """The names of everything that an expression has, in the order of computation, before there are numbers.

    Arguments:
        variables: what the result is differentiated by.
    """

    def __init__(self, steps: Steps, variables: Iterable[str]):
        self.end = steps.end
        self.aliases = steps.aliases
        self.variables = tuple(Name("variable", name) for name in variables)
        self.given = tuple(dict.fromkeys((*self.variables, *steps.given)))
        self.steps: dict[Name, Step] = {step.name: step for step in steps.steps}
        self.active = self._between()
        self.readers: dict[Name, list[Name]] = {name: [] for name in (*self.given, *self.steps)}  # on those ways
        for step in steps.steps:
            for name in step.inputs if step.name in self.active else ():
                self.readers[name].append(step.name)
        self.order = tuple(self._ordered())
        self.positions = {name: i for i, name in enumerate((*self.given, *self.order))}

    def _between(self) -> set[Name]:
        """The variables and steps on the ways from a variable to the end."""
        moved = set(self.variables)
        for step in self.steps.values():
            if moved.intersection(step.inputs):
                moved.add(step.name)
        needed = {self.end}
        for step in reversed(self.steps.values()):
            if step.name in needed:
                needed.update(step.inputs)
        return moved & needed

    def _ordered(self) -> Iterator[Name]:
        yield from self.steps
        for step in reversed(self.steps.values()):
            if step.name not in self.active:
                continue
            if step.name != self.end:
                yield Name("gradient", step.name.layer)
            for name in step.inputs:
                if name in self.active and not self._is_whole(step.name, name):
                    yield self.slope(step.name, name)
        yield from (Name("gradient", variable.layer) for variable in self.variables)

    def _is_whole(self, reader: Name, name: Name) -> bool:
        """Whether a step's own derivative is that of the result: it is the result, and nothing else reads the value."""
        return reader == self.end and self.readers[name] == [self.end]

    def local(self, reader: Name, name: Name) -> Name:
        """The name of a step's own derivative, which for the result is that of the derivative by the value itself."""
        return Name("gradient", name.layer) if self._is_whole(reader, name) else self.slope(reader, name)

    @staticmethod
    def slope(reader: Name, name: Name) -> Name:
        """The name of the derivative of a step by one of its inputs, the others held."""
        return Name("slope", f"{reader.layer}/{name.layer}")

    def known(self, text: str) -> Name:
        """A variable or a step by what it is called.

        Raises:
            InputError: there is none of that name.
        """
        found = self.aliases.get(text) or next(
            (name for name in (Name("value", text), Name("variable", text)) if name in self.positions), None
        )
        if found is None:
            names = [name.layer for name in (*self.given, *self.steps)]
            raise InputError(
                f'there is no "{text}" in this expression.{did_you_mean(text, names)} There are {listed(names)}'
            )
        return found

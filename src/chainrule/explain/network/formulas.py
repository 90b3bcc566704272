"""Formula texts of activations, losses and optimizers, bound to the quantities that they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from chainrule.explain.formula import Node, Number, Symbol, expand_sums, read_formula, replace_symbols
from chainrule.explain.quantities.names import Name


def options_of(thing: object) -> dict[str, Number]:
    """The numeric fields of an activation or a loss, as they enter its formulas."""
    return {
        field.name: Number(float(value))
        for field in fields(thing)  # type: ignore[arg-type]  # every one of them is a dataclass
        if isinstance(value := getattr(thing, field.name), (int, float)) and not isinstance(value, bool)
    }


def bound(text: str, letters: Mapping[str, Name], thing: object) -> Node:
    """A formula text with its letters bound to quantities and its options to numbers."""
    symbols: dict[str, Node] = {letter: Symbol(name) for letter, name in letters.items()}
    return replace_symbols(read_formula(text).right, options_of(thing) | symbols)


def bound_over(text: str, letters: Mapping[str, list[Name]], thing: object, indices: Mapping[str, int]) -> Node:
    """A formula text with subscripts: `letters["z"]` are all units', `indices` which of them `i` and `j` are."""
    n = max(len(names) for names in letters.values())
    tree = expand_sums(read_formula(text).right, range(1, n + 1), indices)
    symbols: dict[str, Node] = {
        f"{letter}_{i}": Symbol(name) for letter, names in letters.items() for i, name in enumerate(names, 1)
    }
    return replace_symbols(tree, options_of(thing) | symbols)

"""One step's own formula, and its derivative by each of its inputs, as recipes.

Functions bring theirs: an activation computes here what it computes in a network. A sum of products is differentiated
as the pre-activation of a unit is: the derivative by a factor is what stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.explain.expression.functions import FUNCTIONS, SHORT, Elementary
from chainrule.explain.expression.step import Step, Term, number
from chainrule.explain.formula import Absolute, Call, Negative, Node, Number, Power, Product, Quotient, Sum, Symbol
from chainrule.explain.formula.grammar import bound
from chainrule.explain.formula.tree import sum_of
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Products, Recipe, from_tree


def own_formula(step: Step) -> Node:
    """A step in short, functions by their names: what is put in where formulas are written out."""
    match step.tree:
        case Sum() | Term():
            return _sum_of(step).tree()
        case Call("abs", (argument,)):
            return Absolute(argument)
    return step.tree


def value_recipes(step: Step) -> tuple[Recipe, ...]:
    """How a step is computed."""
    match step.tree:
        case Sum() | Term():
            return (_sum_of(step),)
        case Quotient():
            return (from_tree(step.tree, "h = a / b"),)
        case Power():
            return (from_tree(step.tree, "h = a^b"),)
        case Call(name, (_, _)):
            return (from_tree(step.tree, f"h = {name}(a, b)"),)
    f = FUNCTIONS[step.function]
    (argument,) = step.tree.parts
    text = f.formulas[0]
    short = step.function in SHORT or isinstance(f, Elementary)
    tree = own_formula(step) if short else bound(text, {"z": argument}, f)

    def function(points: Doubles) -> Array:
        z = np.full(len(points), argument.value) if isinstance(argument, Number) else points[:, 0]
        return f.value(z)

    return (FunctionOf(step.inputs, function, text, lambda: tree),)


def slope_recipes(step: Step, by: Name) -> tuple[Recipe, ...]:
    """The derivative of a step by one of its inputs, the others held."""
    if step.terms:
        return (_slope_of_sum(step, by),)
    if step.function in FUNCTIONS:
        return _slopes_of_function(step)
    found = [_slope_at(step, i) for i, argument in enumerate(step.tree.parts) if argument == Symbol(by)]
    return (from_tree(sum_of([tree for tree, _ in found]), found[0][1]),)


def _part(coefficient: Fraction, symbols: Iterable[Node]) -> Part:
    factors = tuple(symbol.name for symbol in symbols if isinstance(symbol, Symbol) and isinstance(symbol.name, Name))
    return Part(factors, float(coefficient), number(abs(coefficient)).text or "")


def _sum_of(step: Step) -> Products:
    parts = tuple(_part(term.coefficient, term.symbols) for term in step.terms)
    return Products(parts, "h = a + b + ..." if len(parts) > 1 else "h = a b")


def _slope_of_sum(step: Step, by: Name) -> Products:
    parts = []
    for term in step.terms:
        left = list(term.symbols)
        if times := left.count(Symbol(by)):
            left.remove(Symbol(by))
            parts.append(_part(term.coefficient * times, left))
    alone = all(not part.factors for part in parts)
    return Products(tuple(parts), "d(c a)/da = c" if alone else "d(a b)/da = b")


def _slopes_of_function(step: Step) -> tuple[Recipe, ...]:
    f = FUNCTIONS[step.function]
    (z,) = step.inputs
    text = f.formulas[1]
    kept = step.name if f.needs == "h" else z
    tree = bound(text, {"z": z, "h": step.name}, f)
    recipes: list[Recipe] = [FunctionOf((kept,), lambda k: f.derivative(k[:, 0]), text, lambda: tree)]
    if f.needs == "h":
        recipes.append(FunctionOf((z,), lambda k: f.derivative(f.value(k[:, 0])), text, None, "from z"))
    return tuple(recipes)


def _slope_at(step: Step, place: int) -> tuple[Node, str]:
    """The derivative by what stands at one place of an operation with two, and the rule that it follows."""
    a, b = step.tree.parts
    match step.tree, place:
        case Quotient(), 0:
            return bound(text := "d(a / b)/da = 1 / b", {"b": b}), text
        case Quotient(), _:
            return bound(text := "d(a / b)/db = -a / b^2", {"a": a, "b": b}), text
        case Power(), 0:
            text = "d(a^b)/da = b a^(b - 1)"
            return _power_slope(a, b) if isinstance(b, Number) else bound(text, {"a": a, "b": b}), text
        case Power(), _:
            return bound("dh/db = h log(a)", {"a": a, "h": step.name}), "d(a^b)/db = a^b log(a)"
    # where both are equal there is no derivative; the first counts then, but a number never does, as in ReLU
    this, other, sign = (a, b, ">=") if place == 0 else (b, a, ">")
    if isinstance(other, Number):
        sign = ">"
    if step.function == "min":
        sign = sign.replace(">", "<")
    tree = bound(f"h = 1 if a {sign} b else 0", {"a": this, "b": other})
    return tree, f"d {step.function}(a, b)/da = 1 if a {sign[0]} b else 0"


def _power_slope(a: Node, b: Number) -> Node:
    """`b a^(b - 1)`, as it is written for a number b."""
    n = b.value
    if n in (0.0, 1.0):
        return Number(n)
    less = number(Fraction(b.text) - 1) if b.text else Number(n - 1)
    power = a if less.value == 1 else Power(a, less)
    if n > 0:
        return Product((b, power))
    return Negative(power if n == -1 else Product((Number(-n, b.text.lstrip("-") if b.text else None), power)))

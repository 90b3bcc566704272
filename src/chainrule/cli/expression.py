"""`chainrule explain --expression`: what the command line says of a small formula, and where."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from chainrule.errors import InputError

if TYPE_CHECKING:
    from chainrule.explain.derivation_of_expression import ExpressionDerivation


def explain_expression(text: str, points: Iterable[str]) -> ExpressionDerivation:
    """The derivation of an expression at `x=1,y=pi/2`, in one option or several."""
    from chainrule import explain_expression

    return explain_expression(text, read_point(points))


def read_point(points: Iterable[str]) -> dict[str, float]:
    """The values of variables; each may be an expression without variables.

    >>> read_point(["x=1, y=pi/2"])
    {'x': 1.0, 'y': 1.5707963267948966}
    """
    from chainrule import explain_expression

    found: dict[str, float] = {}
    for pair in (pair for point in points for pair in point.replace(";", ",").split(",")):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name.isidentifier() and equals and value):
            raise InputError(f'--at "{pair.strip()}" says no value of a variable; it looks like --at x=1,y=-0.5')
        if name in found:
            raise InputError(f'--at gives "{name}" two values')
        try:
            found[name] = explain_expression(value, {}).value
        except InputError as error:
            raise InputError(f"--at {name}: {error}") from None
    return found

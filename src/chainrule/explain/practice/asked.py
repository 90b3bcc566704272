"""Which quantities of a worksheet are worth asking for, and how many decimals show them."""

from __future__ import annotations

import math

from chainrule.explain.derivation import Derivation
from chainrule.explain.marking.verdicts import is_copy
from chainrule.explain.network.activated import Slope
from chainrule.explain.network.costs import HeadGradient, Share
from chainrule.explain.network.elements import Back, Gradient
from chainrule.explain.network.graph import Graph
from chainrule.explain.network.learned import Updated
from chainrule.explain.network.sums import LocalDerivative
from chainrule.explain.quantities.names import Name

FEWEST_DECIMALS, MOST_DECIMALS = 4, 9
SHOWN_DIGITS = 2  # significant digits that every number asked for has at the decimals asked for


def asked_names(work: Derivation) -> list[Name]:
    """What a worksheet asks for, in the order of computation: every number that takes a calculation.

    Left out are copies (`L` where it is the only share of the loss, parameters that stay as they are), the slopes of a
    softmax (their sum is in `dL/dz`), what is zero because its target is, and sums that nobody writes down for their
    own sake.
    """
    return [name for name in work.graph.in_order() if _is_asked(work.graph, name)]


def _is_asked(graph: Graph, name: Name) -> bool:
    match graph.kind(name):
        case LocalDerivative() | Back() | HeadGradient() | Gradient(of="x"):
            return False
        case Slope():
            return not graph.is_coupled(graph.activation_steps[name.layer])
        case Share():  # the whole loss says the same where it is a single share
            return not is_copy(graph.recipes(graph.end)[0]) and graph.value(name) != 0
        case Updated():
            return not is_copy(graph.recipes(name)[0])
        case Gradient(of="h") if name.layer in graph.head_of:
            return graph.value(name) != 0
    return True


def decimals_for(work: Derivation, names: list[Name]) -> int:
    """The fewest decimals that show two significant digits of every number that isn't zero; from 4 to 9."""
    least = min((abs(v) for name in names if (v := work.graph.value(name)) and math.isfinite(v)), default=1.0)
    needed = SHOWN_DIGITS - 1 - math.floor(math.log10(least))
    return min(max(needed, FEWEST_DECIMALS), MOST_DECIMALS)


def rounded(value: float, decimals: int) -> str:
    """A number as it is written down with so many decimals.

    >>> rounded(0.6082590307, 4), rounded(-0.00000001, 4)
    ('0.6083', '0.0000')
    """
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text

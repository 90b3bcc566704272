"""A derivation as JSON: every quantity with its symbol, formulas, value, sources and uses."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation, Quantity

FORMAT = "chainrule-derivation/1"


def to_dict(derivation: Derivation, quantities: list[Quantity]) -> dict[str, Any]:
    """The JSON form as Python data."""
    return {
        "format": FORMAT,
        "title": derivation.title,
        "rows": derivation.trace.n_rows,
        "quantities": [_quantity(quantity) for quantity in quantities],
    }


def _quantity(quantity: Quantity) -> dict[str, Any]:
    return {
        "name": str(quantity.name),
        "symbol": quantity.symbol,
        "meaning": quantity.meaning,
        "general": quantity.general,
        "formula": quantity.formula,
        "numbers": quantity.numbers,
        "value": quantity.value if math.isfinite(quantity.value) else None,
        "inputs": [str(name) for name in quantity.inputs],
        "uses": quantity.uses,
    }


def to_json(derivation: Derivation, quantities: list[Quantity]) -> str:
    """The JSON form as text."""
    return json.dumps(to_dict(derivation, quantities), indent=2, ensure_ascii=False) + "\n"

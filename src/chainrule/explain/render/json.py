"""A derivation as JSON: every quantity with its symbol, formulas, value, sources and uses."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from chainrule.explain.quantities.calculation import Calculation, Quantity
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.protocol import Quantities

FORMAT = "chainrule-derivation/1"
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")  # written as escapes


def to_dict(derivation: Calculation[Quantities], quantities: list[Quantity]) -> dict[str, Any]:
    """The JSON form as Python data."""
    return {
        "format": FORMAT,
        "title": derivation.title,
        "rows": derivation.n_rows,
        "quantities": [_quantity(quantity, derivation.graph.spelled) for quantity in quantities],
    }


def _quantity(quantity: Quantity, spelled: Callable[[Name], str]) -> dict[str, Any]:
    return {
        "name": spelled(quantity.name),
        "symbol": quantity.symbol,
        "meaning": quantity.meaning,
        "general": quantity.general,
        "formula": quantity.formula,
        "numbers": quantity.numbers,
        "value": quantity.value if math.isfinite(quantity.value) else None,
        "inputs": [spelled(name) for name in quantity.inputs],
        "uses": quantity.uses,
    }


def to_json(derivation: Calculation[Quantities], quantities: list[Quantity]) -> str:
    """The JSON form as text."""
    text = json.dumps(to_dict(derivation, quantities), indent=2, ensure_ascii=False)
    return _UNSEEN.sub(lambda c: json.dumps(c.group())[1:-1], text) + "\n"

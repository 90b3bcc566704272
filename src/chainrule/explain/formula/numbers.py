"""Numbers as derivations print them."""

from __future__ import annotations

import math

DIGITS = 6


def shown(value: float, digits: int = DIGITS) -> str:
    """A number with so many significant digits, without needless zeros.

    >>> shown(0.6082590307465144), shown(-0.0), shown(1.5e-9), shown(12345678.0), shown(0.1 + 0.2)
    ('0.608259', '0', '1.5e-09', '1.23457e+07', '0.3')
    """
    if math.isnan(value) or math.isinf(value):
        return str(value).replace("inf", "infinity").replace("nan", "undefined")
    return f"{value + 0.0:.{digits}g}" if value else "0"

"""Numbers as people write them: the digits decide how exactly they are meant."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from statistics import median_low

from chainrule.errors import InputError
from chainrule.explain.quantities.recipes import Spread
from chainrule.plain import shortened

_DECIMAL = re.compile(r"([-+]?)([0-9]*)(?:[.,]([0-9]*))?(?:[eE]([-+]?[0-9]{1,6}))?$")
_FRACTION = re.compile(r"([-+]?)\s*([0-9]{1,300})\s*/\s*([-+]?)([0-9]{1,300})$")
_POWER_OF_TEN = re.compile(r"\s*[x\u00d7*·\u22c5]\s*10\s*(?:\^|\*\*)?\s*\(?\s*([-+]?[0-9]{1,6})\s*\)?$")
_BARE_POWER = re.compile(r"([-+]?)\s*10\s*(?:\^|\*\*)\s*\(?\s*([-+]?[0-9]{1,6})\s*\)?$")
# What people type and paste for a minus, a space, a stroke; an "about" before a rounded number says nothing new.
_PLAIN = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "\u2044": "/", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2248": "", "~": ""}
)
_RAISED = str.maketrans("\u207b\u207a\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "-+0123456789")
_POWER_RAISED = re.compile(r"(?<=10)([\u207b\u207a]?[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+)$")
MOST_DECIMALS = 300
LONGEST = 700  # characters: a fraction of two numbers of 300 digits
ROUNDING = 1e-12  # relative: what float64 itself may be off by


@dataclass(frozen=True)
class Written:
    """A number with the unit of its last digit (0 for a fraction, which is exact) and its significant digits."""

    text: str
    value: float
    unit: float
    digits: int
    decimals: int

    @property
    def radius(self) -> float:
        """How far the number meant may be from the one written: half a unit in the last place."""
        return self.unit / 2 + ROUNDING * abs(self.value)

    @property
    def spread(self) -> Spread:
        """The number with the interval that it was rounded from."""
        return Spread(self.value, self.value - self.radius, self.value + self.radius)


@lru_cache(1024)  # a sheet's numbers are read when it is checked, and when it is marked
def read_number(text: str) -> Written:
    """A written number: decimals, powers of ten (`-2.6e-3`, `-2.6 x 10^-3`), fractions (`1/3`).

    A comma is a decimal comma; spaces may part groups of three digits. `1 1/2` is refused: it might be read as 11/2.

    Raises:
        InputError: it is no number, or is too large or too small for one.

    >>> read_number("-0.0510")
    Written(text='-0.0510', value=-0.051, unit=0.0001, digits=3, decimals=4)
    >>> read_number("2.6 x 10^-3").unit, read_number("1/4").unit
    (0.0001, 0.0)
    """
    if len(text) > LONGEST:
        raise InputError(f'"{shortened(text)}" has {len(text):,} characters; no number written by hand has so many')
    plain = text.translate(_PLAIN).strip()
    plain = _POWER_RAISED.sub(lambda raised: "^" + raised.group(1).translate(_RAISED), plain)
    if found := _FRACTION.match(plain):
        sign, above, other, below = found.groups()
        if int(below) == 0:
            raise InputError(f'"{shortened(text)}" divides by zero')
        value = int(above) / int(below)
        return Written(text, -value if (sign == "-") != (other == "-") else value, 0.0, 17, 17)
    exponent = 0
    if power := _BARE_POWER.match(plain):
        exponent, plain = int(power.group(2)), f"{power.group(1)}1"
    elif power := _POWER_OF_TEN.search(plain):
        exponent, plain = int(power.group(1)), plain[: power.start()]
    decimal = _DECIMAL.match(_without_groups(plain))
    if decimal is None or not (decimal.group(2) or decimal.group(3)):
        raise InputError(f'"{shortened(text)}" is no number; write it like 0.608, -2.6e-3 or 1/3')
    sign, whole, part, power_text = decimal.groups()
    part = part or ""
    exponent += int(power_text or 0)
    value = float(f"{sign}{whole or '0'}.{part or '0'}e{exponent}")
    significant = (whole + part).lstrip("0")
    if not math.isfinite(value) or abs(exponent - len(part)) > MOST_DECIMALS or (significant and not value):
        raise InputError(f'"{shortened(text)}" is beyond what a number of this program holds: about 1e-300 to 1e300')
    return Written(text, value, 10.0 ** (exponent - len(part)), len(significant), len(part) - exponent)


def _without_groups(plain: str) -> str:
    """A number without the spaces after its sign and between groups of three digits; others stay and are refused."""
    plain = re.sub(r"^([-+])\s+", r"\1", plain)
    plain = re.sub(r"(?<=[0-9])_(?=[0-9])", "", plain)
    whole, mark, part = re.match(r"([^.,]*)([.,]?)(.*)$", plain, re.DOTALL).groups()  # type: ignore[union-attr]
    if re.match(r"[-+]?[0-9]{1,3}( [0-9]{3})+$", whole):
        whole = whole.replace(" ", "")
    if re.match(r"([0-9]{3} )+[0-9]{1,3}$", part):
        part = part.replace(" ", "")
    return whole + mark + part


@dataclass(frozen=True)
class Precision:
    """How exactly somebody calculates: to so many significant digits, or to so many decimals everywhere."""

    digits: int
    decimals: int | None = None

    @classmethod
    def of(cls, entries: Iterable[Written]) -> Precision:
        """The precision of a sheet: the lower median of the digits, and the decimals where nearly all agree."""
        written = [entry for entry in entries if entry.unit > 0 and entry.digits > 0]
        if not written:
            return cls(3)
        decimals = [entry.decimals for entry in written if entry.decimals > 0]
        common = max(decimals, default=0)
        fixed = len(decimals) > 2 and sum(d == common for d in decimals) >= 0.7 * len(decimals)
        return cls(max(2, median_low(entry.digits for entry in written)), common if fixed else None)

    def radius(self, value: float) -> float:
        """Half a unit in the last place of a number that was calculated but not written down."""
        if not math.isfinite(value) or value == 0:
            return 0.0
        unit: float = 10.0 ** (math.floor(math.log10(abs(value))) - self.digits + 1)
        return max(unit, 10.0**-self.decimals if self.decimals is not None else 0.0) / 2


def agreement(written: Written, spread: Spread) -> str | None:
    """How a written number agrees with a computed one: "exact", "carried", "truncated", or None.

    "exact" is within half a unit of the point; "carried" within half a unit of what rounding of the sources could have
    made it; "truncated" where its last digit was cut off instead of rounded.

    >>> agreement(read_number("0.608"), Spread.exact(0.60826)), agreement(read_number("0.723"), Spread.exact(0.7239))
    ('exact', 'truncated')
    """
    value, radius = written.value, written.radius + ROUNDING * abs(spread.point)
    if not math.isfinite(spread.point):
        return None
    if abs(value - spread.point) <= radius:
        return "exact"
    if spread.low - radius <= value <= spread.high + radius:
        return "carried"
    if written.unit and truncated(written, spread.low, spread.high):
        return "truncated"
    return None


def truncated(written: Written, low: float, high: float) -> bool:
    """Whether cutting off digits of a number between `low` and `high` gives the written one."""
    value = written.value
    # a number that is whole in this unit, and less by what float64 is off, isn't cut off to the one below
    unit = written.unit - ROUNDING * (abs(value) + written.unit)
    upward = value > 0 or (value == 0 and high > 0)
    if upward:
        return low < value + unit and high >= value
    return high > value - unit and low <= value

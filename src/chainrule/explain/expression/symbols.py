"""How the quantities of an expression are written: names as they were given, derivatives as ratios."""

from __future__ import annotations

from unicodedata import lookup

from chainrule.explain.expression.chain import KINDS
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import Notation, Places, Ratio, Sign, Written

GREEK = frozenset((
    "alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "mu", "nu", "xi", "pi", "rho", "sigma",
    "tau", "phi", "chi", "psi", "omega",
))  # fmt: skip


class ExpressionNotation(Notation):
    """Symbols of an expression; `end` is its result."""

    def __init__(self, end: Name):
        super().__init__("ours", Places({}, {}, "", 1))
        self.end = end

    def text(self, name: Name) -> str:
        """As plain text: `dk/dh`."""
        ends = KINDS[name.kind].ends(name, self.end)
        return name.layer if ends is None else ends.text

    def written(self, name: Name) -> Written:
        """With its parts, for renderers that set them above and below."""
        ends = KINDS[name.kind].ends(name, self.end)
        return sign(name.layer) if ends is None else Ratio(sign(ends.above), sign(ends.below), ends.note)


def sign(text: str) -> Sign:
    """A name with its number or its part after `_` below: `x1`, `w_out`.

    >>> sign("x12"), sign("theta_1").text
    (Sign(letter='x', below='12', above='', plus=False), 'θ_1')
    """
    letter, _, below = text.partition("_")
    if not below and letter.rstrip("0123456789") != letter:
        letter, below = letter.rstrip("0123456789"), letter[len(letter.rstrip("0123456789")) :]
    if not letter:
        return Sign(text)
    return Sign(lookup(f"GREEK SMALL LETTER {letter}") if letter in GREEK else letter, below)

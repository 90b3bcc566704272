"""Any text as LaTeX that `pdflatex` reads: special characters made harmless, what its fonts lack spelled out."""

from __future__ import annotations

import unicodedata

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\ensuremath{<}", ">": r"\ensuremath{>}",
    "|": r"\ensuremath{|}", "ŷ": r"\ensuremath{\hat{y}}", "∂": r"\ensuremath{\partial}", "\u2212": r"\ensuremath{-}",
    "\u00d7": r"\ensuremath{\times}", "·": r"\ensuremath{\cdot}", "∞": r"\ensuremath{\infty}",
    "√": r"\ensuremath{\surd}",
    "±": r"\ensuremath{\pm}", "°": r"\ensuremath{^\circ}", "µ": r"\ensuremath{\mu}",
}  # fmt: skip
_MATHEMATICS = {"ŷ": r"\hat{y}", "ẑ": r"\hat{z}", "ĥ": r"\hat{h}", "∂": r"\partial"}
_GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
})  # fmt: skip
# Greek letters that look like Latin ones have no command of their own.
_LATIN = {"omicron": "o", "Alpha": "A", "Beta": "B", "Epsilon": "E", "Zeta": "Z", "Eta": "H", "Iota": "I", "Kappa": "K",
          "Mu": "M", "Nu": "N", "Omicron": "O", "Rho": "P", "Tau": "T", "Chi": "X"}  # fmt: skip
_PLAIN = set("\u2013\u2014\u2018\u2019“”…„«»¿¡§©")  # what the T1 fonts have besides letters
_LACKING = set("ĦħĸĿŀŉŦŧ")  # and the letters of Latin Extended-A that they don't


def latex_text(text: str) -> str:
    """Text with LaTeX's special characters made harmless.

    >>> print(latex_text("5_a & 3% of θ"))
    5\\_a \\& 3\\% of \\ensuremath{\\theta}
    """
    return "".join(_character(c) for c in unicodedata.normalize("NFC", text))


def latex_letter(letter: str) -> str:
    """One letter in a formula.

    >>> print(latex_letter("W"), latex_letter("ŷ"), latex_letter("Ω"))
    W \\hat{y} \\Omega
    """
    if letter.isascii():
        return letter
    greek = _greek(letter)
    return _MATHEMATICS.get(letter) or greek or f"\\text{{{latex_text(letter)}}}"


def _greek(letter: str) -> str:
    """The command of a Greek letter, or nothing."""
    words = unicodedata.name(letter, "").split()
    name = {"LAMDA": "lambda"}.get(words[-1], words[-1].lower()) if words else ""
    if len(words) != 4 or words[0] != "GREEK" or words[2] != "LETTER" or name not in _GREEK:
        return ""
    name = name if words[1] == "SMALL" else name.capitalize()
    return _LATIN.get(name) or f"\\{name}"


def _character(c: str) -> str:
    if c in _SPECIAL:
        return _SPECIAL[c]
    if c.isascii():
        return c if c.isprintable() or c == "\n" else " "
    if greek := _greek(c):
        return f"\\ensuremath{{{greek}}}"
    if c in _PLAIN or (c.isalpha() and 0xC0 <= ord(c) <= 0x17E and c not in _LACKING):
        return c
    plain = unicodedata.normalize("NFKD", c).replace("\u2044", "/").encode("ascii", "ignore").decode()
    return "".join(_SPECIAL.get(p, p) for p in plain) or f"[U+{ord(c):04X}]"

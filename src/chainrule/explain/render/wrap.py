"""Long formulas over several lines: broken before an operation, the loosest first, never inside a name."""

from __future__ import annotations

_LOOSE, _TIGHT = (" + ", " - ", " if ", " else "), ("*", "/")
SMALLEST = 12  # columns; nothing is broken finer


def wrap_formula(text: str, width: int, indent: int = 2) -> list[str]:
    """The lines of a formula; those after the first are indented, and begin with the operation.

    >>> wrap_formula("W1*x1 + W2*x2 + (a + b)*c + b", 18)
    ['W1*x1 + W2*x2', '  + (a + b)*c + b']
    """
    lines: list[str] = []
    rest, pad = text, ""
    while len(pad) + len(rest) > max(width, SMALLEST):
        at = _break(rest, max(width, SMALLEST) - len(pad))
        if at is None:
            break
        lines.append(pad + rest[:at].rstrip())
        rest, pad = rest[at:].lstrip(), " " * indent
    return [*lines, pad + rest]


def _break(text: str, width: int) -> int | None:
    """Where to break: outside of as many brackets as possible, before `+` sooner than `*`, as late as it fits."""
    found: list[tuple[int, int, int]] = []
    depth = 0
    for i, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if i > width and found:
            break
        loose = any(text.startswith(sign, i) for sign in _LOOSE)
        # a break near the left edge wastes the line
        if i > width // 3 and (loose or (c in _TIGHT and not _in_name(text, i))):
            found.append((-depth, int(loose), i))
    return max(found)[2] if found else None


def _in_name(text: str, i: int) -> bool:
    """Whether a `/` belongs to a name such as `dL/dz`."""
    begin = i
    while begin and (text[begin - 1].isalnum() or text[begin - 1] in "_'^"):
        begin -= 1
    return text[i] == "/" and text[begin] == "d" and text[i + 1 : i + 2] == "d"

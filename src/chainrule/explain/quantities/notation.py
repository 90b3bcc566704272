"""Notations: how quantities are written in the manner of different texts.

`ours` writes names as they are. The others follow five common styles of lecture notes:

- `a-h`: pre-activations a, activations h, weights w with layer, unit and input: a_11, h_11, w_111;
- `o-w`: every unit has an output o with layer and unit, weights have the layer above: o_21, w^2_11;
- `net-out`: units are h1, h2, o1, weights are numbered through: net_h1, out_o1, w_5, E_total;
- `Z-H`: capital letters, O for the output: Z_1, H_1, Z_o, O;
- `O-P`: z and y in the hidden layer, O and P in the last: z_1, y_1, O_1, P_1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Protocol

from chainrule.errors import InputError, did_you_mean, listed
from chainrule.explain.quantities.names import COUNTS, Name


@dataclass(frozen=True)
class Sign:
    """A letter with marks: below, above; `plus` for the value after the update."""

    letter: str
    below: str = ""
    above: str = ""
    plus: bool = False

    @property
    def text(self) -> str:
        """As plain text: `w^2_11`."""
        above = f"^{self.above}" if self.above else ""
        below = f"_{self.below}" if self.below else ""
        return f"{self.letter}{above}{below}{'+' * self.plus}"


@dataclass(frozen=True)
class Ratio:
    """A derivative: one sign over another; `note` says what else belongs to it."""

    above: Sign
    below: Sign
    note: str = ""

    @property
    def text(self) -> str:
        """As plain text: `dL/da_11`."""
        return f"d{self.above.text}/d{self.below.text}{f'|{self.note}' if self.note else ''}"


Written = Sign | Ratio
Style = Callable[["Places", Name], Sign | None]


@dataclass(frozen=True)
class Places:
    """Where a layer stands: the dense layers in order, the layer of the head; and the indices of each parameter."""

    numbers: Mapping[str, int]
    sizes: Mapping[str, tuple[int, int]]
    last: str
    rows: int
    ranks: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def comma(self) -> str:
        """What stands between indices: nothing where each is a single digit."""
        return "" if max(max(size) for size in self.sizes.values()) < 10 else ","

    def units(self, layer: str) -> int:
        """How many units a layer has."""
        return self.sizes[layer][1]

    def hidden(self) -> int:
        """How many dense layers stand before the last."""
        return len(self.numbers) - 1


def _ours(places: Places, name: Name) -> Sign | None:
    indices = ",".join(map(str, name.index))
    if name.kind == "penalty":
        return Sign("penalty")
    letter = {"L": "L", "loss": "loss", "mean": "mean"}.get(name.kind, name.kind)
    return Sign(letter, indices, name.layer)


def _a_h(places: Places, name: Name) -> Sign | None:
    if name.layer not in places.numbers:
        return _common(name)
    k, i = places.numbers[name.layer], name.index
    if name.kind == "h" and name.layer == places.last:
        return Sign("ŷ", "" if places.units(name.layer) == 1 else str(i[0]))
    letters = {"z": "a", "h": "h", "b": "b", "W": "w"}
    return Sign(letters.get(name.kind, name.kind), places.comma.join(map(str, (k, *reversed(i)))))


def _o_w(places: Places, name: Name) -> Sign | None:
    if name.layer not in places.numbers:
        return _common(name)
    k, i = places.numbers[name.layer], name.index
    if name.kind in ("W", "b"):
        return Sign("w" if name.kind == "W" else "b", places.comma.join(map(str, i)), str(k))
    return Sign("o" if name.kind == "h" else "z", f"{k}{places.comma}{i[0]}")


def _net_out(places: Places, name: Name) -> Sign | None:
    if name.kind == "x" and not name.layer:
        return Sign("i", str(name.index[0]))
    if name.kind == "y" and not name.layer:
        return Sign("target", f"o{name.index[0]}")
    if name.kind == "loss" and not name.layer and name.index:
        return Sign("E", f"o{name.index[0]}")
    if name.kind == "L":
        return Sign("E", "total")
    if name.layer not in places.numbers:
        return _common(name)
    k = places.numbers[name.layer]
    letter = "o" if name.layer == places.last else "h" if places.hidden() == 1 else f"h{k},"
    if name.kind == "W":
        before = sum(n * m for layer, (n, m) in places.sizes.items() if places.numbers[layer] < k)
        i, j = name.index
        return Sign("w", str(before + (j - 1) * places.sizes[name.layer][0] + i))
    if name.kind == "b":
        return Sign("b", f"{letter}{name.index[0]}")
    return Sign("net" if name.kind == "z" else "out", f"{letter}{name.index[0]}")


def _z_h(places: Places, name: Name) -> Sign | None:
    if name.layer not in places.numbers:
        return _common(name)
    i, last = name.index, name.layer == places.last
    single = last and places.units(name.layer) == 1
    above = "" if last or places.hidden() == 1 else f"({places.numbers[name.layer]})"
    if name.kind == "W":
        return Sign(
            "w",
            str(i[0]) if single else f"o{i[0]}{places.comma}{i[1]}" if last else f"{i[0]}{places.comma}{i[1]}",
            above,
        )
    if name.kind == "b":
        return Sign("b", "o" if single else f"o{i[0]}" if last else str(i[0]), above)
    if name.kind == "h" and last:
        return Sign("O", "" if single else str(i[0]))
    return Sign("Z" if name.kind == "z" else "H", ("o" if single else f"o{i[0]}") if last else str(i[0]), above)


def _o_p(places: Places, name: Name) -> Sign | None:
    if name.kind == "y":
        return Sign("t", str(name.index[0]))
    if name.layer not in places.numbers:
        return _common(name)
    i, last = name.index, name.layer == places.last
    above = "" if last or places.hidden() == 1 else f"({places.numbers[name.layer]})"
    if name.kind in ("W", "b"):
        prime = "'" if last else ""
        return Sign(("w" if name.kind == "W" else "b") + prime, places.comma.join(map(str, reversed(i))), above)
    letters = ("O", "P") if last else ("z", "y")
    return Sign(letters[name.kind == "h"], str(i[0]), above)


def _common(name: Name) -> Sign | None:
    """What is the same in most texts: inputs, targets, the loss."""
    if name.kind in ("x", "y", "loss"):
        return Sign({"loss": "L"}.get(name.kind, name.kind), ",".join(map(str, name.index)), name.layer)
    if name.kind in ("L", "penalty"):
        return Sign(name.kind)
    return None


STYLES: dict[str, Style] = {
    "ours": _ours, "a-h": _a_h, "o-w": _o_w, "net-out": _net_out, "Z-H": _z_h, "O-P": _o_p,
}  # fmt: skip


class Notation:
    """Symbols for names: a style, and an author's own symbols before it.

    >>> from chainrule import Model, Network
    >>> net = Network.mlp(2, [2], 1, activation="sigmoid", output="sigmoid")
    >>> work = Model(net, "binary_cross_entropy", "sgd").explain([0.5, 0.8], 1, notation="net-out")
    >>> [work[name].symbol for name in ("z[hidden,1]", "W[output,2,1]", "dL/dh[output,1]")]
    ['net_h1', 'w_6', 'dE_total/dout_o1']
    """

    def __init__(self, style: str, places: Places, own: Mapping[Name, str] | None = None):
        self.style = style
        self.places = places
        self.own = dict(own or {})
        self._texts = dict(self.own)
        self.symbol: Callable[[Hashable], str] = cache(self._symbol)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "symbol"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.symbol = cache(self._symbol)

    def text(self, name: Name) -> str:
        """A name's symbol as plain text."""
        if name not in self._texts:
            self._texts[name] = str(name) if self.style == "ours" else self.written(name).text
        return self._texts[name]

    def _symbol(self, name: Hashable) -> str:
        """A symbol of a formula as plain text: the name of a quantity, or a letter, which stays as it is."""
        return self.text(name) if isinstance(name, Name) else str(name)

    def written(self, name: Name) -> Written:
        """A name's symbol with its parts, for renderers that set them above and below."""
        if name in self.own:
            return read_symbol(self.own[name])
        if name.kind in COUNTS:
            return Sign(name.kind, name.layer)
        above, is_ratio, below = name.kind.partition("/d")
        if not is_ratio:
            sign = self._sign(name._replace(kind=name.kind.removesuffix("+")))
            return replace(sign, plus=name.kind.endswith("+"))
        if above in ("dL", "dloss"):
            return Ratio(self._sign(Name("L")), self._sign(name._replace(kind=below)))
        # a unit by its pre-activation, or by one of its learned numbers: then no row has its own
        rank = self.places.ranks.get((below, name.layer), 0)
        unit, index = name.index[:1], name.index[-1:]
        if rank:
            unit, index = name.index[:1] if len(name.index) > rank else name.index[-1:], name.index[-rank:]
        row = None if rank else name.row
        return Ratio(
            self._sign(name._replace(kind=above[1:], index=unit)),
            self._sign(name._replace(kind=below, index=index, row=row)),
        )

    def _sign(self, name: Name) -> Sign:
        if name in self.own:
            written = read_symbol(self.own[name])
            if isinstance(written, Sign):
                return written
        sign = STYLES[self.style](self.places, name) or _ours(self.places, name)
        assert sign is not None
        if name.row is not None and self.places.rows > 1:
            return Sign(sign.letter, sign.below, f"{sign.above}({name.row})")
        return sign


_SYMBOL = re.compile(r"([^\W\d_]+'*)[_\[]?([\w,]*)\]?(\+?)$")


def read_symbol(text: str) -> Written:
    """An author's symbol taken apart.

    >>> read_symbol("Z1"), read_symbol("dL/dO").text
    (Sign(letter='Z', below='1', above='', plus=False), 'dL/dO')
    """
    if "/" in text:
        above, _, below = text.partition("/")
        if above.startswith(("d", "∂")) and below.startswith(("d", "∂")):
            first, second = read_symbol(above[1:]), read_symbol(below[1:])
            if isinstance(first, Sign) and isinstance(second, Sign):
                return Ratio(first, second)
        return Sign(text)
    found = _SYMBOL.match(text)
    if found is None:
        return Sign(text)
    return Sign(found.group(1), found.group(2), "", bool(found.group(3)))


class Placed(Protocol):
    """A calculation whose layers have places."""

    @property
    def places(self) -> Places:
        """Where its layers stand."""


def get_notation(given: str | Notation, graph: Placed, own: Mapping[Name, str] | None = None) -> Notation:
    """The notation of a name.

    Raises:
        InputError: there is no notation of that name.
    """
    if isinstance(given, Notation):
        return given
    if given not in STYLES:
        raise InputError(f'there is no notation "{given}".{did_you_mean(given, STYLES)} These exist: {listed(STYLES)}')
    return Notation(given, graph.places, own)

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
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

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


@dataclass(frozen=True)
class Places:
    """Where a layer stands: the dense layers in order, the layer of the head; and the indices of each parameter."""

    numbers: Mapping[str, int]
    sizes: Mapping[str, tuple[int, int]]
    last: str
    rows: int
    ranks: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @cached_property
    def comma(self) -> str:
        """What stands between indices: nothing where each is a single digit."""
        return "" if max(max(size) for size in self.sizes.values()) < 10 else ","

    def words(self, name: Name) -> dict[str, object]:
        """What the templates of a style may say of a quantity of a layer."""
        layer, (i, j) = name.layer, (*name.index, 0, 0)[:2]
        k, several = self.numbers[layer], len(self.numbers) > 2  # hidden layers
        before = sum(n * m for other, (n, m) in self.sizes.items() if self.numbers[other] < k)
        return {
            "k": k, "i": i, "j": j, "c": self.comma,
            "hidden": f"({k})" if several else "",
            "unit": "o" if layer == self.last else f"h{k}," if several else "h",
            "number": before + (j - 1) * self.sizes[layer][0] + i,
        }  # fmt: skip


class Style(NamedTuple):
    """How quantities are written, by kind: `letter^above_below`, with the words of `Places` in braces.

    `layer` is for those of numbered layers, `last` for the last of these, `single` where it has a single unit; `loose`
    for what belongs to no layer. All others have their kind as letter, unless `letters` says another.
    """

    layer: Mapping[str, str]
    last: Mapping[str, str] = {}
    single: Mapping[str, str] = {}
    loose: Mapping[str, str] = {}
    letters: Mapping[str, str] = {"loss": "L"}

    def template(self, places: Places, name: Name) -> str:
        """The template for a quantity; empty where there is none."""
        if name.layer not in places.numbers:
            found = "" if name.layer else self.loose.get(name.kind, "")
            return found if name.index or "{" not in found else ""
        tables = [self.layer]
        if name.layer == places.last:
            tables = [self.single] * (places.sizes[name.layer][1] == 1) + [self.last, self.layer]
        return next((table[name.kind] for table in tables if name.kind in table), "")


STYLES = {
    "ours": Style({}, letters={}),
    "a-h": Style(
        {"z": "a_{k}{c}{i}", "h": "h_{k}{c}{i}", "b": "b_{k}{c}{i}", "W": "w_{k}{c}{j}{c}{i}", "y": "y_{k}{c}{i}"},
        last={"h": "ŷ_{i}"}, single={"h": "ŷ"},
    ),
    "o-w": Style({"z": "z_{k}{c}{i}", "h": "o_{k}{c}{i}", "b": "b^{k}_{i}", "W": "w^{k}_{i}{c}{j}"}),
    "net-out": Style(
        {"z": "net_{unit}{i}", "h": "out_{unit}{i}", "b": "b_{unit}{i}", "W": "w_{number}"},
        loose={"x": "i_{i}", "y": "target_o{i}", "loss": "E_o{i}", "L": "E_total"},
    ),
    "Z-H": Style(
        {"z": "Z^{hidden}_{i}", "h": "H^{hidden}_{i}", "b": "b^{hidden}_{i}", "W": "w^{hidden}_{i}{c}{j}"},
        last={"z": "Z_o{i}", "h": "O_{i}", "b": "b_o{i}", "W": "w_o{i}{c}{j}"},
        single={"z": "Z_o", "h": "O", "b": "b_o", "W": "w_{i}"},
    ),
    "O-P": Style(
        {"z": "z^{hidden}_{i}", "h": "y^{hidden}_{i}", "b": "b^{hidden}_{i}", "W": "w^{hidden}_{j}{c}{i}"},
        last={"z": "O_{i}", "h": "P_{i}", "b": "b'_{i}", "W": "w'_{j}{c}{i}"}, loose={"y": "t_{i}"},
    ),
}  # fmt: skip
_TEMPLATE = re.compile(r"([^^_]*)(?:\^([^_]*))?(?:_(.*))?")


def _filled(template: str, words: Mapping[str, object]) -> Sign:
    found = _TEMPLATE.fullmatch(template)
    assert found is not None
    letter, above, below = (part.format_map(words) for part in found.groups(""))
    return Sign(letter, below, above)


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
        self._texts: dict[Hashable, str] = {}

    def text(self, name: Name) -> str:
        """A name's symbol as plain text."""
        if name in self.own:
            return self.own[name]
        return str(name) if self.style == "ours" else self.written(name).text

    def symbol(self, name: Hashable) -> str:
        """A symbol of a formula as plain text: the name of a quantity, or a letter, which stays as it is."""
        if name not in self._texts:
            self._texts[name] = self.text(name) if isinstance(name, Name) else str(name)
        return self._texts[name]

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
        style = STYLES[self.style]
        if template := style.template(self.places, name):
            sign = _filled(template, self.places.words(name) if name.layer else {"i": name.index and name.index[0]})
        else:
            sign = Sign(style.letters.get(name.kind, name.kind), ",".join(map(str, name.index)), name.layer)
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
    return Sign(text) if found is None else Sign(found[1], found[2], plus=bool(found[3]))


def get_notation(given: str | Notation, places: Places, own: Mapping[Name, str] | None = None) -> Notation:
    """The notation of a name.

    Raises:
        InputError: there is no notation of that name.
    """
    if isinstance(given, Notation):
        return given
    if not isinstance(given, str) or given not in STYLES:
        raise InputError(f'there is no notation "{given}".{did_you_mean(given, STYLES)} These exist: {listed(STYLES)}')
    return Notation(given, places, own)

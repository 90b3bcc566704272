"""Numbers as people write them: 1,133,976 and $1,002.21, 43.8%, 3.188,44, (120) and 120-."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from chainrule import forms

if TYPE_CHECKING:
    import polars as pl

Mark = Literal[".", ","]

_MARKS_IN_USE: Final = """
- -- --- \u2014 \u2013 . .. ... ? * na n/a n.a. n.a nan #n/a #na <na> none null nil unknown n/k nk n.k. missing nd n.d.
k.a. #value! #div/0! #ref! #null! #num!
"""
MARKS: Final = frozenset(
    [*_MARKS_IN_USE.split(), "", "not available", "not known", "no data", "no value", "(missing)", "(blank)"]
)
"""What stands for a missing value among numbers and dates, in small letters."""

INFINITE: Final = r"(?i)^[+-]?(inf|infinity|∞)$"
_CODES: Final = "EUR USD GBP CHF JPY CNY INR AUD CAD NZD SEK NOK DKK PLN CZK HUF BRL MXN KRW ZAR TRY RUB"
_CURRENCY: Final = rf"[$€£¥₹₩]|US\$|Fr\.|{_CODES.replace(' ', '|')}"
# A sign, a currency, digits with what groups them, a power of ten, a unit, and what else says that it is below zero.
_SHAPE: Final = (
    r"^(?P<open>\()?\s?(?P<sign>[+-])?\s?"
    rf"(?P<before>{_CURRENCY})?\s?(?P<inner>[+-])?"
    r"(?P<body>\d[\d.,' ]*\d|\d[.,]?|[.,]\d+)(?P<power>[eE][+-]?\d+)?"
    rf"\s?(?P<after>{_CURRENCY}|%|[\p{{Alphabetic}}°µ][\p{{Alphabetic}}°µ/²³]{{0,7}}\.?)?"
    r"(?P<behind>-)?\s?(?P<close>\))?$"
)
_READABLE: Final[dict[Mark, str]] = {
    ".": r"^(\d+|\d{1,3}([,' ]\d{3})+)?(\.\d*)?$",
    ",": r"^(\d+|\d{1,3}([.' ]\d{3})+)?(,\d*)?$",
}
_SURE: Final[dict[Mark, str]] = {  # that this is the decimal mark
    ".": r"^(\d+,\d{3}(,\d{3})*\.\d*|\d{1,3}(,\d{3}){2,}|0?\.\d+|\d*\.(\d{0,2}|\d{4,})|\d{4,}\.\d+|\d.*[' ]\d{3}\.\d+)"
    r"$",
    ",": r"^(\d+\.\d{3}(\.\d{3})*,\d*|\d{1,3}(\.\d{3}){2,}|0?,\d+|\d*,(\d{0,2}|\d{4,})|\d{4,},\d+|\d.*[' ]\d{3},\d+)$",
}
_POINTS: Final = {"$", "US$", "USD", "£", "GBP"}  # whose users write decimal points
_LEADING_ZERO: Final = r"^0\d"
_FEW_WITH_UNIT: Final = 10  # of so few different values "4 cyl" are kinds


@dataclass(frozen=True)
class NumberForm:
    """How the numbers of a column are written: the decimal mark, and what stands beside them.

    >>> str(NumberForm(",", grouped=True, beside="€"))
    'decimal commas, thousands grouped, €'
    """

    mark: Mark = "."
    grouped: bool = False
    beside: str = ""
    negative: str = ""

    def __str__(self) -> str:
        parts = [
            "decimal commas" if self.mark == "," else "",
            "thousands grouped" if self.grouped else "",
            "percent" if self.beside == "%" else self.beside,
            {"()": "brackets for below zero", "-": "the minus behind"}.get(self.negative, ""),
        ]
        return ", ".join(part for part in parts if part)

    def read(self, text: pl.Series) -> pl.Series:
        """The numbers of cells that are written so; nothing where a cell isn't."""
        import polars as pl

        parts = _parts(_plain(text))
        beside = pl.col("before").fill_null("") + pl.col("after").fill_null("")
        written = pl.col("body").str.contains(_READABLE[self.mark])
        if not self.grouped:  # then 1,234 may be anything
            sure = pl.col("body").str.contains(_SURE[self.mark])
            written &= sure | ~pl.col("body").str.contains(rf"[' {re.escape(_other(self.mark))}]")
        fits = beside.is_in([self.beside, ""]) & written
        return parts.select(pl.when(fits).then(_value(self.mark)).alias("number")).to_series().alias(text.name)

    def to_dict(self) -> dict[str, Any]:
        """The form as JSON values."""
        return {"kind": "number", **asdict(self)}

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> NumberForm:
        """The form whose `to_dict` is given; raises `ValueError` or the like for anything else."""
        if form["mark"] not in _READABLE:
            raise ValueError(f"a decimal mark {form['mark']!r}")
        return cls(form["mark"], forms.truth(form["grouped"]), forms.text(form["beside"]), forms.text(form["negative"]))


@dataclass(frozen=True)
class Found:
    """What the cells of a column look like: the part that are numbers, how they are written, and what is in doubt."""

    share: float
    form: NumberForm | None = None
    doubt: str = ""
    mark: Mark | None = None


def find_form(distinct: pl.Series, hint: Mark | None = None, said: str | None = None) -> Found:
    """How the different cells of a column are written, if they are numbers.

    Arguments:
        distinct: without marks of missing values.
        hint: the decimal mark of the rest of the file, where the column doesn't tell.
        said: what somebody said of it.

    >>> import polars as pl
    >>> find_form(pl.Series(["1,133,976", "12"])).form, find_form(pl.Series(["43.8%", "7%"])).form.beside
    (NumberForm(mark='.', grouped=True, beside='', negative=''), '%')
    """
    import polars as pl

    parts = _parts(_plain(distinct))
    alike = parts.filter(pl.col("body").is_not_null())
    share = alike.height / max(1, len(distinct))
    if not alike.height or alike["body"].str.contains(_LEADING_ZERO).any():
        return Found(0.0)
    body = alike["body"]
    beside = alike.select(pl.col("before").fill_null("") + pl.col("after").fill_null("")).to_series()
    readable = {mark: body.str.contains(pattern) for mark, pattern in _READABLE.items()}
    either = readable["."] | readable[","]
    if not either.all():
        share = float(either.sum()) / len(distinct)
        if share < _NEARLY:
            return Found(share)
        alike, body, beside = alike.filter(either), body.filter(either), beside.filter(either)
        readable = {mark: what.filter(either) for mark, what in readable.items()}
    affixes = set(beside.unique()) - {""}
    units = {one for one in affixes if one != "%" and not re.fullmatch(_CURRENCY, one)}
    if units and (len(affixes) > 1 or (beside == "").any() or len(distinct) <= _FEW_WITH_UNIT):
        with_unit = int(beside.is_in(list(units)).to_numpy().sum())
        return Found(share - with_unit / len(distinct))
    if len(affixes) > 1:
        return Found(share, doubt=f"cells with {' and '.join(sorted(affixes))}, which are different quantities")
    if affixes == {"%"}:
        bare = alike.filter((beside == "") & ~body.str.contains("^0*[.,]?0*$"))
        if bare.height:
            return Found(share, doubt="cells with % and cells without, which may be shares")
    sure = {mark: bool((body.str.contains(_SURE[mark]) & ~readable[_other(mark)]).any()) for mark in _READABLE}
    possible = [mark for mark in _READABLE if readable[mark].all()]
    chosen: Mark
    told: Mark | None = None
    doubt = ""
    if said in possible:
        chosen = "," if said == "," else "."
    elif not possible:
        return Found(share, doubt="decimal commas in some cells and decimal points in others")
    elif len(possible) == 1:
        chosen = told = possible[0]
    else:
        chosen, doubt = _decide(body, hint or ("." if affixes & _POINTS else None))
        told = next((mark for mark, is_sure in sure.items() if is_sure), None)
    form = NumberForm(
        chosen,
        grouped=bool(body.str.contains(r"\d[' ]\d").any()) or bool(body.str.contains(re.escape(_other(chosen))).any()),
        beside=next(iter(affixes), ""),
        negative="()" if alike["open"].is_not_null().any() else "-" if alike["behind"].is_not_null().any() else "",
    )
    return Found(share, form, doubt, told)


_NEARLY: Final = 0.9


def _decide(body: pl.Series, hint: Mark | None) -> tuple[Mark, str]:
    """The decimal mark where every cell can be read both ways, and what is doubtful about it."""
    has = {mark: body.str.contains(re.escape(mark)) for mark in _READABLE}
    if not any(column.any() for column in has.values()):
        return ".", ""
    mark: Mark = "," if has[","].any() else "."
    other = _other(mark)
    if body.filter(~has[mark]).str.contains(r"^\d{4,}$").any():  # a thousand without the mark: it groups none
        return mark, ""
    if hint is not None:
        return hint, ""
    if not has[mark].all():
        return other, ""
    example = body.filter(has[mark])[0]
    whole, cut = example.replace(mark, ""), example.replace(mark, ".")
    return other, f"{example} may be {whole} or {cut}"


def _other(mark: str) -> Mark:
    return "," if mark == "." else "."


def _plain(text: pl.Series) -> pl.Series:
    """Text with one kind of space, of minus and of apostrophe, none of them around."""
    import polars as pl

    column = pl.col("text").str.replace_all("[\u00a0\u202f\u2009\u2007]", " ")
    column = column.str.replace_all("[\u2212\u2013]", "-").str.replace_all("[\u2019\u00b4`]", "'").str.strip_chars()
    return text.to_frame("text").select(column).to_series()


def _parts(text: pl.Series) -> pl.DataFrame:
    """The parts of each cell; no body where it isn't a number."""
    import polars as pl

    parts = text.to_frame("text").select(pl.col("text").str.extract_groups(_SHAPE).alias("parts")).unnest("parts")
    closed = pl.col("open").is_null() == pl.col("close").is_null()
    return parts.with_columns(pl.when(closed).then(pl.col("body")).alias("body"))


def _value(mark: Mark) -> pl.Expr:
    import polars as pl

    body = pl.col("body").str.replace_all(rf"[' {re.escape(_other(mark))}]", "")
    if mark == ",":
        body = body.str.replace(",", ".", literal=True)
    number = (body + pl.col("power").fill_null("")).cast(pl.Float64, strict=False)
    below = (pl.col("sign") == "-").fill_null(False) | (pl.col("inner") == "-").fill_null(False)
    below = below | pl.col("behind").is_not_null() | pl.col("open").is_not_null()
    return pl.when(below).then(-number).otherwise(number)

"""Columns of text as what they mean: numbers, dates, truth values; how each was read, and what is in doubt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.errors import at_rows, quoted
from chainrule.plain import shortened
from chainrule.tables.advice import way
from chainrule.tables.column_values import CODE, LONG
from chainrule.tables.date_forms import epoch_unit, find_dates, from_epochs, read_dates
from chainrule.tables.dates import first_known
from chainrule.tables.number_forms import INFINITE, MARKS, Mark, NumberForm, find_form

if TYPE_CHECKING:
    import polars as pl

    from chainrule.tables.wishes import Wishes

MISSING: Final = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "?", "#N/A", "<NA>", "#NA")
"""The cells of a text file that count as missing in any column."""

PLAIN: Final = NumberForm()
_TRUTH: Final = ("true", "false")
_COMMA_NUMBER: Final = r"^[+-]?\d*(,\d+)?$"
_GROUPED: Final = r"^[+-]?\d{1,3}(\.\d{3})+$"
_EXACT: Final = 2**53  # whole numbers beyond aren't told apart by floats
_DATE_NAME: Final = re.compile(r"(?i)(.*[_\s.-])?(date|time|timestamp|ts|datetime|epoch|created|updated|at|on|datum)")
_LIKELY: Final = 0.5  # of cells that are numbers, where the rest may be marks of missing values
_NEARLY: Final = 0.9
_MANY_NUMBERS, _FEW_MARKS = 20, 3  # different ones
_SAMPLE: Final = 400


@dataclass
class Readings:
    """What became of a table's text: how each column is read, for the table of columns, and what is said of it.

    `forms` are needed to read other tables alike: a `NumberForm`, or the name of a form of dates. `doubts` are
    complaints by column.
    """

    forms: dict[str, NumberForm | str] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    doubts: dict[str, str] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)

    def say(self, name: str, what: str) -> None:
        """Something of one column."""
        if what:
            self.said.setdefault(name, []).append(what)


def typed_frame(frame: pl.DataFrame, *, decimal_comma: bool = False) -> pl.DataFrame:
    """A frame of text with each column in the type that all of its cells have.

    Spaces around a cell are ignored and the cells in `MISSING` become missing. The whole column
    decides: one word among ten thousand numbers leaves the column text. With `decimal_comma`,
    "1,5" is a number.

    >>> import polars as pl
    >>> typed_frame(pl.DataFrame({"a": ["1", "NA"], "b": [" x", "None"]})).to_dict(as_series=False)
    {'a': [1, None], 'b': ['x', None]}
    """
    from chainrule.tables.wishes import Wishes

    return read_text(frame, frame.columns, Wishes(), comma=decimal_comma)[0]


def read_text(
    frame: pl.DataFrame,
    columns: Iterable[str],
    wishes: Wishes,
    *,
    kinds: Mapping[str, str] | None = None,
    forms: Mapping[str, NumberForm | str] | None = None,
    comma: bool = False,
    cells: bool = True,
) -> tuple[pl.DataFrame, Readings]:
    """A frame with its columns of text read.

    Arguments:
        frame: the table.
        columns: those of text, which are read.
        wishes: what is said of the table.
        kinds: what columns are to be: "numeric", "categorical", "date" or "dropped".
        forms: how the columns of the training table are written; what isn't there is read as it stands.
        comma: whether a decimal comma is likely.
        cells: whether they are cells of a text file, in which NA is missing and 1 a number; if not, they are text of a
            data frame, which is read only where it can't be a category.
    """
    import polars as pl

    found = Readings()
    text = [name for name in columns if frame.schema[name] == pl.String]
    frame = _with_missing(frame, text, wishes, found, cells)
    if not text:
        return frame, found
    codes = frame.select(pl.col(text).str.contains(CODE).any()).row(0)
    said = wishes.forms(frame.columns)
    left: list[str] = []
    made: dict[str, pl.Series] = {}
    for name, has_codes in zip(text, codes, strict=True):
        kind = (kinds or {}).get(name)
        if kind == "dropped" or (has_codes and kind not in ("date", "numeric")):
            continue
        series = frame[name]
        if series.null_count() == len(series):
            continue
        if forms is not None:
            made[name] = _as_before(series, forms.get(name), comma, found)
        elif kind == "date":
            made[name] = _said_date(series, said.get(name), found)
        else:
            plain = _plainly(series, comma, found) if cells else None
            if plain is not None and name not in said:
                made[name] = plain
                if plain.dtype.is_numeric():
                    found.forms[name] = PLAIN
            else:
                left.append(name)
    if left:
        # What one column doesn't tell of decimal marks, others may.
        hint = _hint(frame, made, left, comma)
        for name in left:
            made[name] = _column(frame[name], (kinds or {}).get(name), said.get(name), hint, found, cells)
        if hint == "," and forms is None:
            for name in text:
                if name in made and made[name].dtype == pl.Float64 and name not in left:
                    made[name] = _regrouped(frame[name], made[name], found)
    return frame.with_columns(**made), found


def read_numbers(
    frame: pl.DataFrame,
    wishes: Wishes,
    found: Readings,
    kinds: Mapping[str, str],
    forms: Mapping[str, NumberForm | str] | None,
    *,
    infinite: bool = True,
) -> pl.DataFrame:
    """Columns of numbers that are dates, by their name and values or because it is said; and infinities as missing."""

    made = {}
    for series in frame:
        name, kind = series.name, kinds.get(series.name)
        if series.dtype.is_float() and infinite:
            odd = int(series.is_infinite().sum())
            if odd:
                made[name] = series.set(series.is_infinite().fill_null(False), None)
                verb = "is" if odd == 1 else "are"
                found.notes.append(f'column "{name}": {odd:,} infinite or too large ("inf") {verb} taken as missing')
        elif series.dtype.is_integer() and kind in (None, "date"):
            form = _whole_dates(series, kind, found) if forms is None else forms.get(name)
            if isinstance(form, str):
                dates = _from_whole(series, form)
                if dates.null_count() == series.null_count():
                    made[name] = dates
                    found.forms[name] = form
                    found.say(name, _told_date(form))
            elif kind == "date" and forms is None:
                found.doubts[name] = (
                    f'column "{name}" is named by {way("date")} and holds numbers such as {series.drop_nulls()[0]} '
                    "that are no dates"
                )
        elif kind == "date" and not series.dtype.is_temporal() and series.dtype.is_numeric():
            found.doubts[name] = f'column "{name}" is named by {way("date")} and holds numbers that are no dates'
    return frame.with_columns(**made)


def _with_missing(
    frame: pl.DataFrame, text: list[str], wishes: Wishes, found: Readings, cells: bool
) -> pl.DataFrame:  # fmt: skip
    """Spaces around cells cut off, and marks of missing values missing."""
    import polars as pl

    own = [mark.strip() for mark in wishes.missing]
    marks = [*(MISSING if cells else ("",)), *own]
    if text and cells:
        frame = frame.with_columns(pl.col(text).str.strip_chars())
    if own:
        counts = dict.fromkeys(own, 0)
        numbers = {mark: _number(mark) for mark in own}
        made = {}
        for series in frame:
            if series.dtype == pl.String:
                stripped = series.str.strip_chars()
                for mark in own:
                    counts[mark] += int((stripped == mark).sum())
                made[series.name] = series.set(stripped.is_in(own), None)
            elif series.dtype.is_numeric():
                for mark, number in numbers.items():
                    hits = (series == number) if number is not None else pl.Series([False])
                    if hits.any():
                        counts[mark] += int(hits.sum())
                        made[series.name] = made.get(series.name, series).set(hits, None)
        frame = frame.with_columns(**made)
        found.marks = counts
    if text and cells:
        frame = frame.with_columns(pl.when(~pl.col(text).is_in(marks)).then(pl.col(text)).name.keep())
        for quote in ("'", '"'):  # around each label, as some programs write them
            around = [
                name
                for name in text
                if first_known(frame[name]).startswith(quote)
                and frame[name].str.contains(f"^{quote}[^{quote}]*{quote}$").all()
            ]
            frame = frame.with_columns(pl.col(around).str.strip_chars(quote)) if around else frame
    return frame


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _plainly(text: pl.Series, comma: bool, found: Readings) -> pl.Series | None:
    """A column all of whose cells are plain numbers or truth values; nothing where it isn't."""
    import polars as pl

    numbers = text
    if comma and text.str.contains(_COMMA_NUMBER).all():
        numbers = text.str.replace(",", ".", literal=True)
    for dtype in (pl.Int64, pl.Float64):
        cast = numbers.cast(dtype, strict=False)
        if cast.null_count() == text.null_count():
            if _largest(cast) > _EXACT and text.str.contains(LONG).any() and not _are_times(text.name, cast):
                found.say(text.name, "whole numbers too long to be told apart as numbers")
                return text
            return cast
    if first_known(text).lower() in _TRUTH:  # a look at one cell spares most columns of words the work
        truth = text.str.to_lowercase()
        if truth.is_in(_TRUTH).all():
            return truth == "true"
    return None


def _largest(numbers: pl.Series) -> float:
    return max(abs(float(end)) for end in (numbers.min(), numbers.max()) if isinstance(end, (int, float)))


def _are_times(name: str, numbers: pl.Series) -> bool:
    return bool(_DATE_NAME.fullmatch(_snake(name))) and numbers.dtype.is_integer() and epoch_unit(numbers) is not None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())


def _whole_dates(series: pl.Series, kind: str | None, found: Readings) -> str | None:
    """The form of dates in whole numbers, where their name says that they are, or somebody."""
    if kind is None and not _DATE_NAME.fullmatch(_snake(series.name)):
        return None
    unit = epoch_unit(series)
    if unit is not None and kind is None:
        return unit
    import polars as pl

    dates = read_dates(series.cast(pl.String), "yearmonthday")
    if dates.null_count() == series.null_count():
        return "yearmonthday"
    return unit


def _from_whole(series: pl.Series, form: str) -> pl.Series:
    import polars as pl

    if form in ("seconds", "milliseconds", "microseconds", "nanoseconds"):
        return from_epochs(series.cast(pl.Int64), form)
    return read_dates(series.cast(pl.String), form).alias(series.name)


def _told_date(form: str) -> str:
    if form in ("seconds", "milliseconds", "microseconds", "nanoseconds"):
        return f"{form} since 1970"
    return "" if form == "ISO" else "" if form == "time" else f"written {form}"


def _said_date(text: pl.Series, form: str | None, found: Readings) -> pl.Series:
    """A column that is said to hold dates."""
    import polars as pl

    text = text.set(text.str.to_lowercase().is_in(MARKS), None)
    if form is None:
        dates = find_dates(text)
        if dates.dates is None and not dates.doubt and dates.bad is None:
            numbers = text.cast(pl.Int64, strict=False)
            if numbers.null_count() == text.null_count():
                return numbers  # read_numbers goes on
        return _dates(text, dates, found, "date")
    try:
        read = read_dates(text, form)
    except pl.exceptions.PolarsError as error:
        found.doubts[text.name] = f'{way("date", f"{text.name}={form}")}: "{form}" is no form of dates ({error})'
        return text
    bad = text.is_not_null() & read.is_null()
    if bad.any():
        found.doubts[text.name] = (
            f'column "{text.name}" isn\'t written "{form}", as {way("date", f"{text.name}={form}")} says, in '
            f"{_where(text, bad)}"
        )
        return text
    found.forms[text.name] = form
    found.say(text.name, f"written {form}")
    return read.alias(text.name)


def _dates(text: pl.Series, found_dates: object, found: Readings, kind: str | None) -> pl.Series:
    from chainrule.tables.date_forms import FoundDates

    assert isinstance(found_dates, FoundDates)
    name = text.name
    if found_dates.dates is not None:
        found.forms[name] = found_dates.form
        found.say(name, _told_date(found_dates.form))
        return found_dates.dates.alias(name)
    if found_dates.doubt:
        sign = next((sign for sign in "/-" if sign in first_known(text)), ".")
        day, month = (way("date", f"{name}={sign.join(order)}") for order in (("%d", "%m", "%Y"), ("%m", "%d", "%Y")))
        found.doubts[name] = (
            f'column "{name}": {found_dates.doubt}: say which with {day} or {month}, or {way("categorical", name)} or '
            f"{way('drop', name)}"
        )
    elif found_dates.bad is not None:
        found.doubts[name] = (
            f'column "{name}" has no date in {_where(text, found_dates.bad)} among dates: mend it, or say '
            f"{way('missing', _example(text, found_dates.bad))}, {way('categorical', name)} or {way('drop', name)}"
        )
    elif kind == "date":
        bad = text.is_not_null()
        found.doubts[name] = f'column "{name}" is named by {way("date")} and holds no date in {_where(text, bad)}'
    return text


def _as_before(text: pl.Series, form: NumberForm | str | None, comma: bool, found: Readings) -> pl.Series:
    """A column as the training table's was written; what doesn't fit stays text, of which the encoding complains."""
    plain = _plainly(text, comma and form in (None, PLAIN), found)
    if isinstance(form, NumberForm):
        if plain is not None and plain.dtype.is_numeric() and (form == PLAIN or (form.mark == "." and not form.beside)):
            return plain
        bare = text.set(text.str.to_lowercase().is_in(MARKS) | text.str.contains(INFINITE), None)
        numbers = form.read(bare)
        return numbers if numbers.null_count() == bare.null_count() else text
    if plain is not None:
        return plain
    bare = text.set(text.str.to_lowercase().is_in(MARKS), None)
    if isinstance(form, str):
        whole = bare.cast(_int64(), strict=False)
        dates = _from_whole(whole, form) if whole.null_count() == bare.null_count() else read_dates(bare, form)
        return dates.alias(text.name) if dates.null_count() == bare.null_count() else text
    return text


def _int64() -> type[pl.Int64]:
    import polars as pl

    return pl.Int64


def _hint(frame: pl.DataFrame, made: Mapping[str, pl.Series], left: list[str], comma: bool) -> Mark | None:
    """The decimal mark of the file, as far as its columns agree about it; None where no column needs to know."""
    import polars as pl

    marks: set[Mark] = set()
    needed = comma
    for name in left:
        sample = _sample(frame[name])
        sample = sample.filter(sample.str.contains(r"\d[.,]\d") & ~sample.str.to_lowercase().is_in(MARKS))
        if len(sample):
            mark = find_form(sample.unique(maintain_order=True)).mark
            marks |= {mark} if mark else set()
            needed |= mark is None
    if not needed:
        return None
    for name, series in made.items():
        if series.dtype == pl.Float64 and frame.schema[name] == pl.String:
            with_mark = frame[name].str.contains(",", literal=True).any()
            sure = with_mark or frame[name].str.contains(r"\.(\d{1,2}|\d{4,})$").any()
            marks |= {","} if with_mark else {"."} if sure else set()
    if len(marks) == 1:
        return marks.pop()
    return "," if comma and not marks else None


def _sample(text: pl.Series) -> pl.Series:
    """Some cells of a column, from all over it, none missing."""
    return (
        text.gather_every(max(1, len(text) // (4 * _SAMPLE))).drop_nulls()
        if text.null_count() < len(text) / 2
        else (text.drop_nulls().gather_every(max(1, (len(text) - text.null_count()) // (4 * _SAMPLE))))
    )


def _regrouped(text: pl.Series, numbers: pl.Series, found: Readings) -> pl.Series:
    """12.345 in a file of decimal commas: twelve thousand."""
    if not text.str.contains(_GROUPED).any() or not text.str.contains(rf"{_GROUPED}|^[+-]?\d{{1,3}}$").all():
        return numbers
    form = NumberForm(",", grouped=True)
    found.forms[text.name] = form
    found.say(text.name, str(form))
    return form.read(text)


def _column(
    text: pl.Series, kind: str | None, said: str | None, hint: Mark | None, found: Readings, cells: bool
) -> pl.Series:
    """A column that isn't plain: numbers with marks or signs, dates, or text."""
    if kind == "categorical":
        return text
    name = text.name
    sample = _sample(text)
    small = sample.str.to_lowercase()
    some = ~small.is_in(MARKS)
    numeric = sample.str.contains(r"^\W{0,3}([A-Za-z]{1,3}\W{0,2})?\d|^[+-]?(inf|Inf|∞)").filter(some)
    if kind != "numeric" and (not len(numeric) or np.count_nonzero(numeric) < _LIKELY / 2 * len(numeric)):
        dates = find_dates(text.set(text.str.to_lowercase().is_in(MARKS), None)) if len(numeric) else None
        return text if dates is None else _dates(text, dates, found, kind)
    marked = text.is_not_null() & text.str.to_lowercase().is_in(MARKS)
    endless = text.str.contains(INFINITE).fill_null(False)
    bare = text.set(marked | endless, None)
    rest = bare.drop_nulls()
    if not len(rest):
        return text
    if kind is None:
        dates = find_dates(bare)
        if dates.dates is not None or dates.doubt or dates.bad is not None:
            read = _dates(bare, dates, found, kind)
            if dates.dates is not None:
                _say_marks(text, marked, found)
                return read
            return text
    distinct = rest.unique(maintain_order=True)
    form = find_form(distinct, hint, said)
    if form.form is None and not form.doubt:
        if kind == "numeric":
            numbers = rest.cast(_float64(), strict=False)
            _doubt_numbers(
                text, text.is_not_null() & ~marked & bare.cast(_float64(), strict=False).is_null(), found, True
            )
            del numbers
        elif form.share >= _NEARLY:
            _doubt_numbers(text, bare.is_not_null() & bare.cast(_float64(), strict=False).is_null(), found)
        return text
    if form.doubt:
        if form.share < _NEARLY and kind != "numeric":
            return text
        marks = (
            "" if form.form is None else f" ({way('numeric', f'{name}=.')} or {way('numeric', f'{name}=,')} says which)"
        )
        found.doubts[name] = (
            f'column "{name}" is doubtful: {form.doubt}{marks}; write its numbers alike, or say '
            f"{way('categorical', name)} or {way('drop', name)}"
        )
        return text
    assert form.form is not None
    numbers = form.form.read(bare)
    bad = bare.is_not_null() & numbers.is_null()
    if bad.any():
        wrong = bare.filter(bad)
        share = 1 - len(wrong) / len(rest)
        few = wrong.n_unique() <= _FEW_MARKS and distinct.len() - wrong.n_unique() >= _MANY_NUMBERS
        if share >= _NEARLY or kind == "numeric" or (share >= _LIKELY and few):
            _doubt_numbers(text, bad, found, kind == "numeric")
        return text
    if not cells and not str(form.form) and not marked.any():
        return text  # plain numbers of a data frame: the plan says what they are
    found.forms[name] = form.form
    found.say(name, str(form.form))
    _say_marks(text, marked, found)
    if endless.any():
        odd = int(endless.sum())
        verb = "is" if odd == 1 else "are"
        examples = quoted(text.filter(endless).unique(maintain_order=True).head(3))
        found.notes.append(f'column "{name}": {odd:,} infinite ({examples}) {verb} taken as missing')
    whole = numbers.cast(_int64(), strict=False)
    return (
        whole if (whole.cast(_float64()) == numbers).all() and whole.null_count() == numbers.null_count() else numbers
    )


def _float64() -> type[pl.Float64]:
    import polars as pl

    return pl.Float64


def _say_marks(text: pl.Series, marked: pl.Series, found: Readings) -> None:
    if marked.any():
        marks = text.filter(marked).unique(maintain_order=True).head(4)
        found.say(text.name, f"{quoted(marks)} missing")


def _doubt_numbers(text: pl.Series, bad: pl.Series, found: Readings, asked: bool = False) -> None:
    name = text.name
    if asked:
        found.doubts[name] = (
            f'column "{name}" is to be numeric and has text in {_where(text, bad)}: put numbers there, say '
            f"{way('missing', _example(text, bad))}, or leave {way('numeric', name)} out"
        )
        return
    found.doubts[name] = (
        f'column "{name}" has text in {_where(text, bad)} among numbers: put numbers there or leave the cells empty, '
        f"or say {way('missing', _example(text, bad))}, {way('categorical', name)} or {way('drop', name)}"
    )


def _where(text: pl.Series, bad: pl.Series) -> str:
    where = np.flatnonzero(bad.to_numpy())
    examples = text.filter(bad).unique(maintain_order=True).head(3)
    return f"{at_rows(where + 1)} ({quoted(examples)})"


def _example(text: pl.Series, bad: pl.Series) -> str:
    return shortened(str(text.filter(bad)[0]))

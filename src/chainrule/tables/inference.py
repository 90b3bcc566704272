"""From the text in a file's cells to numbers, truth values, dates or text: one type per column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

MISSING: Final = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "?")
"""The cells of a text file that count as missing."""

# "007" is a code, not the number 7: as a number it would lose its zeros.
CODE: Final = r"^[+-]?0[0-9]+$"

_DAY: Final = r"^\d{4}-\d{2}-\d{2}$"
_MOMENT: Final = r"^(\d{4}-\d{2}-\d{2})([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"
# What a moment may leave out, put in: the time of day, the seconds, the zone.
_FILLED: Final = (
    ("T", " "),
    (r"^(\S+)$", "${1} 00:00"),
    (r"( \d{2}:\d{2})(Z|[+-].*)?$", "${1}:00${2}"),
    (r"( [\d:.]+)Z?$", "${1}+00:00"),
)
_COMMA_NUMBER: Final = r"^[+-]?\d*(,\d+)?$"


def typed_frame(frame: pl.DataFrame, *, decimal_comma: bool = False) -> pl.DataFrame:
    """A frame of text with each column in the type that all of its cells have.

    Spaces around a cell are ignored and the cells in `MISSING` become missing. The whole column
    decides: one word among ten thousand numbers leaves the column text. With `decimal_comma`,
    "1,5" is a number.

    >>> import polars as pl
    >>> typed_frame(pl.DataFrame({"a": ["1", "NA"], "b": [" x", "None"]})).to_dict(as_series=False)
    {'a': [1, None], 'b': ['x', None]}
    """
    import polars as pl

    frame = frame.with_columns(pl.all().str.strip_chars())
    frame = frame.with_columns(pl.when(~pl.all().is_in(MISSING)).then(pl.all()).name.keep())
    return frame.with_columns(_typed(column, decimal_comma) for column in frame)


def _typed(text: pl.Series, decimal_comma: bool) -> pl.Series:
    import polars as pl

    if text.null_count() == len(text):
        return text
    numbers = text
    if decimal_comma and text.str.contains(_COMMA_NUMBER).all():
        numbers = text.str.replace(",", ".", literal=True)
    for dtype in (pl.Int64, pl.Float64):
        cast = numbers.cast(dtype, strict=False)
        if cast.null_count() == text.null_count():
            return text if text.str.contains(CODE).any() else cast
    truth = text.str.to_lowercase()
    if truth.is_in(("true", "false")).all():
        return truth == "true"
    dates = iso_dates(text)
    return text if dates is None else dates


def iso_dates(text: pl.Series) -> pl.Series | None:
    """Text as dates or moments, when every cell is one in ISO 8601; otherwise nothing.

    Moments are given in UTC, which is also the zone of those that name none. Other notations stay
    text: nothing in `03/04/2020` tells the day from the month.

    >>> import polars as pl
    >>> iso_dates(pl.Series(["2020-02-29"])).to_list(), iso_dates(pl.Series(["29.2.2020"]))
    ([datetime.date(2020, 2, 29)], None)
    """
    if text.str.contains(_DAY).all():
        dates = text.str.to_date("%Y-%m-%d", strict=False)
    elif text.str.contains(_MOMENT).all():
        for pattern, filled in _FILLED:
            text = text.str.replace(pattern, filled)
        dates = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%z", strict=False, time_zone="UTC")
    else:
        return None
    return dates if dates.null_count() == text.null_count() else None

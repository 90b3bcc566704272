"""Dates in the forms that people write, and the ambiguous ones.

`--date COLUMN` says that a column holds dates, `--date "COLUMN=%d/%m/%Y"` in which form.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from .case import ROWS, Case, Columns, Expected, base, beside, refused, table

WAY_OUT = ("--date", "--categorical", "--drop")


def moments(
    low: int = 0, high: int = 900, whole_days: bool = True, start: datetime = datetime(2022, 1, 9)
) -> list[datetime]:
    """Days between two, in no order; with times unless they are whole days."""
    rng = np.random.default_rng(7)
    days = rng.integers(low, high, size=ROWS)
    seconds = np.zeros(ROWS) if whole_days else rng.integers(86400, size=ROWS)
    return [start + timedelta(days=int(d), seconds=int(s)) for d, s in zip(days, seconds, strict=True)]


def early(low: int = 1, high: int = 12) -> list[datetime]:
    """Days of which the number of the day may as well be a month."""
    rng = np.random.default_rng(8)
    years, months = rng.integers(2020, 2025, size=ROWS), rng.integers(1, 13, size=ROWS)
    days = rng.integers(low, high + 1, size=ROWS)
    return [datetime(int(y), int(m), int(d)) for y, m, d in zip(years, months, days, strict=True)]


def iso(moment: datetime, whole_days: bool) -> str:
    return moment.date().isoformat() if whole_days else moment.isoformat()


def holding(cells: list[str], name: str = "when") -> Columns:
    return beside(base(), **{name: cells})


def dated(
    name: str,
    form: str | Callable[[datetime], str],
    *arguments: str,
    when: list[datetime] | None = None,
    times: bool = False,
    column: str = "when",
    kind: str = "date",
) -> Case:
    """Dates in a form, which must be understood."""
    when = moments(whole_days=not times) if when is None else when
    cells = [m.strftime(form) if isinstance(form, str) else form(m) for m in when]
    expected = Expected(
        columns={column: kind}, values={column: [iso(m, not times) for m in when]} if kind == "date" else {}
    )
    return table(f"date: {name}", holding(cells, column), expected, *arguments)


def spoiled(name: str, form: str, cell: str, expected: Expected, *arguments: str) -> Case:
    """One cell that is none of the dates."""
    cells = [m.strftime(form) for m in moments()]
    cells[16] = cell
    return table(f"date: {name}", holding(cells), expected, *arguments)


def seconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


def alternating(*forms: str) -> list[str]:
    return [m.strftime(forms[i % len(forms)]) for i, m in enumerate(moments())]


def by_the_hour() -> Columns:
    """What is wanted follows the sine of the hour, and the weekend."""
    rng = np.random.default_rng(11)
    start = datetime(2023, 3, 1)
    when = [start + timedelta(hours=int(h)) for h in np.sort(rng.choice(24 * 150, size=600, replace=False))]
    load = [100 + 30 * np.sin(2 * np.pi * m.hour / 24) + 25 * (m.weekday() >= 5) + rng.normal(0, 2) for m in when]
    return {"when": [m.strftime("%Y-%m-%d %H:%M") for m in when], "price": [f"{v:.1f}" for v in load]}


DATES = [
    dated("ISO", "%Y-%m-%d"),
    dated("ISO with time", "%Y-%m-%dT%H:%M:%S", times=True),
    dated("ISO with a space", "%Y-%m-%d %H:%M:%S", times=True),
    dated("ISO with Z", "%Y-%m-%dT%H:%M:%SZ", times=True),
    dated("ISO with fractions", "%Y-%m-%dT%H:%M:%S.000", times=True),
    dated(
        "ISO without seconds",
        lambda m: m.strftime("%Y-%m-%d %H:%M"),
        when=[m.replace(second=0) for m in moments(whole_days=False)],
        times=True,
    ),
    dated("slashes, year first", "%Y/%m/%d"),
    dated("eight digits", "%Y%m%d", column="date"),
    dated("day.month.year", "%d.%m.%Y"),
    dated("day.month.year with time", "%d.%m.%Y %H:%M:%S", times=True),
    dated("day.month.year without zeros", lambda m: f"{m.day}.{m.month}.{m.year}"),
    dated("day.month. of two digits", "%d.%m.%y"),
    dated("day-month-year", "%d-%m-%Y"),
    dated("day/month/year, decided by days above 12", "%d/%m/%Y"),
    dated("month/day/year, decided by days above 12", "%m/%d/%Y"),
    dated("month/day/year without zeros", lambda m: f"{m.month}/{m.day}/{m.year}"),
    dated("month/day/year, half past two PM", "%m/%d/%Y %I:%M:%S %p", times=True),
    dated("one day above 12 decides", "%d/%m/%Y", when=[datetime(2024, 4, 13), *early()[1:]]),
    dated("months by name", "%d %b %Y"),
    dated("months by name, first", "%b %d, %Y"),
    dated("months in full", "%B %d, %Y"),
    dated("months by name, dashes", "%d-%b-%Y"),
    dated(
        "epochs in seconds", lambda m: str(seconds(m)), times=True, column="created_at", when=moments(whole_days=False)
    ),
    dated(
        "epochs in milliseconds",
        lambda m: str(seconds(m) * 1000),
        times=True,
        column="timestamp",
        when=moments(whole_days=False),
    ),
    dated("years and months", "%Y-%m", kind="date|categorical"),
    dated("years alone", "%Y", when=moments(high=9000, start=datetime(1990, 1, 1)), kind="numeric", column="year"),
    dated("times of the day", "%H:%M", times=True, kind="date|numeric"),
    dated("day and month said", "%d/%m/%Y", "--date", "when=%d/%m/%Y", when=early()),
    dated("month and day said", "%m/%d/%Y", "--date", "when=%m/%d/%Y", when=early()),
    dated("kept as categories", "%Y-%m", "--categorical", "when", kind="categorical"),
    dated("numbers that are dates when it is said", "%Y%m%d", "--date", "code", column="code"),
    table(
        "date: 03/04/2024 may be both",
        holding([m.strftime("%d/%m/%Y") for m in early()]),
        refused("when", ("month", "day"), "--date"),
    ),
    table(
        "date: ambiguous, and dropped",
        holding([m.strftime("%d/%m/%Y") for m in early()]),
        Expected(columns={"when": "dropped"}),
        "--drop",
        "when",
    ),
    table(
        "date: 13/04 beside 04/13",
        holding(alternating("%d/%m/%Y", "%m/%d/%Y")),
        Expected(columns={"when": "categorical|dropped"}, noted=("when",), refused=("when",), either=True),
    ),
    table(
        "date: two forms in one column",
        holding(alternating("%Y-%m-%d", "%d.%m.%Y")),
        Expected(
            columns={"when": "date"},
            values={"when": [iso(m, True) for m in moments()]},
            noted=("when",),
            refused=("when", WAY_OUT),
            either=True,
        ),
    ),
    table(
        "date: time zones",
        holding(
            [
                m.strftime("%Y-%m-%dT%H:%M:%S") + ("+01:00", "+02:00")[i % 2]
                for i, m in enumerate(moments(whole_days=False))
            ]
        ),
        Expected(columns={"when": "date"}),
    ),
    spoiled("a missing one", "%Y-%m-%d", "", Expected(columns={"when": "date"})),
    spoiled("a mark for a missing one", "%d.%m.%Y", "-", Expected(columns={"when": "date"})),
    spoiled(
        "31 February",
        "%Y-%m-%d",
        "2024-02-31",
        Expected(columns={"when": "date"}, noted=("when", "2024-02-31"), refused=("when", "2024-02-31"), either=True),
    ),
    spoiled("a word among them", "%d.%m.%Y", "soon", refused("when", "soon", ("17", "18"), ("--missing", *WAY_OUT))),
    spoiled(
        "a word among them, missing by what is said",
        "%d.%m.%Y",
        "soon",
        Expected(columns={"when": "date"}),
        "--missing",
        "soon",
    ),
    spoiled("the form that is said doesn't fit", "%d.%m.%Y", "", refused("when", "%Y"), "--date", "when=%Y-%m-%d"),
    table("date: a town is none", base(), refused("town", "Ulm", "date"), "--date", "town"),
    table(
        "date: always the same", holding(["2024-05-06"] * ROWS), Expected(columns={"when": "dropped"}, noted=("when",))
    ),
    table(
        "date: no date can be predicted",
        lambda: base() | {"price": [m.strftime("%Y-%m-%d") for m in moments()]},
        refused("price", "date"),
    ),
    table("date: the hour and the weekend tell", by_the_hour, Expected(rows=600, columns={"when": "date"})),
]

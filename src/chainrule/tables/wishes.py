"""What somebody says of a table: how its file is read, and what its columns are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from chainrule import forms
from chainrule.errors import InputError, did_you_mean, quoted
from chainrule.limits import COUNT
from chainrule.tables.advice import way

MAX_CATEGORIES: Final = 100_000
"""A text column with more categories than this isn't used, unless another limit is given."""

_TABS: Final = ("\\t", "tab")


@dataclass(frozen=True)
class Wishes:
    """What is said of a table, checked as far as it can be without one.

    Arguments:
        drop, numeric, categorical, date: columns by name. Of a date `"when=%d/%m/%Y"` says how it is written, of
            numbers `"price=,"` or `"price=."` which is the decimal mark.
        missing: texts that stand for a missing value, besides the usual ones.
        header: whether the first line of a file holds the names; if not, they are `column_1`, `column_2` ...
        separator: what stands between the cells of a CSV file; found when left out.
        encoding: of a text file, such as `"cp1252"`; found when left out.
        max_categories: a text column with more is dropped.

    >>> Wishes.of(drop="id", date=["when=%d/%m/%Y"]).date
    ('when=%d/%m/%Y',)
    """

    drop: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    header: bool = True
    separator: str | None = None
    encoding: str | None = None
    max_categories: int | None = None

    @classmethod
    def of(cls, **given: Any) -> Wishes:
        """The wishes, each a text or several; None is nothing.

        Raises:
            InputError: something can't be meant so.
        """
        made: dict[str, Any] = {}
        for name, value in given.items():
            if name in _COLUMNS_AND_MARKS:
                texts = (value,) if isinstance(value, str) else tuple(value or ())
                if not all(isinstance(text, str) for text in texts):
                    raise InputError(f"{way(name)} is {value!r}; it must be a text, or several")
                made[name] = texts
            elif value is not None:
                made[name] = value
        wishes = cls(**made)
        wishes._check()
        return wishes

    def _check(self) -> None:
        if self.max_categories is not None and not COUNT.holds(self.max_categories):
            raise InputError(f"{way('max_categories')} is {self.max_categories}; it must be {COUNT}")
        if self.separator is not None and (not isinstance(self.separator, str) or len(self._sign()) != 1):
            raise InputError(
                f'{way("separator")} is "{self.separator}"; it must be one sign such as ; or | (a tab is \\t)'
            )
        if self.encoding is not None:
            try:
                "".encode(self.encoding)
            except (LookupError, TypeError):
                raise InputError(
                    f'{way("encoding")} is "{self.encoding}"; it must be an encoding that Python knows, such as '
                    "utf-8, utf-16, latin-1 or cp1252"
                ) from None

    def _sign(self) -> str:
        return "\t" if self.separator in _TABS else self.separator or ""

    @property
    def sign(self) -> str | None:
        """The separator itself."""
        return self._sign() or None

    @property
    def limit(self) -> int:
        """The most categories of a column."""
        return MAX_CATEGORIES if self.max_categories is None else self.max_categories

    def kinds(self, columns: Sequence[str], targets: Iterable[str] = ()) -> dict[str, str]:
        """What each column that is named is to be: dropped, numeric, categorical or date.

        Raises:
            InputError: names that aren't there, or that are to be two things; all of them in one message.
        """
        found: dict[str, str] = {}
        complaints, by = [], {"drop": "dropped", "numeric": "numeric", "categorical": "categorical", "date": "date"}
        said_by: dict[str, str] = {}
        unknown = False
        for option, kind in by.items():
            for entry in getattr(self, option):
                name = column_of(entry, columns)
                if name not in columns:
                    unknown = True
                    near = did_you_mean(name, columns)
                    complaints.append(f'{way(option)} names "{name}", which the table has no column of.{near}')
                elif name in targets and option == "drop":
                    complaints.append(f'{way(option)} names "{name}", the target: it is what is to be predicted')
                elif found.get(name, kind) != kind:
                    complaints.append(f'"{name}" is named by {way(said_by[name])} and {way(option)}: it can be one')
                found.setdefault(name, kind)
                said_by.setdefault(name, option)
        if unknown:
            complaints.append(f"The table's columns are {quoted(columns, limit=30)}")
        if complaints:
            raise InputError(together(complaints))
        return found

    def forms(self, columns: Sequence[str]) -> dict[str, str]:
        """How dates are written, and which the decimal mark is, where it is said: `{"when": "%d/%m/%Y"}`."""
        found = {}
        for entry in (*self.numeric, *self.date):
            name = column_of(entry, columns)
            if name != entry:
                found[name] = entry[len(name) + 1 :]
        return found

    def to_dict(self) -> dict[str, Any]:
        """The wishes as JSON values, without what isn't said."""
        blank = Wishes()
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in said.items()
            if value != getattr(blank, name)
        }

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> Wishes:
        """The wishes whose `to_dict` is given."""
        given = {
            name: forms.texts(value) if name in _COLUMNS_AND_MARKS else value
            for name, value in form.items()
            if name in {field.name for field in fields(cls)}
        }
        return cls.of(**given)


def column_of(entry: str, columns: Sequence[str]) -> str:
    """The column that is named in `"when=%d/%m/%Y"`, or in `"a=b"` where there is a column of that name."""
    if entry in columns or "=" not in entry:
        return entry
    return entry.rpartition("=")[0] if entry.rpartition("=")[0] in columns else entry.partition("=")[0]


def together(complaints: Sequence[str]) -> str:
    """Several complaints as one message: a line each."""
    if len(complaints) == 1:
        return complaints[0]
    return "\n".join([f"{len(complaints)} things about the table:", *(f"- {line}" for line in complaints)])


_COLUMNS_AND_MARKS: Final = ("drop", "numeric", "categorical", "date", "missing")

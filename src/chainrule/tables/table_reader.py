"""A table read for training, and how others are read alike by the model that came of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from chainrule import forms as checked
from chainrule.errors import InputError, counted, did_you_mean, quoted
from chainrule.tables.advice import way
from chainrule.tables.frames import as_polars
from chainrule.tables.number_forms import NumberForm
from chainrule.tables.reading import Gathered, gather, read_table
from chainrule.tables.targets import target_names
from chainrule.tables.text_columns import read_numbers, read_text
from chainrule.tables.wishes import Wishes, together

if TYPE_CHECKING:
    import polars as pl

_FEW: Final = 20  # rows, of which no score can be trusted
_MANY_TWICE: Final = 0.05  # of the rows
_COMPARED: Final = 1_000_000  # rows, to find those that are there twice


@dataclass(frozen=True)
class TableReader:
    """How the columns of a model's table are written: what was said of it, and what was found.

    >>> reader = TableReader(forms={"price": NumberForm(",", beside="€")})
    >>> reader.read({"price": ["3,5 €"]})["price"].to_list()
    [3.5]
    """

    wishes: Wishes = field(default_factory=Wishes)
    forms: Mapping[str, NumberForm | str] = field(default_factory=dict)

    def read(self, source: Any) -> pl.DataFrame:
        """A table from anything that `read_table` takes; a data frame may have no rows."""
        import polars as pl

        if isinstance(source, (str, os.PathLike)):
            read_table({"": [0]})  # complains where polars is lacking
            given = gather(os.fsdecode(source), self.wishes)
        else:
            frame = as_polars(source)
            known = self.forms if not self.wishes.missing else frame.columns
            given = Gathered(frame, tuple(n for n in frame.columns if n in known and frame.schema[n] == pl.String))
            if not given.text and not self.wishes.missing and not self._dates_in_numbers(frame):
                return frame
        cells = isinstance(source, (str, os.PathLike))
        frame, found = read_text(
            given.frame, given.text, self.wishes, forms=self.forms, comma=given.comma, cells=cells
        )  # fmt: skip
        return read_numbers(frame, self.wishes, found, {}, self.forms, infinite=cells)

    def _dates_in_numbers(self, frame: pl.DataFrame) -> bool:
        return any(
            isinstance(form, str) and name in frame.columns and frame.schema[name].is_integer()
            for name, form in self.forms.items()
        )

    def to_dict(self) -> dict[str, Any]:
        """The reader as JSON values."""
        written = {
            name: form.to_dict() if isinstance(form, NumberForm) else {"kind": "date", "form": form}
            for name, form in self.forms.items()
        }
        return {"wishes": self.wishes.to_dict(), "forms": written}

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> TableReader:
        """The reader whose `to_dict` is given; raises `InputError` for anything else."""
        try:
            read = {
                checked.text(name): NumberForm.from_dict(one) if one["kind"] == "number" else checked.text(one["form"])
                for name, one in form["forms"].items()
            }
            return cls(Wishes.from_dict(form["wishes"]), read)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"this isn't a reader of tables as chainrule writes it: {error!r}") from error


@dataclass(frozen=True)
class TrainingTable:
    """A table that is read: which columns are targets, what others are to be, how all were read, and what to say."""

    frame: pl.DataFrame
    targets: tuple[str, ...]
    kinds: Mapping[str, str]
    said: Mapping[str, Sequence[str]]
    notes: tuple[str, ...]
    reader: TableReader


def read_training(table: Any, target: str | Sequence[str], wishes: Wishes) -> TrainingTable:
    """A table, read by what is said of it.

    Raises:
        FileError: a file can't be read.
        InputError: columns can't be what is said, or are in doubt; all of them in one message.
    """
    import polars as pl

    named = isinstance(table, (str, os.PathLike))
    if named:
        read_table({"": [0]})  # complains where polars is lacking
        given = gather(os.fsdecode(table), wishes)
    else:
        frame = as_polars(table)
        given = Gathered(frame, tuple(name for name in frame.columns if frame.schema[name] == pl.String))
    frame = given.frame
    if not frame.height:
        raise InputError("the table has no rows: there is nothing to learn from")
    names = target_names(frame, target) if frame.columns else (str(target),)
    if len(names) == 1 and names[0] not in frame.columns:
        raise InputError(_no_target(names[0], frame, given, wishes))
    kinds = wishes.kinds(frame.columns, names)
    frame, found = read_text(frame, given.text, wishes, kinds=kinds, comma=given.comma, cells=named)
    frame = read_numbers(frame, wishes, found, kinds, None, infinite=named)
    doubts = [doubt for name, doubt in found.doubts.items() if kinds.get(name) != "dropped"]
    if doubts:
        raise InputError(together(doubts))
    notes = [*given.notes, *found.notes]
    if named and wishes.header and given.text and _header_is_data(frame):
        notes.append(_looks_like_data(frame))
    for mark, times in found.marks.items():
        if not times:
            notes.append(f'{way("missing", mark)}: no cell is "{mark}"')
    if frame.height < _FEW:
        notes.append(f"the table has {counted(frame.height, 'row')}: too few to trust a score")
    if _FEW <= frame.height <= _COMPARED and not any(dtype.is_nested() for dtype in frame.dtypes):
        twice = frame.height - frame.n_unique()
        if twice >= _MANY_TWICE * frame.height:
            notes.append(f"{counted(twice, 'row')} are repeated: what is trained on may be scored again by its copy")
    return TrainingTable(frame, names, kinds, found.said, tuple(notes), TableReader(wishes, found.forms))


def _no_target(name: str, frame: pl.DataFrame, given: Gathered, wishes: Wishes) -> str:
    """That the target isn't there, and what may be the reason."""
    told = (
        f'the table has no column "{name}", the target.{did_you_mean(name, frame.columns)} '
        f"Its columns are {quoted(frame.columns, limit=30)}"
    )
    if not given.text:
        return told
    read, _ = read_text(frame, given.text, wishes, comma=given.comma)
    if wishes.header and _header_is_data(read):
        return f"{told}. {_looks_like_data(read)}"
    if frame.width == 1:
        return f"{told}: it has one column; if something else separates cells, say what with {way('separator')}"
    return told


def _header_is_data(frame: pl.DataFrame) -> bool:
    """Whether the names are what would stand in the columns: a number over numbers, and none over others."""
    numbers = [name for name in frame.columns if frame.schema[name].is_numeric()]
    named = [name for name in frame.columns if _is_number(name)]
    return bool(named) and numbers == named


def _looks_like_data(frame: pl.DataFrame) -> str:
    return (
        f"the first line ({quoted(frame.columns, limit=4)}) looks like data, not like the names of columns: if it is, "
        f"say {way('header', False)}, and the columns are column_1, column_2 ..."
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

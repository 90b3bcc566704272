"""What can go wrong, said so that the reader can mend it: what was wrong, where, what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import PurePath
from typing import TYPE_CHECKING

from chainrule.plain import shortened, visible

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LONGEST = 20_000  # characters of a message: beyond what anybody reads
_LONGEST_NAME = 400  # of one name among others in it


class ChainruleError(Exception):
    """The root of every error that chainrule raises on purpose.

    Names and cells may stand in a message: what in them would act on a terminal is written out, and no message is
    endless.
    """

    def __init__(self, message: object = "", *more: object):
        text = str(message)
        if len(text) > _LONGEST:
            text = f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 4 :]}"
        super().__init__(visible(text, lines=True), *more)


class InputError(ChainruleError, ValueError):
    """Something that was handed in (an argument, an array, a table, a file) can't be used."""


class NetworkError(InputError):
    """A network description doesn't fit together."""


class EngineError(ChainruleError, RuntimeError):
    """The engine that was asked for can't do what was asked of it."""


class TrainingError(ChainruleError, RuntimeError):
    """Training can't start, or can't go on."""


class DivergenceError(TrainingError):
    """The loss became NaN or infinite.

    `epoch` and `step` count from 1; `layer` is the first layer where a number that isn't
    finite appeared (`None` when every layer's output is finite and the loss alone isn't).
    """

    def __init__(self, message: str, *, epoch: int, step: int, layer: str | None):
        super().__init__(message)
        self.epoch = epoch
        self.step = step
        self.layer = layer

    def __reduce__(self) -> tuple[object, ...]:
        state = {"epoch": self.epoch, "step": self.step, "layer": self.layer}
        return _rebuild_divergence, (str(self), state)


def _rebuild_divergence(message: str, state: dict[str, object]) -> DivergenceError:
    return DivergenceError(message, **state)  # type: ignore[arg-type]  # written by __reduce__


class FileError(InputError):
    """A file can't be read or written as asked."""


class MissingDependencyError(ChainruleError, ImportError):
    """An optional library is needed for what was asked and isn't installed."""


def nearest(name: object, candidates: Iterable[object]) -> str | None:
    """The candidate that was probably meant, or nothing; upper and lower case count as the same.

    >>> nearest("Specis", ["species", "island"])
    'species'
    """
    folded = {str(candidate)[:_LONGEST_NAME].casefold(): str(candidate) for candidate in candidates}
    found = get_close_matches(str(name)[:_LONGEST_NAME].casefold(), folded, n=1, cutoff=0.6)
    return shortened(folded[found[0]], _LONGEST_NAME) if found else None


def did_you_mean(name: object, candidates: Iterable[object]) -> str:
    """The end of an error message: the nearest candidate, or an empty text when none is near.

    >>> did_you_mean("specis", ["species", "island"])
    ' Did you mean "species"?'
    >>> did_you_mean("zzz", ["species"])
    ''
    """
    near = nearest(name, candidates)
    return "" if near is None else f' Did you mean "{near}"?'


def did_you_mean_file(name: str, candidates: Iterable[str]) -> str:
    """As `did_you_mean`, for names of files: that two end in the same way doesn't make them alike.

    >>> did_you_mean_file("penguin.csv", ["penguins.csv", "new.csv"])
    ' Did you mean "penguins.csv"?'
    >>> did_you_mean_file("nothing.csv", ["onecol.csv"])
    ''
    """
    stems: dict[str, list[str]] = {}
    for other in candidates:
        stems.setdefault(PurePath(other).stem.lower(), []).append(other)
    near = get_close_matches(PurePath(name).stem.lower(), stems, n=1, cutoff=0.6)
    return f' Did you mean "{_nearest_ending(name, stems[near[0]])}"?' if near else ""


def _nearest_ending(name: str, others: list[str]) -> str:
    same = [other for other in others if PurePath(other).suffix.lower() == PurePath(name).suffix.lower()]
    return (same or others)[0]


def listed(names: Iterable[object], limit: int = 12) -> str:
    """Names for a message, cut when there are too many to read.

    >>> listed(["a", "b"])
    'a, b'
    >>> listed(range(30), limit=3)
    '0, 1, 2 and 27 more'
    """
    texts = [shortened(str(name), _LONGEST_NAME) for name in names]
    if len(texts) <= limit:
        return ", ".join(texts)
    return f"{', '.join(texts[:limit])} and {len(texts) - limit} more"


def quoted(values: Iterable[object], limit: int = 5) -> str:
    """Values or names in quotes, long ones cut.

    >>> quoted(["n/a", "-", "x" * 5_000_000])[:30]
    '"n/a", "-", "xxxxxxxxxxxxxxxxx'
    """
    return listed((f'"{shortened(str(value))}"' for value in values), limit)


def counted(number: int, thing: str) -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(2500, "row")
    ('1 row', '2,500 rows')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def at_rows(rows: Sequence[int] | NDArray[np.int64], limit: int = 5) -> str:
    """The rows of a complaint, counted from 1; a file's line of names isn't counted.

    >>> at_rows([4])
    'row 4 of the data'
    >>> at_rows(range(1, 100), limit=2)
    'rows 1, 2 and 97 more of the data'
    """
    return f"row{'' if len(rows) == 1 else 's'} {listed(rows, limit)} of the data"

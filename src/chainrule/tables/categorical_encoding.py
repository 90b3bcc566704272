"""One categorical column as features: one-hot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.values import as_categories

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class CategoricalColumn:
    """A column of categories as one feature each: 1 for the row's own category, 0 for the others.

    Missing is a category of its own, the last, where training rows had it. A category that they
    didn't have is 0 throughout, and so is missing where they had none.

    >>> import polars as pl
    >>> CategoricalColumn.fit(pl.Series("sex", ["m", "f", None])).feature_names
    ('sex=f', 'sex=m', 'sex is missing')
    """

    name: str
    categories: tuple[str, ...]
    missing: bool

    @classmethod
    def fit(cls, series: pl.Series) -> CategoricalColumn:
        """The encoding of the training rows' column, categories in alphabetical order."""
        names = as_categories(series)
        categories = tuple(sorted(names.drop_nulls().unique().to_list()))
        return cls(series.name, categories, names.null_count() > 0)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in their order."""
        own = tuple(f"{self.name}={category}" for category in self.categories)
        return (*own, f"{self.name} is missing") if self.missing else own

    def encode_into(self, series: pl.Series, out: NDArray[np.float32]) -> tuple[int, pl.Series]:
        """Write the features of a column to `out` [rows, features].

        Returns how many values were missing, and the values whose category is unseen.
        """
        import polars as pl

        names = as_categories(series)
        found = names.replace_strict(
            pl.Series(self.categories, dtype=pl.String),
            pl.Series(range(len(self.categories)), dtype=pl.Int32),
            default=-1,
            return_dtype=pl.Int32,
        )
        absent = names.is_null().to_numpy()
        places = np.where(absent, len(self.categories) if self.missing else -1, found.to_numpy())
        hot = np.flatnonzero(places >= 0)
        out[:] = 0
        out[hot, places[hot]] = 1
        unseen = (places < 0) & ~absent
        return int(absent.sum()), names.filter(pl.Series(unseen))

    def to_dict(self) -> dict[str, Any]:
        """The encoding as JSON values."""
        return {
            "kind": "categorical",
            "name": self.name,
            "categories": list(self.categories),
            "missing": self.missing,
        }

"""scikit-learn's small data sets by name, each as one table."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from chainrule.errors import MissingDependencyError

if TYPE_CHECKING:
    import polars as pl

DATASETS: Final = ("iris", "wine", "digits", "breast_cancer", "diabetes")
"""The names that `read_table` knows besides paths."""


def read_dataset(name: str) -> pl.DataFrame:
    """One of `DATASETS`: the columns under scikit-learn's names, then `target`.

    Classes have their names (`setosa`), those of `digits` are the digits; `diabetes` has numbers.
    """
    import polars as pl

    try:
        datasets: Any = import_module("sklearn.datasets")
    except ImportError as error:
        raise MissingDependencyError(
            f'the data set "{name}" comes with scikit-learn: pip install scikit-learn'
        ) from error
    bunch: Any = getattr(datasets, f"load_{name}")()
    target = bunch.target
    if "target_names" in bunch:
        target = np.asarray(bunch.target_names)[target]
    columns = zip(map(str, bunch.feature_names), bunch.data.T, strict=True)
    frame = pl.DataFrame([pl.Series(column, values) for column, values in columns])
    return frame.with_columns(pl.Series("target", target.tolist()))

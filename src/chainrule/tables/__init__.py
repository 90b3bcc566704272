"""Files and data frames in, arrays out: types, missing values, categories, scaling, splits.

The way from a table to what a network takes, each step a function that can be used alone:

>>> from chainrule import tables
>>> frame = tables.read_table("iris")
>>> target = tables.plan_target(frame, "target")
>>> columns = tables.plan_columns(frame, target=target.name)
>>> frame = target.known_rows(frame)
>>> parts = tables.split_rows(frame.height, validation=0.2, labels=target.encode(frame), seed=0)
>>> encoding = tables.TableEncoding.fit(frame[parts.train], columns)
>>> target = target.fit(frame[parts.train])
>>> X, notes = encoding.encode(frame[parts.train])
>>> X.shape, target.encode(frame[parts.train]).shape
((120, 4), (120,))

Importing this package loads none of the data frame libraries: they are loaded when a table is read.
"""

from __future__ import annotations

from chainrule.tables.columns import ColumnPlan, plan_columns
from chainrule.tables.encoding import EncodingNotes, TableEncoding
from chainrule.tables.reading import read_table
from chainrule.tables.splits import Splits, split_rows
from chainrule.tables.target import TargetPlan, plan_target

__all__ = [
    "ColumnPlan",
    "EncodingNotes",
    "Splits",
    "TableEncoding",
    "TargetPlan",
    "plan_columns",
    "plan_target",
    "read_table",
    "split_rows",
]

"""Models that commands are given."""

from __future__ import annotations

from typing import Annotated

import typer

from chainrule.errors import InputError
from chainrule.tables.model import TableModel

ModelFile = Annotated[
    str, typer.Argument(metavar="MODEL", help="A model saved by `chainrule train`.", show_default=False)
]


def load_table_model(path: str) -> TableModel:
    """The table model in a file; a model without a table is an error that says what to do with it."""
    from chainrule.files import load

    model = load(path)
    if not isinstance(model, TableModel):
        raise InputError(
            f"{path} holds a network that was trained on arrays, not on a table: it doesn't know what columns mean. "
            "Use it from Python: chainrule.load(path).predict(X)"
        )
    return model

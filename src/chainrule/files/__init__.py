"""Files: one call that loads whatever chainrule saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chainrule import container
from chainrule.errors import FileError
from chainrule.model import Model

if TYPE_CHECKING:
    from chainrule.tables.model import TableModel


def load(path: str | Path, *, loss: object = None, engine: str = "auto") -> Model | TableModel:
    """Load a saved model: a `Model`, or a `TableModel` where it was trained from a table.

    Arguments:
        path: the `.safetensors` file.
        loss: the model's loss, if it was one of your own (files hold no code).
        engine: who computes, as for `Model`.

    Raises:
        FileError: the file isn't there, isn't whole, isn't chainrule's or is newer than this version.
    """
    contents = container.read(path)
    if contents.kind == "model":
        return Model.from_contents(contents, loss=loss, engine=engine)
    if contents.kind == "table":
        from chainrule.tables.model import TableModel

        return TableModel.from_contents(contents, engine=engine)
    raise FileError(f'{path} holds a "{contents.kind}", which this version doesn\'t know')


__all__ = ["load"]

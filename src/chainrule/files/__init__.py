"""Files: one call that loads whatever chainrule saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chainrule import container
from chainrule.engines.choose import check_engine
from chainrule.errors import EngineError, FileError
from chainrule.model import Model
from chainrule.network import Network
from chainrule.objective import Objective
from chainrule.plain import shortened
from chainrule.saving import damaged


def load(path: str | Path, *, loss: object = None, engine: str = "auto") -> Any:
    """Load a saved model: a `Model`, a `TableModel` or `ImageModel` where it was trained from such, or an estimator.

    Arguments:
        path: the `.safetensors` file.
        loss: the model's loss, if it was one of your own (files hold no code).
        engine: who computes, as for `Model`.

    Raises:
        FileError: the file isn't there, isn't whole, isn't chainrule's or is newer than this version.
        InputError: `loss` or `engine` can't be used.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Model(Network.mlp(2, [3], 1), "squared_error").save(f"{folder}/model.safetensors")
    ...     load(f"{folder}/model.safetensors").network.count().total
    13
    """
    check_engine(engine)
    contents = container.read(path)
    if contents.kind == "table":
        from chainrule.tables.table_model import TableModel

        with _blaming(path):
            return TableModel.from_contents(contents, engine=engine)
    if contents.kind == "image":
        from chainrule.images.image_model import ImageModel

        with _blaming(path):
            return ImageModel.from_contents(contents, engine=engine)
    if contents.kind == "estimator":
        from chainrule.estimators.contents import from_contents

        with _blaming(path):
            return from_contents(contents, loss=loss, engine=None if engine == "auto" else engine)
    if contents.kind != "model":
        raise FileError(f'{path} holds a "{shortened(contents.kind)}", which this version doesn\'t know')
    if loss is not None:
        with _blaming(path):
            network = Network.from_dict(contents.form["network"])
        Objective.of(loss).on(network)  # a mistake in it is the caller's, not the file's
    with _blaming(path):
        return Model.from_contents(contents, loss=loss, engine=engine)


@contextmanager
def _blaming(path: str | Path) -> Iterator[None]:
    """Whatever goes wrong is the file's fault: a description made by another hand can be wrong in any way."""
    try:
        yield
    except EngineError:
        raise
    except FileError as error:
        raise FileError(f"{path}: {error}") from error
    except Exception as error:
        raise FileError(f"{path}: {damaged(error)}") from error


__all__ = ["load"]

"""What commands are given: tables and models, and files that must not be written over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chainrule.errors import InputError
from chainrule.tables.reading import TABLE_ENDINGS, holds_tables
from chainrule.tables.sources import PACKED
from chainrule.tables.table_model import TableModel

if TYPE_CHECKING:
    from chainrule.images.image_model import ImageModel

TableFile = Annotated[
    str,
    typer.Argument(
        metavar="TABLE",
        help="A file (CSV, Parquet, Arrow, JSON lines, Excel; also packed), a folder or pattern of several, an "
        "address, - for standard input, or one of iris, wine, digits, breast_cancer, diabetes; or a folder of "
        "pictures.",
        show_default=False,
    ),
]
ModelFile = Annotated[
    str, typer.Argument(metavar="MODEL", help="A model saved by `chainrule train`.", show_default=False)
]


def is_folder(given: str, target: list[str] | None = None) -> bool:
    """Whether it is a folder of pictures: one that isn't of tables, as an empty one is where a target is named."""
    try:
        folder = Path(given).expanduser()
        return folder.is_dir() and not holds_tables(folder) and not (target and not any(folder.iterdir()))
    except (OSError, RuntimeError, ValueError):
        return False


def model_name(table: str) -> str:
    """What the model of a table is called if nobody says: after the file, whatever it is packed in."""
    if table == "-":
        raise InputError("the table comes from standard input: say with --out FILE.safetensors where the model goes")
    name = Path(table.split("?")[0].rstrip("/")).name
    while Path(name).suffix.lower() in (*TABLE_ENDINGS, *PACKED):
        name = Path(name).stem
    plain = name if Path(table).expanduser().exists() else re.sub(r"[*?\[\]]+", "", name).strip(".")
    return f"{plain or 'table'}.safetensors"


def load_image_model(path: str) -> ImageModel | None:
    """The model of pictures in a file; None where it holds another, or is none."""
    from chainrule.container import is_saved_by_us
    from chainrule.files import load
    from chainrule.images.image_model import ImageModel

    file = Path(path).expanduser()
    model = load(path) if file.is_file() and is_saved_by_us(file) else None
    return model if isinstance(model, ImageModel) else None


def load_table_model(path: str) -> TableModel:
    """The table model in a file; a model without a table is an error that says what to do with it."""
    from chainrule.files import load

    if Path(path).suffix.lower() in TABLE_ENDINGS and Path(path).is_file():
        raise InputError(f"{path} is a table: the model comes first, then the table")
    model = load(path)
    if not isinstance(model, TableModel):
        raise InputError(
            f"{path} holds a network that was trained on arrays, not on a table: it doesn't know what columns mean. "
            "Use it from Python: chainrule.load(path).predict(X)"
        )
    return model


def refuse_to_replace(out_file: Path) -> None:
    """Raise an `InputError` where saving a model would replace what is none, or give it a table's name."""
    from chainrule.container import is_saved_by_us

    target = out_file.expanduser()
    if target.suffix.lower() in TABLE_ENDINGS:
        raise InputError(
            f"--out is {out_file}, a table's name: a model is saved as {out_file.with_suffix('.safetensors')}, say"
        )
    if target.is_file() and target.stat().st_size and not is_saved_by_us(target):
        raise InputError(
            f"{out_file} is there and isn't a model of chainrule's: give --out another name, or remove the file first"
        )


def refuse_same_file(out_file: Path, *inputs: str) -> None:
    """Raise an `InputError` where the file to write is one of those that are read."""
    for given in inputs:
        if out_file.expanduser().resolve() == Path(given).expanduser().resolve():
            raise InputError(f"--out is {out_file}, the file that is read: give it another name")

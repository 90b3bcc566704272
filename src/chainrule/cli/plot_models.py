"""`chainrule plot`: kinds of pictures of a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule.cli.plot_options import AsJson, Canvas, Out, ThemeName, Width
from chainrule.errors import InputError

AnyModel = Annotated[
    str, typer.Argument(metavar="MODEL", help="A saved model, of a table or of arrays.", show_default=False)
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns", metavar="A,B", show_default=False,
        help="The two inputs to vary: a table's columns, or numbers from 1; they may be left out where there are two.",
    ),
]  # fmt: skip


def losses(
    model: AnyModel,
    rates: Annotated[bool, typer.Option("--rates", help="Draw the learning rates too.")] = False,
    out: Out = Path("losses.png"),
    theme: ThemeName = "light",
    width: Width = 800,
    as_json: AsJson = False,
) -> None:
    """Loss and metrics by epoch, of the fit that made a model.

    Example:

        chainrule plot losses penguins.safetensors --out losses.png
    """
    from chainrule import plots
    from chainrule.files import load

    canvas = Canvas(out, theme, width)
    canvas.write(plots.losses(load(model), rates=rates), as_json)


def regions(
    model: AnyModel,
    table: Annotated[
        str | None,
        typer.Option(
            help="A CSV or Parquet file with the data; a model of arrays does without when left out.",
            show_default=False,
        ),
    ] = None,
    columns: Columns = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="Of several targets the one to draw; of a model of arrays the column of --table with the classes. "
            "May be left out.",
            show_default=False,
        ),
    ] = None,
    reach: Annotated[
        float | None,
        typer.Option(
            "--reach",
            metavar="X",
            help="Without data, both inputs go from -X to X; left out, X is 3.",
            show_default=False,
        ),
    ] = None,
    cells: Annotated[int, typer.Option("--cells", metavar="N", help="Values of each input to ask the model at.")] = 200,
    out: Out = Path("regions.png"),
    theme: ThemeName = "light",
    width: Width = 800,
    as_json: AsJson = False,
) -> None:
    """Which class a model answers where, over two of its inputs.

    Example:

        chainrule plot regions penguins.safetensors --table penguins.csv --columns bill_length_mm,flipper_length_mm
    """  # fmt: skip
    from chainrule import plots
    from chainrule.files import load

    canvas = Canvas(out, theme, width)
    loaded = load(model)
    if hasattr(loaded, "encoding") or hasattr(getattr(loaded, "model_", None), "encoding"):
        if reach is not None:
            raise InputError("--reach is for models of arrays: the table says how far its columns go")
        if table is None:
            raise InputError(f"{model} was trained on a table: say with --table which rows to draw")
        picture = plots.regions(loaded, table, columns=_names(columns), target=target, cells=cells)
    elif table is None:
        if target is not None and not hasattr(loaded, "network"):
            raise InputError("--target is a column of --table; give the table too")
        picture = plots.regions(
            loaded, columns=_chosen(columns), target=target, reach=3.0 if reach is None else reach, cells=cells
        )
    else:
        X, y, names = _rows(loaded, table, target)
        picture = plots.regions(loaded, X, y, columns=_chosen(columns), reach=reach, cells=cells, names=names)
    canvas.write(picture, as_json)


def _rows(model: Any, path: str, target: str | None) -> tuple[Any, Any, list[str]]:
    """A table's rows for a model of arrays: its inputs, the target's column, the inputs' names."""
    from chainrule.cli.explain_sources import Asked
    from chainrule.cli.row_sources import input_rows
    from chainrule.tables.reading import read_table

    frame = read_table(path)
    own = getattr(model, "feature_names_in_", None)
    n_inputs = getattr(model, "n_features_in_", None) or (model.network.only_input_shape or (0,))[0]
    names = [name for name in frame.columns if name != target] if own is None else [str(name) for name in own]
    X, _ = input_rows(Asked(table=path, target=target), frame, n_inputs, names)
    return X, None if target is None else frame[target].to_numpy(), names


def _chosen(columns: str | None) -> list[int] | list[str] | None:
    """Two inputs of a model of arrays, by number or by name."""
    parts = _names(columns)
    return [int(part) for part in parts] if parts and all(part.isdecimal() for part in parts) else parts


def surfaces(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="A saved model of arrays, or a worksheet (TOML).", show_default=False),
    ],
    units: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="UNIT", help="Such as h[hidden,1], or hidden for a layer; all when left out.", show_default=False
        ),
    ] = None,
    columns: Columns = None,
    reach: Annotated[float, typer.Option("--reach", metavar="X", help="Both inputs go from -X to X.")] = 6.0,
    out: Out = Path("surfaces.png"),
    theme: ThemeName = "light",
    width: Width = 800,
    as_json: AsJson = False,
) -> None:
    """The values of single units over two inputs, as surfaces.

    Example:

        chainrule plot surfaces sheet.toml hidden output --out surfaces.png
    """
    from chainrule import plots

    canvas = Canvas(out, theme, width)
    canvas.write(plots.surfaces(_network(model), units, columns=_numbers(columns), reach=reach), as_json)


def _network(path: str) -> Any:
    """The model of a file; of a worksheet the one that it works on."""
    if Path(path).suffix.lower() == ".toml":
        from chainrule.explain.worksheets.worksheet import read_worksheet

        return read_worksheet(path).model
    from chainrule.files import load

    loaded = load(path)
    if hasattr(loaded, "encoding"):
        raise InputError(
            f"{path} was trained on a table, whose columns are encoded: surfaces are drawn of models of arrays; "
            f"chainrule plot regions {path} --table FILE shows what it answers"
        )
    return loaded


def _names(columns: str | None) -> list[str] | None:
    return None if columns is None else [one.strip() for one in columns.split(",")]


def _numbers(columns: str | None) -> list[int] | None:
    if columns is None:
        return None
    parts = [one.strip() for one in columns.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise InputError(f"--columns is {columns}; of a model of arrays it must be two numbers, such as 1,2")
    return [int(part) for part in parts]

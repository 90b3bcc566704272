"""`chainrule plot`: pictures of a network, of its weights, and of the loss over them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from chainrule.cli.explain_sources import SHAPE, SHEET, Asked, derive, kind_of
from chainrule.cli.plot_options import AsJson, Canvas, Out, ThemeName, Width
from chainrule.cli.row_sources import member_of, table_rows
from chainrule.errors import InputError

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation
    from chainrule.plots.picture import Picture

Table = Annotated[
    str | None,
    typer.Option(
        help="A CSV or Parquet file with rows for a trained model; weights alone when left out.", show_default=False
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        help="The target's column in --table, for a model of arrays; left out, all columns are inputs.",
        show_default=False,
    ),
]
Member = Annotated[
    str | None, typer.Option(help="Which of a model's networks, from 1; the first when left out.", show_default=False)
]


def network(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="A trained model (.safetensors), a worksheet (TOML), or the sizes of a network as in 2-2-1.",
            show_default=False,
        ),
    ],
    weight: Annotated[
        str | None,
        typer.Option(
            help="One weight whose main path is highlighted, as in W[hidden,1,1]; none when left out.",
            show_default=False,
        ),
    ] = None,
    table: Table = None,
    row: Annotated[
        int | None,
        typer.Option(help="Which row of --table, from 1; may be left out where there is only one.", show_default=False),
    ] = None,
    target: Target = None,
    x: Annotated[
        str | None, typer.Option(help="What goes in, as in 0.5,0.8; weights alone when left out.", show_default=False)
    ] = None,
    y: Annotated[str | None, typer.Option(help="The targets; no gradients when left out.", show_default=False)] = None,
    unit: Annotated[
        int | None,
        typer.Option(help="A unit to draw in wide layers too; first and last when left out.", show_default=False),
    ] = None,
    member: Member = None,
    notation: Annotated[
        str | None,
        typer.Option(help="ours, a-h, o-w, net-out, Z-H, O-P; the sheet's when left out.", show_default=False),
    ] = None,
    out: Out = Path("network.png"),
    theme: ThemeName = "light",
    width: Width = 800,
    as_json: AsJson = False,
) -> None:
    """A network as a diagram: its weights, and the values and gradients of a row.

    Examples:

        chainrule plot network examples/worksheets/two_by_two_by_two.toml --weight "W[hidden,1,1]"

        chainrule plot network penguins.safetensors --table new.csv --row 17

        chainrule plot network 4-3-2 --out network.svg
    """
    from chainrule import plots

    canvas = Canvas(out, theme, width)
    asked = Asked(notation=notation, row=row, x=x, y=y, table=table, target=target, member=member_of(member))
    has_row = table is not None or x is not None
    if row is not None and table is None:
        raise InputError("--row is a row of --table; give the table too")
    if has_row or kind_of(what) == SHEET:
        work, _ = derive(what, asked)
        picture = plots.network(work, highlight=weight, unit=unit)
    else:
        if weight is not None:
            raise InputError("--weight highlights a path to the loss: give a row, by --table and --row or --x and --y")
        picture = plots.network(_model(what, asked), unit=unit, notation=notation or "ours")
    canvas.write(picture, as_json)


def histograms(
    what: Annotated[str, typer.Argument(metavar="MODEL", help="A trained model.", show_default=False)],
    table: Table = None,
    target: Target = None,
    member: Member = None,
    out: Out = Path("histograms.png"),
    theme: ThemeName = "light",
    width: Width = 800,
    as_json: AsJson = False,
) -> None:
    """Histograms of the weights of each layer, and of their gradients on a table's rows.

    Example:

        chainrule plot histograms penguins.safetensors --table examples/penguins.csv
    """
    from chainrule import plots

    canvas = Canvas(out, theme, width)
    asked = Asked(table=table, target=target, member=member_of(member))
    if table is None:
        canvas.write(plots.histograms(_model(what, asked)), as_json)
        return
    work = _rows(what, asked)
    gradients = work.model.gradients(_in_precision(work))[1]
    from chainrule.plots.weight_histograms import of_arrays

    canvas.write(of_arrays(work.model.parameters, gradients), as_json)


def knobs(
    what: Annotated[str, typer.Argument(metavar="MODEL", help="A trained model.", show_default=False)],
    table: Annotated[
        str, typer.Option(help="A CSV or Parquet file with the rows that the loss is of.", show_default=False)
    ],
    weight: Annotated[
        list[str],
        typer.Option(help="The weight to turn, as in W[hidden,1,2]; twice for a surface over two.", show_default=False),
    ],
    target: Target = None,
    reach: Annotated[
        float | None,
        typer.Option(help="How far to turn from where it is; 2 or twice its size when left out.", show_default=False),
    ] = None,
    points: Annotated[
        int | None,
        typer.Option(help="How many values; 121 of one weight or 41 of each of two when left out.", show_default=False),
    ] = None,
    member: Member = None,
    out: Out = Path("knobs.png"),
    theme: ThemeName = "light",
    width: Width = 800,
    as_json: AsJson = False,
) -> None:
    """The loss while a weight is turned, or two: a curve with its slope, or a surface and its map.

    Examples:

        chainrule plot knobs penguins.safetensors --table examples/penguins.csv --weight "W[output,1,2]"

        chainrule plot knobs penguins.safetensors --table new.csv --weight "W[output,1,2]" --weight "b[output,1]"
    """
    from chainrule import plots
    from chainrule.knobs.turning import turn_rows

    canvas = Canvas(out, theme, width)
    work = _rows(what, Asked(table=table, target=target, member=member_of(member)))
    turned = turn_rows(work.model, weight, work.trace.data, reach=reach, points=points)
    canvas.write(_told(plots.knobs(turned), what, table), as_json)


def _told(picture: Picture, what: str, table: str) -> Picture:
    picture.caption = f"{picture.caption} The rows are those of {Path(table).name}, the network is {Path(what).name}."
    return picture


def _model(what: str, asked: Asked) -> Any:
    """The network of a file, or one of these sizes as training would begin with it."""
    if kind_of(what) == SHAPE:
        return derive(what, Asked(x=",".join(["0"] * int(what.split("-")[0]))))[0].model
    from chainrule.files import load
    from chainrule.tables.table_model import TableModel

    model = load(what)
    if asked.member is None:
        return model
    return model.network(asked.member) if isinstance(model, TableModel) else model.member(asked.member)


def _rows(what: str, asked: Asked) -> Derivation:
    """All rows of a table as one batch, with the model that they are for."""
    work = table_rows(what, asked)
    if not work.trace.has_target:
        raise InputError(f"{asked.table} lacks the target, and a loss is wanted: say its column with --target")
    return work


def _in_precision(work: Derivation) -> Any:
    """The rows of a derivation as its model's engine takes them."""
    from chainrule.engines.contract import Rows

    rows, dtype = work.trace.data, work.model.dtype

    def like(array: Any) -> Any:
        return array.astype(dtype) if array is not None and np.issubdtype(array.dtype, np.floating) else array

    return Rows(tuple(map(like, rows.inputs)), tuple(map(like, rows.targets)), tuple(map(like, rows.weights)))

"""`chainrule explain`: every number of a forward and a backward pass, and where it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chainrule.cli.explain_sources import Asked, derive
from chainrule.cli.row_sources import member_of
from chainrule.cli.screen import columns, show, write
from chainrule.errors import FileError, InputError, did_you_mean

if TYPE_CHECKING:
    from chainrule.explain.output import AnyDerivation

_NUMBERS, _SIZES, _EXPRESSION = "Numbers that go in", "A network without a file", "An expression"
FORMATS = {"text": "to_text", "markdown": "to_markdown", "latex": "to_latex", "html": "to_html", "json": "to_json"}


def explain(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="WHAT",
            help="A worksheet (TOML), the sizes of a network as in 2-2-1, or a trained model (.safetensors).",
            show_default=False,
        ),
    ] = None,
    weight: Annotated[
        str | None,
        typer.Option(
            help="One weight with all its paths to the loss, as in W[hidden,1,1]; everything when left out.",
            show_default=False,
        ),
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Only this layer; all when left out.", show_default=False)] = None,
    unit: Annotated[
        int | None, typer.Option(help="Only this unit, from 1; all when left out.", show_default=False)
    ] = None,
    row: Annotated[
        int | None,
        typer.Option(
            help="Which row of --table, from 1 (the first below the header); of a sample only this row, all when left "
            "out.",
            show_default=False,
        ),
    ] = None,
    notation: Annotated[
        str | None,
        typer.Option(
            help="ours, a-h, o-w, net-out, Z-H or O-P.  [default: the sheet's own symbols]", show_default=False
        ),
    ] = None,
    x: Annotated[
        str | None,
        typer.Option(
            help="What goes in, as in 0.5,0.8; several rows with ; between them; left out, a table or a sheet says it.",
            rich_help_panel=_NUMBERS,
            show_default=False,
        ),
    ] = None,
    y: Annotated[
        str | None,
        typer.Option(
            help="The targets, a number for each output, or of a class its number from 0; of several heads by name, as "
            "in gender=1,age=0.5; forward only when left out.",
            rich_help_panel=_NUMBERS,
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(
            help="A CSV or Parquet file with the row for a trained model; left out, --x says it.",
            rich_help_panel=_NUMBERS,
            show_default=False,
        ),
    ] = None,
    picture: Annotated[
        str | None,
        typer.Option(
            help="The picture for a model of pictures, whose class --y may say; left out, numbers or a table go in.",
            rich_help_panel=_NUMBERS,
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="The target's column in --table, for a model of arrays; left out, all columns are inputs. Of a table "
            "model with several targets the one whose loss alone is taken; all of them when left out.",
            rich_help_panel=_NUMBERS,
            show_default=False,
        ),
    ] = None,
    member: Annotated[
        str | None,
        typer.Option(
            help="Which of a trained model's networks, from 1, or mean for all of them; the first when left out.",
            rich_help_panel=_NUMBERS,
            show_default=False,
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            help="Activation of the hidden layers.  [default: relu]", rich_help_panel=_SIZES, show_default=False
        ),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help="What is minimized.  [default: the one that goes with --output, or squared_error]",
            rich_help_panel=_SIZES,
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            help="Activation of the last layer.  [default: the one that goes with --loss]",
            rich_help_panel=_SIZES,
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Draws weights and biases.  [default: 0]", rich_help_panel=_SIZES, show_default=False),
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            help="Of the update: sgd, momentum, adam ...; no update is derived when left out.",
            rich_help_panel=_SIZES,
            show_default=False,
        ),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Of the update.  [default: the optimizer's own]", rich_help_panel=_SIZES, show_default=False),
    ] = None,
    expression: Annotated[
        str | None,
        typer.Option(
            help="A formula, as in exp(x**2) or f = x**2; k = exp(f); WHAT when left out.",
            rich_help_panel=_EXPRESSION,
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            help="The values of an expression's variables, as in x=1,y=-0.5; left out where it has none.",
            rich_help_panel=_EXPRESSION,
            show_default=False,
        ),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="text, markdown, latex, html or json.")] = "text",
    out_file: Annotated[
        Path | None, typer.Option("--out", "-o", help="A file; standard output when left out.", show_default=False)
    ] = None,
) -> None:
    """Show every number of a forward and a backward pass: formula, numbers, value, and how often it is used.

    Examples:

        chainrule explain examples/worksheets/two_sigmoid_units.toml

        chainrule explain sheet.toml --weight "W[hidden,1,1]" --format html --out sheet.html

        chainrule explain --expression "exp(exp(x**2))" --at x=1

        chainrule explain 2-2-1 --activation sigmoid --x 0.5,0.8 --y 1 --seed 3

        chainrule explain penguins.safetensors --table new.csv --row 17 --layer output
    """
    if form not in FORMATS:
        near = did_you_mean(form, FORMATS)
        raise InputError(f'--format is "{form}"; it must be text, markdown, latex, html or json.{near}')
    asked = Asked(
        notation=notation, row=row, activation=activation, output=output, loss=loss, x=x, y=y, seed=seed,
        optimizer=optimizer, learning_rate=learning_rate, table=table, picture=picture, target=target,
        member=member_of(member),
    )  # fmt: skip
    derivation, row = _derivation(what, asked, expression, at)
    if form == "text" and out_file is None and (width := columns()) is not None:
        from chainrule.explain.render.terminal import terminal

        show(terminal(derivation.document(weight=weight, layer=layer, unit=unit, row=row), width))
        return
    text = _written(derivation, form, weight, layer, unit, row)
    if out_file is None:
        write(text)
        return
    try:
        out_file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"can't save to {out_file}: {error.strerror or error}") from None


def _derivation(
    what: str | None, asked: Asked, expression: str | None, at: list[str] | None
) -> tuple[AnyDerivation[Any], int | None]:
    """What is explained, and which row of it."""
    if expression is not None:
        if what is not None:
            raise InputError(f"{what} or --expression: explain one of them")
        if asked.notation is not None:
            raise InputError("--notation is for networks; an expression has its own names")
        from chainrule.cli.expression import explain_expression

        return explain_expression(expression, at or ()), asked.row
    if at:
        raise InputError("--at is the point of an --expression; a sheet has its numbers in [sample]")
    if what is None:
        raise InputError(
            "say what to explain: a worksheet (sheet.toml), the sizes of a network (2-2-1 --x 0.5,0.8 --y 1), a "
            'trained model (model.safetensors --table new.csv --row 17), or --expression "exp(x**2)" --at x=1'
        )
    return derive(what, asked)


def _written(
    derivation: AnyDerivation[Any], form: str, weight: str | None, layer: str | None, unit: int | None, row: int | None
) -> str:
    text: str = getattr(derivation, FORMATS[form])(weight=weight, layer=layer, unit=unit, row=row)
    return text

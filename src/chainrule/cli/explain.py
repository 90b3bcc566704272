"""`chainrule explain`: every number of a forward and a backward pass, and where it comes from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chainrule.cli.screen import columns, show
from chainrule.errors import FileError, InputError, did_you_mean

if TYPE_CHECKING:
    from chainrule.explain.any_derivation import AnyDerivation

FORMATS = {"text": "to_text", "markdown": "to_markdown", "latex": "to_latex", "html": "to_html"}


def explain(
    sheet: Annotated[
        Path | None, typer.Argument(metavar="[SHEET]", help="A worksheet (TOML).", show_default=False)
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
        int | None, typer.Option(help="Only this row of the sample, from 1; all when left out.", show_default=False)
    ] = None,
    notation: Annotated[
        str | None,
        typer.Option(
            help="ours, a-h, o-w, net-out, Z-H or O-P.  [default: the sheet's own symbols]", show_default=False
        ),
    ] = None,
    expression: Annotated[
        str | None,
        typer.Option(
            help="A formula, as in exp(x**2) or f = x**2; k = exp(f); the sheet when left out.", show_default=False
        ),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            help="The values of an expression's variables, as in x=1,y=-0.5; left out where it has none.",
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
    """

    if form not in (*FORMATS, "json"):
        near = did_you_mean(form, [*FORMATS, "json"])
        raise InputError(f'--format is "{form}"; it must be text, markdown, latex, html or json.{near}')
    derivation = _derivation(sheet, expression, at, notation)
    if form == "text" and out_file is None and (width := columns()) is not None:
        from chainrule.explain.render.terminal import terminal

        show(terminal(derivation.document(weight=weight, layer=layer, unit=unit, row=row), width))
        return
    text = _written(derivation, form, weight, layer, unit, row)
    if out_file is None:
        sys.stdout.write(text)
        return
    try:
        out_file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"can't save to {out_file}: {error.strerror or error}") from None


def _derivation(
    sheet: Path | None, expression: str | None, at: list[str] | None, notation: str | None
) -> AnyDerivation:
    """What is explained: a sheet or an expression, one of them."""
    if expression is not None:
        if sheet is not None:
            raise InputError(f"{sheet} or --expression: explain one of them")
        if notation is not None:
            raise InputError("--notation is for networks; an expression has its own names")
        from chainrule.cli.expression import explain_expression

        return explain_expression(expression, at or ())
    if at:
        raise InputError("--at is the point of an --expression; a sheet has its numbers in [sample]")
    if sheet is None:
        raise InputError('what is to be explained? name a worksheet, or give --expression "exp(x**2)" --at x=1')
    from chainrule.explain.worksheet import read_worksheet

    return read_worksheet(sheet).derivation(notation)


def _written(
    derivation: AnyDerivation, form: str, weight: str | None, layer: str | None, unit: int | None, row: int | None
) -> str:
    if form == "json":
        return derivation.to_json(weight)
    text: str = getattr(derivation, FORMATS[form])(weight=weight, layer=layer, unit=unit, row=row)
    return text

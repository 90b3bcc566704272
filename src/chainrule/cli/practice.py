"""`chainrule practice`: a new worksheet with round numbers, its key, and working a sheet step by step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chainrule.atomic import check_writable, replace
from chainrule.cli.screen import say
from chainrule.cli.shapes import sizes
from chainrule.errors import InputError, listed

if TYPE_CHECKING:
    from chainrule.explain.practice.exercise import Exercise

_NEW, _WORK = "A new sheet", "Working it"


def practice(
    sheet: Annotated[
        Path | None,
        typer.Argument(
            metavar="SHEET", help="A worksheet (TOML) to work; left out, a new one is made.", show_default=False
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            help="Sizes of the layers from input to output, as in 2-3-1; left out, SHEET says them.",
            rich_help_panel=_NEW,
            show_default=False,
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            help="Activation of the hidden layers.  [default: sigmoid]", rich_help_panel=_NEW, show_default=False
        ),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help="squared_error, half_squared_error, binary_cross_entropy, cross_entropy, poisson ...  "
            "[default: the one that goes with --output]",
            rich_help_panel=_NEW,
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            help="Activation of the last layer.  [default: the one that goes with --loss]",
            rich_help_panel=_NEW,
            show_default=False,
        ),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(help="Rows of the sample.  [default: 1]", rich_help_panel=_NEW, show_default=False)
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            help="sgd, momentum, nesterov, adagrad, rmsprop, adam or adamw; none for no update.  [default: sgd]",
            rich_help_panel=_NEW,
            show_default=False,
        ),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Of the update.  [default: 0.5]", rich_help_panel=_NEW, show_default=False),
    ] = None,
    l2: Annotated[
        float | None,
        typer.Option(help="A penalty on the weights.  [default: 0]", rich_help_panel=_NEW, show_default=False),
    ] = None,
    no_bias: Annotated[bool, typer.Option("--no-bias", help="Leave the biases out.", rich_help_panel=_NEW)] = False,
    notation: Annotated[
        str | None,
        typer.Option(
            help="Symbols: ours, a-h, o-w, net-out, Z-H or O-P.  [default: ours]",
            rich_help_panel=_NEW,
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Decides the numbers: the same seed gives the same sheet; left out, one is drawn.",
            rich_help_panel=_NEW,
            show_default=False,
        ),
    ] = None,
    out_file: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Where the sheet goes, with --check your answers in it.  [default: standard output]",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            help="Where the key goes, the same sheet with [work] filled in; left out, none is written.",
            show_default=False,
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Ask for the numbers one by one: each is marked at once, and ? gives a hint.",
            rich_help_panel=_WORK,
        ),
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Ask anew for what [work] holds already; left out, that counts as answered.",
            rich_help_panel=_WORK,
        ),
    ] = False,
) -> None:
    """Make a worksheet with round numbers, or work one step by step at the terminal.

    With --check: ? gives the next hint, Enter leaves a number out, q stops. Exit status: 0 nothing wrong, 1 something.

    Examples:

        chainrule practice --network 2-3-1 --loss binary_cross_entropy --seed 7 --out sheet.toml --key key.toml

        chainrule practice sheet.toml --check --out sheet.toml

        chainrule practice --network 2-2-1 --activation tanh --check
    """
    wanted: dict[str, Any] = {
        "activation": activation, "loss": loss, "output": output, "rows": rows, "optimizer": optimizer,
        "learning_rate": learning_rate, "l2": l2, "notation": notation, "seed": seed,
        "bias": False if no_bias else None,
    }  # fmt: skip
    wanted = {name: value for name, value in wanted.items() if value is not None}
    if again and not check:
        raise InputError("--again belongs to --check")
    if sheet is None:
        if network is None:
            raise InputError(
                "say which network, as in chainrule practice --network 2-3-1, or which worksheet to work, as in "
                "chainrule practice sheet.toml --check"
            )
        exercise = _exercise(network, wanted)
        text, key_text, name = exercise.text, exercise.key, exercise.title
    else:
        _check_sheet_options(sheet, network, wanted, check=check, key=key)
        text, name = _text_of(sheet), str(sheet)
        key_text = _key_of(text, name) if key is not None else ""
    _check_files(out_file, key, sheet, check=check)
    if key is not None:
        replace(key, key_text.encode())
        say(f"the key is in {key}", stderr=True)
    if check:
        from chainrule.cli.asking import ask

        raise typer.Exit(ask(text, name, out_file, again=again))
    if out_file is not None:
        replace(out_file, text.encode())
        say(f"the worksheet is in {out_file}", stderr=True)
    elif sheet is None:
        typer.echo(text, nl=False)


def _exercise(network: str, wanted: dict[str, Any]) -> Exercise:
    from secrets import randbelow

    from chainrule.explain.practice.exercise import Exercise

    if wanted.get("optimizer") == "none":
        if "learning_rate" in wanted:
            raise InputError("--learning-rate belongs to an update, and --optimizer none wants no update")
        wanted["optimizer"] = None
    return Exercise(tuple(sizes(network)), **{"seed": randbelow(10_000), **wanted})


def _check_sheet_options(
    sheet: Path, network: str | None, wanted: dict[str, Any], *, check: bool, key: Path | None
) -> None:
    names = ["network"] * (network is not None) + ["no_bias" if name == "bias" else name for name in wanted]
    if names:
        options = listed(f"--{name.replace('_', '-')}" for name in names)
        raise InputError(f"{options}: for a new sheet; {sheet} says itself what its network is. Give one or the other")
    if not check and key is None:
        raise InputError(
            f"say what to do with {sheet}: --check works it step by step, --key FILE writes its key; "
            f"chainrule mark {sheet} marks what stands in it"
        )


def _text_of(sheet: Path) -> str:
    from chainrule.explain.worksheets.worksheet import read_worksheet

    read_worksheet(sheet)  # a sheet that can't be used is refused with its line
    return sheet.read_text(encoding="utf-8-sig")


def _key_of(text: str, path: str) -> str:
    """A sheet's text with every number that it asks for filled in."""
    from chainrule.explain.practice.round_numbers import rounded
    from chainrule.explain.practice.session import Session
    from chainrule.explain.worksheets.sheet_writing import with_work
    from chainrule.explain.worksheets.worksheet import read_worksheet_text

    session = Session.of(read_worksheet_text(text, path), again=True)
    answers = {q.symbol: rounded(session.work.graph.value(q.name), session.decimals) for q in session.questions}
    return with_work(text, answers)


def _check_files(out_file: Path | None, key: Path | None, sheet: Path | None, *, check: bool) -> None:
    """What is written must not take the place of anybody's work; the sheet itself may take its own answers."""
    places = [path.expanduser().resolve() for path in (out_file, key) if path is not None]
    if len(places) == 2 and places[0] == places[1]:
        raise InputError(f"--out and --key are both {out_file}: give two names")
    for option, path in (("--out", out_file), ("--key", key)):
        if path is None:
            continue
        check_writable(path)
        own = sheet is not None and path.expanduser().resolve() == sheet.expanduser().resolve()
        if path.expanduser().exists() and not (own and check and option == "--out"):
            raise InputError(f"{option}: {path} is there already, and may hold somebody's work; give another name")

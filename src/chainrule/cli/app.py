"""The commands, and what happens when one of them can't do its work."""

from __future__ import annotations

import os
import sys

import typer
from rich.markup import escape

from chainrule import __version__
from chainrule.cli.evaluate import evaluate
from chainrule.cli.info import info
from chainrule.cli.params import params
from chainrule.cli.predict import predict
from chainrule.cli.screen import err
from chainrule.cli.train import train
from chainrule.errors import ChainruleError

app = typer.Typer(
    name="chainrule",
    help="Multilayer perceptrons that train fast and show their work.",
    epilog="Begin with:  chainrule train penguins.csv --target species",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (train, predict, evaluate, params, info):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"chainrule {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and stop."
    ),
) -> None:
    pass


def run() -> None:
    """Run one command; exit status 0 done, 2 a mistake of the user's (said in one message), 130 Ctrl-C."""
    try:
        app()
    except ChainruleError as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}")
        sys.exit(2)
    except KeyboardInterrupt:
        err.print("stopped")
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)

"""The commands, and what happens when one of them can't do its work."""

from __future__ import annotations

import io
import os
import sys

import typer
from typer.core import TyperGroup

from chainrule import __version__
from chainrule.cli.doctor import doctor
from chainrule.cli.evaluate import evaluate
from chainrule.cli.explain import explain
from chainrule.cli.info import info
from chainrule.cli.mark import mark
from chainrule.cli.params import params
from chainrule.cli.plot import plot
from chainrule.cli.practice import practice
from chainrule.cli.predict import predict
from chainrule.cli.screen import complain
from chainrule.cli.train import train
from chainrule.errors import ChainruleError
from chainrule.tables.advice import on_command_line


class _InOrder(TyperGroup):
    """Commands in the order in which they are wanted; those that have kinds stand among the others."""

    def list_commands(self, ctx: object) -> list[str]:
        last = [name for name in ("params", "info") if name in self.commands]
        groups = [name for name in self.commands if hasattr(self.commands[name], "commands")]
        first = [name for name in self.commands if name not in (*groups, *last)]
        return [*first, *groups, *last]


app = typer.Typer(
    name="chainrule",
    cls=_InOrder,
    help="Multilayer perceptrons that train fast and show their work.",
    epilog="Begin with:  chainrule train penguins.csv --target species",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (train, predict, evaluate, doctor, explain, mark, practice, params, info):
    app.command()(command)
app.add_typer(plot)

# The root of what typer raises for an unknown option, a missing argument, a word where a number belongs.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a terminal can't show is no reason to fail
    sys.exit(_status())


def _status() -> int:
    try:
        with on_command_line():
            status = app(standalone_mode=False) or 0
        sys.stdout.flush()
    except _UsageError as error:
        return _complain_of_usage(error)
    except ChainruleError as error:
        return _complain(str(error))
    except MemoryError as error:
        return _complain(f"there isn't enough memory: {error}")
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _complain(": ".join(str(part) for part in (error.filename, error.strerror or error) if part))
    except (KeyboardInterrupt, typer.Abort):
        status = 130
    if status == 130:  # typer's own answer to Ctrl-C
        complain("stopped by Ctrl-C; nothing was saved", label="")
    return status


def _complain(message: str) -> int:
    complain(message)
    return 2


def _complain_of_usage(error: Exception) -> int:
    """The message of a usage error in our own words' form; help, which was asked for by saying nothing, is no error."""
    message = "" if type(error).__name__ == "NoArgsIsHelpError" else error.format_message()  # type: ignore[attr-defined]
    if message:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "chainrule"
        complain(f"{message.rstrip('.')}. {path} --help says what there is")
    return 2

"""The command line: thin commands that call the API."""

from __future__ import annotations


def main() -> None:
    """Run the command line; a user's mistake is a message and exit status 2, never a traceback."""
    from chainrule.cli.app import run

    run()

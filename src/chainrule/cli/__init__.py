"""The command line: thin commands that call the API."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; a user's mistake is a message and exit status 2, never a traceback."""
    try:
        from chainrule.cli.app import run

        run()
    except KeyboardInterrupt:  # Ctrl-C before there was anything to stop
        sys.exit(130)

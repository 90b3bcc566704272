"""`chainrule info`: versions, engines, processor."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer

from chainrule import __version__
from chainrule.cli.screen import new_table, print_json, show

LIBRARIES = ("numpy", "scipy", "safetensors", "polars", "narwhals", "scikit-learn", "typer", "rich")


def info(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Print versions, engines and the processor: what to put into a bug report."""
    facts = _facts()
    if as_json:
        print_json(facts)
        return
    shown = new_table("", "")
    for name in ("chainrule", "python", "system", "processor", "cores"):
        shown.add_row(name, str(facts[name]))
    for name, text in facts["engines"].items():
        shown.add_row(f"engine {name}", text)
    for name, text in facts["libraries"].items():
        shown.add_row(name, text)
    shown.show_header = False
    show(shown)


def _facts() -> dict[str, Any]:
    from chainrule.engines.choose import native_missing

    missing = native_missing()
    return {
        "chainrule": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "engines": {
            "reference": "NumPy, always there",
            "native": missing or _native_facts(),
            "auto": "reference" if missing else "native where it covers the network",
        },
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _native_facts() -> str:
    from chainrule import _native

    threads = _native.available_threads()
    sets = ", ".join(_native.instruction_sets())
    return f"compiled in; {_native.instruction_set()} of {sets}; at most {threads} thread{'s' * (threads != 1)}"


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """The processor's own name where Linux tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()

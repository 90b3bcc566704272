"""`chainrule info`: versions, engines, processor; of a model what is in its file."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer

from chainrule import __version__
from chainrule.cli.screen import new_table, print_json, show
from chainrule.engines.choose import AUTO, ENGINES

LIBRARIES = (
    "numpy",
    "scipy",
    "safetensors",
    "polars",
    "narwhals",
    "scikit-learn",
    "typer",
    "rich",
    "matplotlib",
    "pillow",
)


def info(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="A saved model: say what it is.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Print versions, engines and the processor: what to put into a bug report. Of a model, what it is made of."""
    if model is not None:
        _say_model(model, as_json)
        return
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


def _say_model(path: str, as_json: bool) -> None:
    from chainrule.cli.model_facts import model_facts, print_model
    from chainrule.files import load

    loaded = load(path)
    facts = model_facts(loaded)
    if as_json:
        print_json({"model": path, **facts})
    else:
        print_model(facts, loaded)


def _facts() -> dict[str, Any]:
    return {
        "chainrule": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "engines": {name: engine.missing() or engine.facts() for name, engine in ENGINES.items()} | {AUTO: _auto()},
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _auto() -> str:
    """Which engine a model gets that asks for none: the fastest that is there, or the one that covers everything."""
    *slower, fastest = (name for name, engine in ENGINES.items() if engine.missing() is None)
    return f"{fastest} where it covers the network" if slower else fastest


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

"""Imports go down only, and never in a circle: the floors are those of `docs/layout.md`, read from its tables.

Every import counts: those for type checkers alone and those inside functions too. A room may import from the rooms
above it in its table (what is above it there is nearer to the ground), and from its own row.
"""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import chainrule

SOURCE = Path(chainrule.__file__).parent
LAYOUT = Path(__file__).parents[1] / "docs" / "layout.md"

# The doors that lead up: (importing module, imported folder), and why.
DOORS_UP = {
    ("model", "explain"): "Model.explain: the derivation of a model's own numbers, loaded when asked for",
    ("health.report", "plots"): "Diagnosis.picture: all that was measured in one picture",
    ("model", "health"): "Model.diagnose: what is wrong with a training",
    ("model", "knobs"): "Model.turn: the loss as a function of a weight, by its name in derivations",
    ("training.history", "plots"): "History.plot: its loss curves, drawn when asked for",
    ("knobs.turning", "plots"): "Turned.plot: the landscape, drawn when asked for",
}


def floors() -> dict[str, dict[str, int]]:
    """The tables of rooms: for each folder ("" is the package) its rooms, and how far each stands above the ground.

    A table of rooms stands under a heading that ends with the folder in backticks, and has "room" as its first title.
    """
    found: dict[str, dict[str, int]] = {}
    for section in re.split(r"^## ", LAYOUT.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        folder = re.search(r"`src/chainrule/(.*)`$", heading)
        if folder is None:
            continue
        rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
        heights = found[folder.group(1).strip("/").replace("/", ".")] = {}
        for height, cell in enumerate(rows):
            heights |= dict.fromkeys(
                (n.removesuffix(".py").removesuffix("/") for n in re.findall(r"`([^`]+)`", cell)), height
            )
    return found


def modules() -> dict[str, Path]:
    """Every module of the package, by its name below `chainrule`."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


FLOORS = floors()
MODULES = modules()


def imports(name: str) -> Iterator[tuple[str, int]]:
    """What a module imports of the package, and in which line; doors up are left out."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}, line {node.lineno}: relative imports aren't used here"
            targets = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            if target == "chainrule" or target.startswith("chainrule."):
                inner = target.removeprefix("chainrule").removeprefix(".")
                while inner not in MODULES:  # a name within a module
                    inner = inner.rpartition(".")[0]
                if inner != name and (name, inner.partition(".")[0]) not in DOORS_UP:
                    yield inner, node.lineno


def room(name: str, folder: str) -> str | None:
    """The room of a folder that a module stands in; None where it is elsewhere, or the folder's own `__init__`."""
    inside = name if not folder else name.removeprefix(f"{folder}.") if name.startswith(f"{folder}.") else ""
    return inside.partition(".")[0] or None


def test_the_tables_are_found() -> None:
    assert set(FLOORS) >= {"", "explain"}


@pytest.mark.parametrize("folder", FLOORS, ids=lambda folder: folder or "chainrule")
def test_every_room_is_in_its_table_and_every_row_is_there(folder: str) -> None:
    rooms = {found for name in MODULES if (found := room(name, folder))}
    assert rooms == set(FLOORS[folder]), "docs/layout.md and the folder differ"


@pytest.mark.parametrize("name", MODULES, ids=lambda name: name or "chainrule")
def test_imports_go_down_only(name: str) -> None:
    for folder, heights in FLOORS.items():
        here = room(name, folder)
        for target, line in imports(name):
            there = room(target, folder)
            if here is not None and there is not None:
                assert heights[there] <= heights[here], f"{name}, line {line}, imports {target}, which stands above it"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {name: {target for target, _ in imports(name)} for name in MODULES}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_every_door_up_is_still_used() -> None:
    for name, folder in DOORS_UP:
        assert f"from chainrule.{folder}" in MODULES[name].read_text(encoding="utf-8")


def test_every_file_that_the_page_names_is_there() -> None:
    """By its path below the repository, the package, `explain/`, `native/` or `native/core/`."""
    page = LAYOUT.read_text(encoding="utf-8")
    root = LAYOUT.parents[1]
    roots = [root, SOURCE, SOURCE / "explain", root / "native", root / "native" / "core"]
    named = set(re.findall(r"`([\w/.]+/[\w/.]*)`", page))
    assert len(named) > 30
    assert not [name for name in sorted(named) if not any((base / name).exists() for base in roots)]

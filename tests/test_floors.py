"""Imports go down only: the floors of the house, from the ground up, as in `docs/` and the design.

A module may import from lower floors and from its own. An import inside a function is a door that opens only when
somebody walks through it; those that lead up are listed with their reason, so that no new one slips in.
"""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import chainrule

SOURCE = Path(chainrule.__file__).parent

# From the ground up. A name is a module of the package or a folder in it.
FLOORS = [
    ["plain"],
    ["", "errors", "arrays", "compiled"],  # "" is chainrule/__init__.py: the version, and lazy names
    ["limits", "resolve", "atomic", "upgrades", "forms"],
    ["container"],
    ["random"],
    ["activations"],
    ["losses", "initializers"],
    ["layers"],
    ["mlp"],
    ["parameters"],
    ["steps"],
    ["summary"],
    ["network"],
    ["objective"],
    ["metrics", "schedules", "former"],
    ["optimizers"],
    ["engines"],
    ["data"],
    ["training"],
    ["saving"],
    ["learner"],
    ["model"],
    ["explain"],
    ["diagnostics"],
    ["tables"],
    ["estimators"],
    ["files"],
    ["tune"],
    ["cli"],
    ["studio"],
]
HEIGHT = {name: height for height, floor in enumerate(FLOORS) for name in floor}

# (importing folder or module, imported one): why a function there may open that door
DOORS_UP = {
    ("model", "explain"): "Model.explain: the derivation of a model's own numbers, loaded when asked for",
}


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(name: str) -> Iterator[tuple[str, int, bool]]:
    """What a module imports of the package: the module's name, the line, and whether it is inside a function."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))

    def walk(node: ast.AST, lazy: bool) -> Iterator[tuple[ast.stmt, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
                continue  # for type checkers alone: nothing is imported
            if isinstance(child, (ast.Import, ast.ImportFrom)):
                yield child, lazy
            yield from walk(child, lazy or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))

    for node, lazy in walk(tree, False):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        else:
            assert isinstance(node, ast.ImportFrom)
            assert node.level == 0, f"{name}, line {node.lineno}: relative imports aren't used here"
            targets = [f"{node.module}.{alias.name}" for alias in node.names]
        for target in targets:
            if target == "chainrule" or target.startswith("chainrule."):
                inner = target.removeprefix("chainrule").removeprefix(".")
                while inner not in MODULES:  # a name within a module
                    inner = inner.rpartition(".")[0]
                yield inner, node.lineno, lazy


def floor(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize("name", MODULES, ids=lambda name: name or "chainrule")
def test_imports_go_down_only(name: str) -> None:
    assert floor(name) in HEIGHT, f"{name} stands on no floor: give it one in FLOORS"
    for target, line, lazy in imports(name):
        down = HEIGHT[floor(target)] < HEIGHT[floor(name)] or floor(target) == floor(name)
        door = lazy and (floor(name), floor(target)) in DOORS_UP
        same_height = HEIGHT[floor(target)] == HEIGHT[floor(name)]
        assert down or door or same_height, f"{name}, line {line}, imports {target}, which stands above it"


def test_no_module_imports_itself_by_way_of_others() -> None:
    """At import time: doors inside functions don't count. A package stands for its own `__init__` only."""
    graph = {name: {target for target, _, lazy in imports(name) if not lazy and target != name} for name in MODULES}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the cycle


def test_every_door_up_is_still_used() -> None:
    used = {(floor(name), floor(target)) for name in MODULES for target, _, lazy in imports(name) if lazy}
    assert set(DOORS_UP) <= used

"""The public names: all there, typed, lazy; and an import that costs next to nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule

HEAVY = {
    "scipy", "sklearn", "polars", "narwhals", "rich", "typer", "safetensors", "torch", "pandas", "pyarrow",
    "matplotlib", "onnx", "optuna", "joblib", "threadpoolctl", "PIL",
}  # fmt: skip


def loaded_after(program: str) -> set[str]:
    """The top-level modules in memory after a program in a fresh interpreter."""
    code = f"{program}\nimport json, sys\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return set(json.loads(out))


@pytest.mark.parametrize(
    "program",
    [
        "import chainrule",
        "import chainrule; dir(chainrule)",
        "import chainrule as cr; cr.Model(cr.Network.mlp(2, [3], 1), 'squared_error')",
        "import chainrule as cr; cr.Model(cr.Network.mlp(2, [3], 1), 'squared_error').fit([[1, 2]], [1], epochs=1)",
    ],
    ids=["import", "dir", "model", "fit"],
)
def test_an_import_brings_numpy_and_nothing_heavier(program: str) -> None:
    assert not loaded_after(program) & HEAVY


@pytest.mark.parametrize("name", chainrule.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(chainrule, name) is not None
    assert name in dir(chainrule)


def test_a_name_that_isnt_there() -> None:
    with pytest.raises(AttributeError, match="module 'chainrule' has no attribute 'Modell'"):
        _ = chainrule.Modell


def test_the_stub_says_the_same_as_the_table() -> None:
    """Type checkers and editors read `__init__.pyi`: each public name, from the module that it lives in."""
    stub = ast.parse(Path(chainrule.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    found = {}
    for node in stub.body:
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: str(node.module) for alias in node.names}
    expected = {name: f"chainrule.{home}" for name, home in chainrule._HOMES.items()}
    assert found == expected


def test_the_version_is_one() -> None:
    parts = chainrule.__version__.split(".")
    assert len(parts) >= 3
    assert all(part.isdigit() for part in parts[:2])

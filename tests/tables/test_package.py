"""The floor as a whole: what importing it loads, and the way from file to array."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from chainrule import tables


def test_importing_is_light() -> None:
    heavy = ("polars", "narwhals", "pandas", "pyarrow", "sklearn", "scipy")
    code = f"import sys, chainrule.tables; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_public_names_exist() -> None:
    assert all(hasattr(tables, name) for name in tables.__all__)


def test_from_file_to_array(tmp_path: Path) -> None:
    path = tmp_path / "pets.csv"
    rows = [f"{i % 7},{'cat' if i % 2 else 'dog'},{'NA' if i % 5 == 4 else i % 3}" for i in range(40)]
    path.write_text("weight,kind,y\n" + "\n".join(rows) + "\n")
    frame = tables.read_table(path)
    target = tables.plan_target(frame, "y")
    columns = tables.plan_columns(frame, target=target.name)
    frame = target.known_rows(frame)
    labels = target.encode(frame)
    splits = tables.split_rows(frame.height, 0.25, labels=labels)
    encoding = tables.TableEncoding.fit(frame[splits.train], columns)
    features, notes = encoding.encode(frame[splits.validation])
    assert (target.missing, target.classes, frame.height) == (8, (0, 1, 2), 32)
    assert features.shape == (8, 3)
    assert np.isfinite(features).all()
    assert notes.lines == ()

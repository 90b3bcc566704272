"""The generated pages of docs/reference are what the code says now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_generated_pages_are_up_to_date():
    run = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_the_stub_names_what_the_package_loads_on_first_use():
    import chainrule as cr

    stub = (ROOT / "src" / "chainrule" / "__init__.pyi").read_text(encoding="utf-8")
    named = {line.split(" as ")[1].strip(" ,") for line in stub.splitlines() if " as " in line}
    assert named == set(cr.__all__) - {"__version__"}
    for name in cr.__all__:
        assert getattr(cr, name) is not None

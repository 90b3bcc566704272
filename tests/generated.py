"""How many cases generated tests draw: as many as say something at once, and more of them in `make test-slow`."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

TIMES = float(os.environ.get("CHAINRULE_EXAMPLES", "0.5"))  # of what each test asks for
USUAL = 100


def examples(n: int, **others: Any) -> settings:
    """Settings for a test of which `n` cases are wanted."""
    return settings(max_examples=max(round(TIMES * n), 3), **others)

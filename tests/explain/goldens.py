"""Rendered examples, kept as files: `python tests/explain/goldens.py` (or `make docs`) writes them anew.

A change of a renderer shows in them as a difference that somebody has looked at. Every worksheet is kept as text and as
marked; some that show everything, in every form.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from chainrule.explain.worksheets.worksheet import Worksheet, read_worksheet

SHEETS = Path(__file__).parents[2] / "examples" / "worksheets"
GOLDEN = Path(__file__).parent / "golden"
WEIGHTS = {  # a worksheet and one of its weights, with all its paths
    "four_three_two_one": "W[hidden_1,1,1]",
    "two_by_two_by_two": "W[hidden,1,1]",
}
FORMS: dict[str, Callable[..., str]] = {
    "txt": lambda work, **choice: work.to_text(**choice),
    "md": lambda work, **choice: work.to_markdown(**choice),
    "tex": lambda work, **choice: work.to_latex(**choice),
    "html": lambda work, **choice: work.to_html(**choice),
    "json": lambda work, weight=None: work.to_json(weight),
}
IN_EVERY_FORM = ("two_sigmoid_units",)


def marked(sheet: Worksheet) -> str:
    """The marks as `chainrule mark --json` prints them, with as many digits as every machine agrees on."""
    marks = sheet.mark().to_dict()
    for entry in marks["quantities"]:
        for key in ("exact", "from_own_values"):
            entry[key] = None if entry[key] is None else float(f"{entry[key]:.9g}")
    return json.dumps(marks, indent=1, ensure_ascii=False) + "\n"


def goldens() -> Iterator[tuple[str, str]]:
    """Every golden file: its name, and what should be in it."""
    for path in sorted(SHEETS.glob("*.toml")):
        sheet = read_worksheet(path)
        work = sheet.derivation()
        for suffix, write in FORMS.items():
            if suffix == "txt" or path.stem in IN_EVERY_FORM:
                yield f"{path.stem}.{suffix}", _steady(suffix, write(work))
        if path.stem in WEIGHTS:
            for suffix, write in FORMS.items():
                yield f"{path.stem}.paths.{suffix}", _steady(suffix, write(work, weight=WEIGHTS[path.stem]))
        if sheet.work:
            yield f"{path.stem}.marks.json", marked(sheet)


def _steady(suffix: str, text: str) -> str:
    """JSON with as many digits as every machine agrees on; other forms are rounded as they are written."""
    if suffix != "json":
        return text
    read = json.loads(text, parse_float=lambda number: float(f"{float(number):.9g}"))
    return json.dumps(read, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the files anew, and take away those that are no goldens any more."""
    GOLDEN.mkdir(exist_ok=True)
    written = dict(goldens())
    for path in GOLDEN.iterdir():
        if path.name not in written:
            path.unlink()
    for name, text in written.items():
        (GOLDEN / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

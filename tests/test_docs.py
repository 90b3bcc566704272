"""The pages are true: generated ones are what the code says now, examples print what is shown, links lead somewhere."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("what", [["--text"], pytest.param([], marks=pytest.mark.slow)], ids=["text", "pictures too"])
def test_the_generated_pages_are_up_to_date(what):
    run = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check", *what],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


def test_the_stub_names_what_the_package_loads_on_first_use():
    import chainrule as cr

    stub = (ROOT / "src" / "chainrule" / "__init__.pyi").read_text(encoding="utf-8")
    named = {line.split(" as ")[1].strip(" ,") for line in stub.splitlines() if " as " in line}
    assert named == set(cr.__all__) - {"__version__"}
    for name in cr.__all__:
        assert getattr(cr, name) is not None


PAGES = sorted(
    page for room in ("tutorials", "how-to", "explanation") for page in (ROOT / "docs" / room).glob("**/*.md")
)


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_the_examples_of_a_page_are_true(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = re.sub(r"^```.*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)  # fences are no output
    examples = doctest.DocTestParser().get_doctest(text, {}, page.stem, str(page), 0)
    results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).run(examples)
    assert results.failed == 0


@pytest.mark.parametrize("page", [*(ROOT / "docs").glob("**/*.md"), *ROOT.glob("*.md")], ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_the_tests_that_show_what_is_promised_exist():
    page = (ROOT / "docs" / "explanation" / "trust.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page)
    assert len(named) > 15
    for file, test in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^ *def {test or 'test_'}", text, flags=re.MULTILINE), f"{file}::{test}"


def test_promised_versions_of_python_and_the_page_agree():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    promised = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project)
    assert promised
    assert f'requires-python = ">={promised[0]}"' in project

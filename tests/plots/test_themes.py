"""What makes pictures legible: contrast, and series that differ in more than colour."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import pytest

from chainrule.errors import InputError, MissingDependencyError
from chainrule.plots import activations
from chainrule.plots.themes import LINES, MARKERS, THEMES, get_theme, named, need_matplotlib

pytest.importorskip("matplotlib")


def luminance(color: str) -> float:
    """The relative luminance of sRGB, as WCAG defines it."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_text_and_series_stand_out_from_the_paper(theme):
    assert contrast(theme.ink, theme.paper) >= 7
    assert contrast(theme.soft, theme.paper) >= 4.5
    assert all(contrast(color, theme.paper) >= 2 for color in theme.colors)
    assert all(contrast(color, theme.paper) >= 3 for color in theme.colors[:4])


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_series_differ_without_their_colours(theme):
    looks = [theme.series(i, marked=True) for i in range(len(LINES))]
    for one, other in combinations(looks, 2):
        assert one["linestyle"] != other["linestyle"]
        assert one["marker"] != other["marker"]
    every = [tuple(map(str, theme.series(i, marked=True).values())) for i in range(24)]
    assert len(set(every)) == 24  # even where colours, lines and markers come again
    assert len(set(MARKERS)) == len(MARKERS)


def test_a_theme_that_isnt_there():
    with pytest.raises(InputError, match=r'there is no theme "drak"\. Did you mean "dark"\? There are light, dark'):
        get_theme("drak")


def test_names_of_others_are_labels():
    assert named("a\x1bb") == "a\\x1bb"
    assert len(named("x" * 500)) == 40
    assert not named("_hidden").startswith("_")  # which legends leave out


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for make in (need_matplotlib, activations):
        with pytest.raises(MissingDependencyError, match=r'pip install "chainrule\[plots\]"'):
            make()


def test_the_module_loads_matplotlib_only_when_something_is_drawn():
    code = """
import sys, chainrule.plots as plots
assert "matplotlib" not in sys.modules
plots.activations("relu")
assert "matplotlib" in sys.modules
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)

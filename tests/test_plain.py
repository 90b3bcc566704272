"""Text of others: whole where it is harmless, written out where it would act, cut where it would fill the screen."""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
import pytest

from chainrule.plain import shortened, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\x00b\x07\x7f", r"a\x00b\x07\x7f"),
        ("\x9b31m", r"\x9b31m"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("a\u2028b\u2029c\x85", r"a\u2028b\u2029c\x85"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("a\u2066b\u2069", r"a\u2066b\u2069"),
        ("a\u200bb\ufeffc\u00adsoft", r"a\u200bb\ufeffc\xadsoft"),
        ("\U000e0041", r"\U000e0041"),
        ("\udcff", r"\udcff"),
        ("a\u200db", r"a\u200db"),
    ],
)
def test_what_acts_or_hides_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "", "species", "größe", "身長", "x\u2009=\u00a01\u202f000", "👩\u200d🔬", "\u0645\u06cc\u200c\u062e\u0648",
        "e\u0301", "\\x1b", "[red]x[/red]",
    ],
)  # fmt: skip
def test_what_people_write_stays(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("step", [37, pytest.param(1, marks=pytest.mark.slow)])
def test_every_character_is_either_kept_or_made_printable(step: int) -> None:
    for code in [*range(0x3000), *range(0x3000, sys.maxunicode + 1, step), sys.maxunicode]:
        shown = visible(chr(code))
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            assert shown.startswith("\\"), hex(code)
            assert shown.isascii()
        else:
            assert shown == chr(code)


def test_lines_may_stay_lines() -> None:
    assert visible("a\nb\r\n\x1b\tc", lines=True) == "a\nb\\r\n\\x1b\\tc"


@pytest.mark.parametrize("limit", [1, 20, 80])
@pytest.mark.parametrize(
    "value",
    [
        "x" * 5_000_000, "\x1b" * 5_000_000, b"x" * 5_000_000, ["y" * 5_000_000] * 100, list(range(10**6)),
        {str(i): i for i in range(10**5)}, 10**5000, -(10**100_000), np.arange(10**6), (("deep",) * 9,) * 9,
        "\u202e" * 79, {1, 2}, None, 1.5, object(),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_short_is_short(value: object, limit: int) -> None:
    text = shortened(value, limit)
    assert 0 < len(text) <= limit
    assert text.isprintable()


def test_what_is_short_stays_whole() -> None:
    for value in (["a", 1.5], {"a": 2, "b": None}, (1,), 12345678901234567890, None, True):
        assert shortened(value) == repr(value)
    assert shortened("n/a") == "n/a"
    assert shortened("x" * 80) == "x" * 80
    assert shortened("x" * 81) == "x" * 79 + "…"


def test_a_value_whose_own_repr_fails() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    assert "Broken" in shortened(Broken())

"""Numbers as people write them are read back as they were, or not taken for numbers."""

from __future__ import annotations

import polars as pl
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from chainrule.tables.number_forms import NumberForm, find_form

numbers = st.lists(st.decimals(-9_999_999, 9_999_999, places=2).map(float), min_size=3, max_size=20)


def swapped(text: str) -> str:
    return text.translate(str.maketrans(",.", ".,"))


WAYS = {
    "grouped": lambda v: f"{v:,.2f}",
    "decimal commas": lambda v: swapped(f"{v:,.2f}"),
    "apostrophes": lambda v: f"{v:,.2f}".replace(",", "'"),
    "spaces": lambda v: f"{v:,.2f}".replace(",", "\u202f"),
    "dollars": lambda v: f"-${-v:,.2f}" if v < 0 else f"${v:,.2f}",
    "euros": lambda v: f"{swapped(f'{v:,.2f}')} €",
    "brackets": lambda v: f"({-v:.2f})" if v < 0 else f"{v:.2f}",
    "a minus behind": lambda v: f"{-v:.2f}-" if v < 0 else f"{v:.2f}",
    "percent": lambda v: f"{v:.2f} %",
}


@examples(40)
@given(values=numbers, way=st.sampled_from(sorted(WAYS)))
def test_what_is_written_is_read_back(values: list[float], way: str) -> None:
    cells = pl.Series([WAYS[way](value) for value in values])
    found = find_form(cells.unique(maintain_order=True))
    assert found.form is not None
    assert not found.doubt
    assert found.form.read(cells).to_list() == values
    assert NumberForm.from_dict(found.form.to_dict()) == found.form


@pytest.mark.parametrize(
    ("cells", "doubt"),
    [
        (["1,234", "5,678"], "1,234 may be 1234 or 1.234"),
        (["1.5", "2,5"], "decimal commas in some cells and decimal points in others"),
        (["$1.5", "2.5 €"], "different quantities"),
        (["12.5%", "0.25"], "may be shares"),
    ],
)
def test_what_may_be_two_things_is_said(cells: list[str], doubt: str) -> None:
    assert doubt in find_form(pl.Series(cells)).doubt


@pytest.mark.parametrize("cells", [["1.0.0", "1.2.1"], ["007", "12"], ["12 kg", "3 lb"], ["03.04.2024"], [""]])
def test_what_is_no_number(cells: list[str]) -> None:
    found = find_form(pl.Series(cells))
    assert found.form is None
    assert not found.doubt


def test_what_is_said_or_likely_decides() -> None:
    cells = pl.Series(["1,234", "5,678"])
    for said, hint, mark in ((",", None, ","), (".", None, "."), (None, ",", ","), (None, ".", ".")):
        found = find_form(cells, hint, said)  # type: ignore[arg-type]
        assert found.form is not None
        assert (found.form.mark, found.doubt) == (mark, "")


def test_a_form_without_groups_reads_none() -> None:
    assert NumberForm().read(pl.Series(["1,234", "1,234.5", "12.5", "1 234"])).to_list() == [None, 1234.5, 12.5, None]

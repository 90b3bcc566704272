"""Written numbers, held against exact decimal arithmetic."""

from __future__ import annotations

import math
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chainrule import InputError
from chainrule.explain.marking.digits import Precision, Written, agreement, read_number, truncated
from chainrule.explain.quantities.recipes import Spread

NEAR = Decimal("1e-9")  # of a unit: nearer to an edge than this, floats may decide either way


@st.composite
def decimals(draw: st.DrawFn) -> Decimal:
    """A number with 1 to 9 significant digits and an exponent that occurs on paper."""
    digits = draw(st.integers(1, 10**9 - 1))
    return Decimal(draw(st.sampled_from([1, -1])) * digits).scaleb(draw(st.integers(-12, 2)))


@given(number=decimals())
def test_value_unit_and_digits_are_those_of_the_text(number: Decimal) -> None:
    text = format(number, "f")
    written = read_number(text)
    assert written.value == float(number)
    _, _, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    assert math.isclose(written.unit, float(Decimal(1).scaleb(exponent)), rel_tol=1e-15)
    assert written.decimals == -exponent
    assert written.digits == len(str(abs(int(Decimal(text).scaleb(-exponent)))))


@pytest.mark.parametrize(
    "form", ["{m}e{e}", "{m}E{e}", "{m} x 10^{e}", "{m}·10^{e}", "{m} * 10^({e})", "{m}\u00d710{e}"]
)
@given(
    mantissa=st.integers(1, 9999),
    places=st.integers(0, 3),
    exponent=st.integers(-9, 9),
    minus=st.sampled_from("-\u2212\u2013"),
)
def test_powers_of_ten_in_every_spelling(form: str, mantissa: int, places: int, exponent: int, minus: str) -> None:
    number = Decimal(mantissa).scaleb(-places)
    text = minus + form.format(m=number, e=exponent)
    written = read_number(text)
    assert math.isclose(written.value, -float(number.scaleb(exponent)), rel_tol=1e-15)
    assert math.isclose(written.unit, float(Decimal(1).scaleb(exponent - places)), rel_tol=1e-15)
    assert written.digits == len(str(mantissa))


@given(above=st.integers(-999, 999), below=st.integers(1, 999))
def test_fractions_are_exact(above: int, below: int) -> None:
    written = read_number(f"{above}/{below}")
    assert (written.value, written.unit) == (above / below, 0.0)
    assert agreement(written, Spread.exact(above / below)) == "exact"
    assert agreement(written, Spread.exact(above / below + 1e-8)) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".5", 0.5), ("5.", 5.0), ("+3", 3.0), ("0,25", 0.25), (" 1_000 ", 1000.0), ("1 000", 1000.0), ("- 0.5", -0.5),
        ("1\u202f234\u2009567", 1234567.0), ("0.608 259 3", 0.6082593), ("\u22480.5", 0.5), ("1\u20444", 0.25),
        ("1/\u22124", -0.25), ("-1 / -4", 0.25), ("2.6\u00d710\u207b\u00b3", 2.6e-3), ("10^-3", 1e-3),
        ("-10\u00b2", -100.0),
        ("2.6 * 10**(-3)", 2.6e-3),
    ],
)  # fmt: skip
def test_other_spellings(text: str, value: float) -> None:
    assert read_number(text).value == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "-",
        "about 3",
        "0x10",
        "1/0",
        "1//2",
        "1.2.3",
        "nan",
        "inf",
        "12e",
        "½",
        "?",
        "1 1/2",
        "0.4 4",
        "1 00",
        "_1",
        "\u0663",
    ],
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(InputError, match=r"no number|divides by zero"):
        read_number(text)


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1e-400", "0e999", "9" * 400, "0." + "3" * 400, "2 x 10^999"])
def test_what_no_double_holds(text: str) -> None:
    with pytest.raises(InputError, match="beyond what a number"):
        read_number(text)


@pytest.mark.parametrize("text", ["1e" + "9" * 5000, "9" * 5000 + "/7", "1/" + "9" * 5000])
def test_endless_digits_are_refused_not_computed(text: str) -> None:
    with pytest.raises(InputError, match="no number"):
        read_number(text)


@given(text=st.text(max_size=12))
def test_any_text_is_a_finite_number_or_is_refused(text: str) -> None:
    try:
        written = read_number(text)
    except InputError:
        return
    assert math.isfinite(written.value)
    assert math.isfinite(written.unit)


@given(exact=decimals(), digits=st.integers(1, 7))
def test_a_rounded_number_agrees_and_its_neighbour_does_not(exact: Decimal, digits: int) -> None:
    unit = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    rounded = exact.quantize(unit, ROUND_HALF_EVEN)
    computed = Spread.exact(float(exact))
    assert agreement(read_number(str(rounded)), computed) == "exact"
    for neighbour in (rounded + unit, rounded - unit):
        distance = abs(neighbour - exact) / unit
        assume(abs(distance - Decimal("0.5")) > NEAR)
        cut = exact.quantize(unit, ROUND_DOWN)
        if distance > Decimal("0.5") and neighbour != cut and neighbour != 0:
            assert agreement(read_number(str(neighbour)), computed) is None


@given(exact=decimals(), digits=st.integers(1, 7))
def test_a_truncated_number_is_exact_or_truncated(exact: Decimal, digits: int) -> None:
    unit = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    cut = exact.quantize(unit, ROUND_DOWN)
    left = abs(exact - cut) / unit
    assume(abs(left - Decimal("0.5")) > NEAR)
    found = agreement(read_number(str(cut)), Spread.exact(float(exact)))
    assert found == ("exact" if left < Decimal("0.5") else "truncated")


@given(exact=decimals(), off=st.decimals("-3", "3", places=3), doubt=st.decimals("0", "2", places=3))
def test_within_the_spread_is_carried(exact: Decimal, off: Decimal, doubt: Decimal) -> None:
    """Written `off` units beside the point, which may itself be off by `doubt` units."""
    unit = Decimal(1).scaleb(exact.adjusted() - 3)
    text = str(exact.quantize(unit, ROUND_HALF_EVEN))
    written = read_number(text)
    point = Decimal(text) - off * unit
    spread = Spread.around(float(point), float(doubt * unit))
    found = agreement(written, spread)
    half = Decimal("0.5")
    assume(all(abs(abs(off) - edge) > Decimal("1e-6") for edge in (half, half + doubt)))
    if abs(off) < half:
        assert found == "exact"
    elif abs(off) < half + doubt:
        assert found == "carried"
    else:
        assert found in (None, "truncated")


@given(value=st.floats(allow_nan=True, allow_infinity=True))
def test_nothing_agrees_with_what_is_not_finite(value: float) -> None:
    if not math.isfinite(value):
        assert agreement(read_number("1.0"), Spread.exact(value)) is None


@pytest.mark.parametrize(
    ("text", "low", "high", "cut"),
    [
        ("0.72", 0.7299, 0.7299, True), ("0.72", 0.73, 0.73, False), ("-0.72", -0.7299, -0.7299, True),
        ("-0.72", -0.7199, -0.7199, False), ("0.0", 0.09, 0.09, True), ("0.0", -0.09, -0.09, True),
        ("0.72", 0.7399, 0.7401, False), ("0.72", 0.7299, 0.7401, True),
    ],
)  # fmt: skip
def test_cutting_off(text: str, low: float, high: float, cut: bool) -> None:
    assert truncated(read_number(text), low, high) is cut


@pytest.mark.parametrize(("text", "exact"), [("0.43", 0.44), ("-0.43", -0.44), ("0.0459", 0.046), ("2.9", 3.0)])
def test_a_unit_less_is_no_truncation_whatever_float64_is_off(text: str, exact: float) -> None:
    for off in (math.nextafter(exact, 0), exact, math.nextafter(exact, math.inf)):
        assert agreement(read_number(text), Spread.exact(off)) is None


def written(*texts: str) -> list[Written]:
    return [read_number(text) for text in texts]


def test_the_precision_of_a_sheet() -> None:
    assert Precision.of([]) == Precision(3)
    assert Precision.of(written("1/3")) == Precision(3)
    assert Precision.of(written("0.44", "0.608", "0.723", "-0.262")) == Precision(3, 3), (
        "three decimals nearly everywhere"
    )
    assert Precision.of(written("0.44", "1.3", "0.0012")) == Precision(2), "no common number of decimals"
    assert Precision.of(written("3", "5")) == Precision(2), "never fewer than two digits"


@given(value=decimals(), digits=st.integers(2, 8))
def test_an_unwritten_number_is_rounded_to_as_many_digits(value: Decimal, digits: int) -> None:
    unit = Decimal(1).scaleb(value.adjusted() - digits + 1)
    assert math.isclose(Precision(digits).radius(float(value)), float(unit / 2), rel_tol=1e-12)
    assert Precision(digits, 3).radius(float(value)) == max(Precision(digits).radius(float(value)), 0.0005)
    assert Precision(digits).radius(0.0) == Precision(digits).radius(math.inf) == 0

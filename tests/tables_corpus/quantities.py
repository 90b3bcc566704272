"""Numbers, as people write them."""

from __future__ import annotations

from collections.abc import Callable

from .case import Case, Columns, Expected, amounts, base, beside, refused, table

WAY_OUT = ("--numeric", "--categorical", "--drop", "--missing")


def swapped(text: str) -> str:
    """1,234.5 as 1.234,5."""
    return text.translate(str.maketrans(",.", ".,"))


def written(
    name: str, form: Callable[[float], str], *arguments: str, separator: str = ",", digits: int = 2, **expected: object
) -> Case:
    """The amounts in a form, which must come back as numbers."""
    numbers = amounts().round(digits)
    columns = beside(base(), amount=[form(v) for v in numbers])
    if separator != ",":
        columns |= {"size": [cell.replace(".", ",") for cell in columns["size"]]}
    what = Expected(columns={"amount": "numeric", "size": "numeric"}, values={"amount": numbers.tolist()}, **expected)
    return table(name, columns, what, *arguments, separator=separator)


def doubtful(name: str, form: Callable[[float], str], *readings: str, separator: str = ",") -> Case:
    """Cells of which both readings are likely: refused with the way out, or taken for numbers, which is said."""
    columns = beside(base(), amount=[form(v) for v in amounts() % 900 + 1.5])
    expected = Expected(columns={"amount": "numeric"}, noted=("amount",), refused=("amount", WAY_OUT), either=True)
    return table(name, columns, expected, *readings, separator=separator)


def mixed(name: str, *forms: Callable[[float], str], kind: str = "numeric", words: tuple[str, ...] = ()) -> Case:
    """Cells in turn in several forms, which is said, or refused."""
    columns = beside(base(), amount=[forms[i % len(forms)](v) for i, v in enumerate(amounts() % 100)])
    expected = Expected(columns={"amount": kind}, noted=("amount", *words), refused=("amount", *words), either=True)
    return table(name, columns, expected)


def typing_error() -> Columns:
    columns = base()
    columns["size"][16] = "12O.5"
    return columns


def signs(v: float) -> float:
    """Every third amount is below zero."""
    return -v if int(v) % 3 == 0 else v


def signed(name: str, form: Callable[[float], str]) -> Case:
    numbers = [signs(float(v)) for v in amounts()]
    expected = Expected(columns={"amount": "numeric"}, values={"amount": numbers})
    return table(name, beside(base(), amount=[form(v) for v in numbers]), expected)


ZIPS = ("01067", "04109", "10115", "89073", "07743")

QUANTITIES = [
    written("percent", lambda v: f"{v}%", proportional=("amount",)),
    written(
        "percent with a space, decimal comma", lambda v: swapped(f"{v} %"), separator=";", proportional=("amount",)
    ),
    written("thousands with commas", lambda v: f"{v:,.0f}", digits=0),
    written("thousands with commas and decimals", lambda v: f"{v:,.2f}"),
    written("thousands with points, decimal comma", lambda v: swapped(f"{v:,.2f}"), separator=";"),
    written("thousands with points alone", lambda v: swapped(f"{v:,.0f}"), separator=";", digits=0),
    written("thousands with apostrophes", lambda v: f"{v:,.2f}".replace(",", "'")),
    written("thousands with spaces", lambda v: swapped(f"{v:,.2f}").replace(".", " "), separator=";"),
    written("thousands with narrow spaces", lambda v: swapped(f"{v:,.2f}").replace(".", "\u202f"), separator=";"),
    written("thousands with unbreakable spaces", lambda v: swapped(f"{v:,.2f}").replace(".", "\xa0"), separator=";"),
    written("decimal comma, semicolons", lambda v: f"{v:.2f}".replace(".", ","), separator=";"),
    written("decimal comma, tabs", lambda v: f"{v:.2f}".replace(".", ","), separator="\t"),
    written("decimal comma, quoted among commas", lambda v: f"{v:.2f}".replace(".", ",")),
    written("dollars", lambda v: f"${v:,.2f}"),
    written("dollars with a space", lambda v: f"$ {v:,.2f}"),
    written("euros behind", lambda v: swapped(f"{v:,.2f}") + " €", separator=";"),
    written("euros by name", lambda v: f"EUR {v:.2f}"),
    written("pounds", lambda v: f"£{v:,.2f}"),
    written("powers of ten", lambda v: f"{v:.8e}"),
    written("capital E", lambda v: f"{v:.8E}"),
    written("spaces around", lambda v: f"  {v} "),
    written("plus signs", lambda v: f"+{v}"),
    written("no zero before the point", lambda v: f"{v:.2f}".removeprefix("0")),
    signed("dollars below zero", lambda v: f"-${-v:,.2f}" if v < 0 else f"${v:,.2f}"),
    signed("brackets for below zero", lambda v: f"({-v:,.2f})" if v < 0 else f"{v:,.2f}"),
    signed("a real minus sign", lambda v: f"{v}".replace("-", "\u2212")),
    signed("a minus behind", lambda v: f"{-v}-" if v < 0 else f"{v}"),
    doubtful("one comma, three digits", lambda v: f"{v:.3f}".replace(".", ",")),
    doubtful("one point, three digits, decimal commas elsewhere", lambda v: f"{v:.3f}", separator=";"),
    doubtful("units", lambda v: f"{v:.1f} kg"),
    mixed("percent here and there", lambda v: f"{v:.1f}%", lambda v: f"{v / 100:.3f}", words=("%",)),
    mixed("two currencies", lambda v: f"${v:.2f}", lambda v: f"€{v:.2f}", kind="numeric|categorical"),
    mixed("decimal commas and points", lambda v: f"{v:.1f}", lambda v: f"{v:.1f}".replace(".", ",")),
    table("one typing error", typing_error, refused("size", "12O.5", ("row 17", "line 18", "row 18", "17"), WAY_OUT)),
    table(
        "postal codes",
        beside(base(), postcode=[ZIPS[i * 7 % 5] for i in range(60)]),
        Expected(columns={"postcode": "categorical"}, values={"postcode": [ZIPS[i * 7 % 5] for i in range(5)]}),
    ),
    table(
        "versions",
        beside(base(), version=[f"1.{i % 3}.{i % 2}" for i in range(60)]),
        Expected(columns={"version": "categorical"}, values={"version": ["1.0.0", "1.1.1", "1.2.0"]}),
    ),
    table(
        "true and false",
        beside(base(), garden=[("true", "false")[i * i % 3 % 2] for i in range(60)]),
        Expected(columns={"garden": "categorical|numeric"}),
    ),
    table(
        "True and FALSE",
        beside(base(), garden=[("True", "FALSE", "false", "TRUE")[i * i % 7 % 4] for i in range(60)]),
        Expected(columns={"garden": "categorical|numeric"}, noted=(), refused=("garden",), either=True),
    ),
    table(
        "infinities",
        beside(
            base(),
            rate=[
                ("inf", "-inf", "Infinity", "-Infinity")[i // 9 % 4] if i % 9 == 0 else f"{i * 0.37:.2f}"
                for i in range(60)
            ],
        ),
        Expected(columns={"rate": "numeric"}, noted=("rate", ("infinit", "inf"))),
    ),
    table(
        "numbers too large",
        beside(base(), rate=["1e999" if i == 5 else f"{i * 0.37:.2f}" for i in range(60)]),
        Expected(columns={"rate": "numeric"}, noted=("rate",), refused=("rate", "1e999"), either=True),
    ),
    table(
        "whole numbers of eighteen digits",
        beside(base(), code=[str(123456789012345678 + i * 7919 % 977) for i in range(60)]),
        Expected(columns={"code": "dropped|categorical"}, values={"code": ["123456789012345678"]}),
    ),
    table(
        "the target with thousands",
        lambda: base() | {"price": [f"${float(v) * 1000:,.0f}" for v in base()["price"]]},
        Expected(columns={"price": "target"}, task="regression"),
    ),
    table(
        "the target in percent",
        lambda: base() | {"price": [f"{float(v) / 10:.1f}%" for v in base()["price"]]},
        Expected(columns={"price": "target"}, task="regression"),
    ),
    table(
        "an infinity in the target",
        lambda: base() | {"price": ["inf", *base()["price"][1:]]},
        Expected(noted=("price", "inf"), refused=("price", "inf"), either=True),
    ),
]

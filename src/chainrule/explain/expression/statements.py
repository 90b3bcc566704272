"""Reads expressions such as `f = x**2; h = f * sin(x)`: numbers, names, + - * / **, and functions by name.

Python's own parser reads the text; what of it is known here becomes a formula, and nothing is ever run.
"""

from __future__ import annotations

import ast
import math
import warnings
from dataclasses import dataclass

from chainrule.errors import InputError, did_you_mean, listed
from chainrule.explain.expression.functions import FUNCTIONS, NO_FUNCTION_OF_ONE, OF_TWO
from chainrule.explain.formula import Call, Negative, Node, Number, Power, Product, Quotient, Sum, Symbol
from chainrule.explain.formula.tree import Place

LONGEST = 4000  # characters
TOO_DEEP = "the expression is nested too deeply; name its inner parts: f = ...; g = ... f ..."
_INSTEAD = {
    ast.BitXor: "a power is written **, as in x**2",
    ast.FloorDiv: "a quotient is written /",
    ast.Mod: "a remainder has no derivative",
    ast.MatMult: "this is about single numbers; a product is written *",
}


@dataclass(frozen=True)
class Statement:
    """`name = expression`; the last one may do without a name."""

    name: str
    tree: Node
    place: Place


class Text:
    """An expression's text: what Python's tree of it means here, and messages that point into it."""

    def __init__(self, text: str):
        if not isinstance(text, str):
            raise InputError(f'an expression is a text, as in "exp(x**2)"; this is {text!r}')
        self.lines = [line.strip() for line in text.splitlines() if line.strip()]
        self.whole = "\n".join(self.lines)

    def wrong(self, message: str, place: Place) -> InputError:
        """An error with the line it is about, and a mark under the spot."""
        line = self.lines[place.line] if place.line < len(self.lines) else ""
        first = max(0, min(place.begin - 30, len(line) - 70))
        shown = line[first : first + 70]
        width = max(1, min(place.end, first + len(shown)) - place.begin)
        return InputError(f"{message}\n  {shown}\n  {' ' * (place.begin - first)}{'^' * width}")

    def place(self, node: ast.expr | ast.stmt) -> Place:
        """Where a node of Python's tree stands; that counts bytes, people count characters."""
        line = node.lineno - 1
        encoded = self.lines[line].encode()
        begin = len(encoded[: node.col_offset].decode())
        one_line = node.end_lineno == node.lineno and node.end_col_offset is not None
        end = len(encoded[: node.end_col_offset].decode()) if one_line else len(self.lines[line])
        return Place(line, begin, end)

    def statement(self, node: ast.stmt, *, last: bool) -> Statement:
        """A statement of Python's tree."""
        place = self.place(node)
        if isinstance(node, ast.Expr):
            if not last:
                raise self.wrong("this result is used nowhere; give it a name, as in f = ...", place)
            return Statement("", self._tree(node.value), place)
        if not isinstance(node, ast.Assign):
            raise self.wrong("an expression is a formula, or name = formula; several are separated by ;", place)
        if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            raise self.wrong("left of = stands one name", place)
        name = node.targets[0].id
        if name in FUNCTIONS or name in OF_TWO:
            raise self.wrong(f'"{name}" is a function; take another name', self.place(node.targets[0]))
        return Statement(name, self._tree(node.value), place)

    def _tree(self, node: ast.expr) -> Node:
        place = self.place(node)
        match node:
            case ast.Constant(value=bool() | complex() | str() | bytes() | None):
                raise self.wrong("this is no number", place)
            case ast.Constant(value=int() | float() as value):
                return Number(self._number(value, place), place=place)
            case ast.Name(id=name):
                if name in FUNCTIONS or name in OF_TWO:
                    raise self.wrong(f'"{name}" is a function: {name}(x)', place)
                return Symbol(name, place=place)
            case ast.UnaryOp(op=ast.USub(), operand=of):
                return Negative(self._tree(of), place=place)
            case ast.UnaryOp(op=ast.UAdd(), operand=of):
                return self._tree(of)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return Sum((self._tree(left), self._tree(right)), place=place)
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                taken = Negative(self._tree(right), place=self.place(right))
                return Sum((self._tree(left), taken), place=place)
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return Product((self._tree(left), self._tree(right)), place=place)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return Quotient(self._tree(left), self._tree(right), place=place)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return Power(self._tree(left), self._tree(right), place=place)
            case ast.BinOp(op=op):
                raise self.wrong(_INSTEAD.get(type(op), "only + - * / ** are known here"), place)
            case ast.Call():
                return self._call(node, place)
        raise self.wrong("only numbers, names, + - * / **, and functions are known here", place)

    def _call(self, node: ast.Call, place: Place) -> Node:
        called = self.place(node.func)
        if not isinstance(node.func, ast.Name):
            raise self.wrong("a product needs a *, as in 2*(x + 1)", called)
        name = node.func.id
        known = [*FUNCTIONS, *OF_TWO]
        if name not in known:
            why = " It has several outputs, or no derivative." if name in NO_FUNCTION_OF_ONE else ""
            raise self.wrong(
                f'there is no function "{name}" here.{why}{did_you_mean(name, known)} '
                f"There are {listed(known, limit=40)}; a product needs a *",
                called,
            )
        wanted = 2 if name in OF_TWO else 1
        if node.keywords or len(node.args) != wanted or any(isinstance(a, ast.Starred) for a in node.args):
            form = f"{name}(x, y)" if wanted == 2 else f"{name}(x)"
            raise self.wrong(f'"{name}" takes {wanted} argument{"s" * (wanted > 1)}: {form}', place)
        return Call(name, tuple(self._tree(argument) for argument in node.args), place=place)

    def _number(self, value: float, place: Place) -> float:
        try:
            made = float(value)
        except OverflowError:
            made = math.inf
        if math.isinf(made):
            raise self.wrong("this number is too large: the largest is 1.8e308", place)
        return made


def read_expression(text: str) -> tuple[Text, list[Statement]]:
    """The statements of an expression.

    Raises:
        InputError: something in it is not known here; the message points at it.

    >>> [statement.name for statement in read_expression("f = x**2; exp(f)")[1]]
    ['f', '']
    """
    source = Text(text)
    if len(source.whole) > LONGEST:
        raise InputError(f"the expression has {len(source.whole):,} characters; {LONGEST:,} is the most")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of spellings such as 1or 2, which are refused below
            module = ast.parse(source.whole)
        statements = [source.statement(node, last=node is module.body[-1]) for node in module.body]
    except SyntaxError as error:
        raise _unreadable(source, error) from None
    except InputError:
        raise
    except ValueError as error:  # a zero byte, an endless number
        raise InputError(f"the expression can't be read: {error}") from None
    except (RecursionError, MemoryError):
        raise InputError(TOO_DEEP) from None
    if not statements:
        raise InputError('the expression is empty; it may be "exp(x**2)" or "f = x**2; k = exp(f)"')
    return source, statements


def _unreadable(source: Text, error: SyntaxError) -> InputError:
    line = min(max((error.lineno or 1) - 1, 0), max(len(source.lines) - 1, 0))
    begin = min(max((error.offset or 1) - 1, 0), len(source.lines[line]) if source.lines else 0)
    message = error.msg or "invalid syntax"
    if message.startswith(("invalid decimal literal", "invalid imaginary")):
        message = "a product needs a *, as in 2*x"
    elif message.startswith("cannot assign"):
        message = "left of = stands one name"
    elif "keyword" in message or message == "invalid syntax":
        message = "this can't be read: something is missing or too many here"
    return source.wrong(message, Place(line, begin, begin + 1))

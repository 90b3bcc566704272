"""Formulas as trees: read from the texts of activations, losses and optimizers; evaluated; rendered in any notation."""

from chainrule.explain.formula.grammar import Formula, read_formula
from chainrule.explain.formula.tree import (
    Absolute,
    Call,
    Compare,
    Conditional,
    Iverson,
    NamedNumber,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    SumOver,
    Symbol,
    evaluate,
    expand_sums,
    replace_symbols,
    symbols_of,
)

__all__ = [
    "Absolute", "Call", "Compare", "Conditional", "Formula", "Iverson", "NamedNumber", "Negative", "Node", "Number",
    "Power", "Product", "Quotient", "Sum", "SumOver", "Symbol", "evaluate", "expand_sums", "read_formula",
    "replace_symbols", "symbols_of",
]  # fmt: skip

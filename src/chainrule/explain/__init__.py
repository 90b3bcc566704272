"""It shows its work: every number of a forward and a backward pass, where it comes from, and whether yours is right.

From the ground up: `formula/` is formulas as trees; `quantities/` names, recipes, rounding and paths of whatever is
calculated; `network/` says what each quantity of a traced network is computed from, out of the same layers and
formulas that train, and `expression/` says it of a small formula; `document/` chooses what to show and `render/` writes
it down; `marking/` checks work done by hand; `derivation.py` and `derivation_of_expression.py` are what people
ask; `worksheets/` reads a network, a sample and somebody's work from one file; `practice/` sets new exercises.
"""

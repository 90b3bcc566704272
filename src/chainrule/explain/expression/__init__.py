"""Small formulas explained as networks are: `read` makes a tree of a text, `nodes` cuts it into steps of one operation,
`local` differentiates each step, `graph` joins them by the chain rule, `derivation` is what people ask.
"""

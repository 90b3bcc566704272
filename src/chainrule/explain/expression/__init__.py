"""Small formulas explained as networks are: `statements` makes formulas of a text, `cut` makes steps of one operation,
`local` differentiates each step, `chain` joins them by the chain rule, `closed` writes a derivative out.
"""

"""It shows its work: every number of a forward and a backward pass, where it comes from, and whether yours is right.

`trace` runs the reference engine and keeps everything; `graph` says what each quantity is computed from, out of the
same layers and formulas that train, and `expression` says it of a small formula; `derivation` is what people ask;
`paths` counts and multiplies; `document` chooses what to show and `render` writes it down; `worksheet` and `marking`
check what was worked out by hand; `practice` sets new exercises.
"""

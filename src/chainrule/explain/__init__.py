"""It shows its work: every number of a forward and a backward pass, where it comes from, and whether yours is right.

`trace` runs the reference engine and keeps everything; `graph` says what each quantity is computed from, out of the
same layers and formulas that train; `derivation` is what people ask; `paths` counts and multiplies; `render` writes it
down; `worksheet` and `marking` check what was worked out by hand; `practice` sets new exercises.
"""

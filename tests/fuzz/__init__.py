"""An attack that stays: random cases against what the documentation promises, run by `make fuzz`.

A subject is a module with `generate(rng)`, which makes a case that JSON can hold, and `check(case)`, which raises
where a promise is broken. Subjects know the documentation and the public names, not the code.
"""

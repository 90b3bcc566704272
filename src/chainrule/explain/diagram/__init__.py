"""A network as a picture in plain data: what stands where, and which numbers of a derivation belong to it.

`drawn` is what there is to draw, `grouping` which layers stand together, `placing` where; `binding` puts the
numbers to it. `explain/render/svg.py` and `chainrule.plots` draw it.
"""

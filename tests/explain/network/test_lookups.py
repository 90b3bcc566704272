"""Embedding, EmbeddingSum and PiecewiseLinear in derivations and marking: of a table only the rows in use."""

from __future__ import annotations

import numpy as np
import pytest
from explain.generated_sheets import Writer

from chainrule import (
    SGD,
    Add,
    Derivation,
    Embedding,
    EmbeddingSum,
    Input,
    InputError,
    Model,
    Network,
    PiecewiseLinear,
)


def looked_up() -> Derivation:
    x, hour = Input(1, name="x"), Input(2, dtype="integer", name="hour")
    pieces = PiecewiseLinear(((0, 1, 3),), 2, name="f")(x)
    rows, pairs = EmbeddingSum((3, 2), 2, name="s")(hour), Embedding((3, 2), 1, name="e")(hour)
    network = Network(inputs=[x, hour], outputs=Add(name="o")(pieces, rows, pairs))
    model = Model(network, "half_squared_error", SGD(0.1), dtype="float64")
    model.set_parameters(
        {
            "f": {"W": [[1.0, 2.0], [10.0, 20.0]]},
            "s": {"W": [[1.0, 1.5], [2.0, 2.5], [3.0, 3.5], [4.0, 4.5], [5.0, 5.5]]},
            "e": {"W": [[0.1], [0.2], [0.3], [0.4], [0.5]]},
        }
    )
    return model.explain({"x": [[2.0]], "hour": [[2, 1]]}, [[0.0, 0.0]])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("z[s,2]", "z[s,2] = W[s,3,2] + W[s,5,2] = 3.5 + 5.5 = 9"),
        ("h[e,2]", "h[e,2] = W[e,5,1] = 0.5"),
        ("z[f,1]", "z[f,1] = W[f,1,1] + 0.5*W[f,2,1]*x[x,1] - 0.5*W[f,2,1] = 1 + 0.5*10*2 - 0.5*10 = 6"),
        ("dL/dW[s,3,2]", "dL/dW[s,3,2] = dL/dz[s,2] = 21.5"),
        ("dL/dW[s,2,2]", "dL/dW[s,2,2] = 0"),
        ("dL/dW[e,5,1]", "dL/dW[e,5,1] = dL/dh[e,2] = 21.5"),
        ("dz/dW[f,2,1]", "dz/dW[f,2,1] = 0.5*x[x,1] - 0.5 = 0.5*2 - 0.5 = 0.5"),
        ("z[f,2]", "z[f,2] = W[f,1,2] + 0.5*W[f,2,2]*x[x,1] - 0.5*W[f,2,2] = 2 + 0.5*20*2 - 0.5*20 = 12"),
        ("W+[s,2,2]", "W+[s,2,2] = W[s,2,2] - 0.1*dL/dW[s,2,2] = 2.5 - 0.1*0 = 2.5"),
    ],
)  # fmt: skip
def test_what_a_unit_is_made_of(name: str, shown: str) -> None:
    assert str(looked_up()[name]) == shown


def test_the_rows_of_other_codes_have_no_part_in_it() -> None:
    work = looked_up()
    with pytest.raises(InputError, match="W acts on no unit"):
        work["dz/dW[s,2,1]"]
    assert work["W[s,2,1]"].uses == 1  # its update alone
    assert work["z[s,1]"].inputs == (work["W[s,3,1]"].name, work["W[s,5,1]"].name)
    with pytest.raises(InputError, match="holds integer codes; there is no gradient by them"):
        work["dL/dx[hour,1]"]


def test_a_row_reaches_the_unit_of_its_column() -> None:
    """The first number of row 5 is the second unit: the derivative says so."""
    work = looked_up()
    assert work["dh/dW[e,2,5,1]"].value == 1
    with pytest.raises(InputError, match='W acts on unit 2 of "e" here'):
        work["dh/dW[e,5,1]"]


def test_outside_of_the_knots_z_is_constant() -> None:
    network = Network([Input(1), PiecewiseLinear(((0, 1, 3),), 1, name="f")])
    model = Model(network, "half_squared_error", dtype="float64")
    model.set_parameters({"f": {"W": [[1.0], [10.0]]}})
    for x, value, slope in ((-1, 0, 0), (0, 0, 1), (1, 1, 5), (3, 11, 0), (4, 11, 0)):
        work = model.explain([[x]], [[1.0]])
        assert (work["z[f,1]"].value, work["dL/dx[1]"].value) == (value, slope * (value - 1))


def test_what_is_written_down_is_marked_right() -> None:
    work = looked_up()
    entries = Writer(np.random.default_rng(0), work, digits=4, carries=True).write()
    assert work.mark(entries).counts["correct"] == len(entries)
    assert work.mark({"z[s,1]": "7"}).counts["correct"] == 0

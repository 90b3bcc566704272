"""OneHot, and codes on their way to it: integers from the data to the layer, exact to 2^31, without a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import Concatenate, Dense, Input, InputError, Model, Network, NetworkError, OneHot
from chainrule.layers import Context


def model_of(first: int, size: int, engine: str, dtype: str = "float32") -> Model:
    """The number of the code, counted from `first`, as its prediction."""
    network = Network([Input(1, dtype="integer", name="code"), OneHot(size, first), Dense(1, bias=False, name="d")])
    model = Model(network, "squared_error", dtype=dtype, engine=engine)
    model.set_parameters({"d": {"W": np.arange(size, dtype=float)[:, None]}})
    return model


def test_forward() -> None:
    y, _, _ = OneHot(3, first=5).forward({}, {}, (np.array([[5, 7], [6, 5]], dtype="i4"),), Context(dtype="float32"))
    assert y.dtype == np.float32
    assert y.tolist() == [[1, 0, 0, 0, 0, 1], [0, 1, 0, 1, 0, 0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("first", [0, 2**24, 2**31 - 4, -(2**31)])
def test_codes_are_exact_whatever_their_size(first: int, dtype: str, engine: str) -> None:
    """In float32 2^24 and 2^24 + 1 are one number, and of 2^31 - 1 there is no such thing."""
    model = model_of(first, 4, engine, dtype)
    codes = np.array([[first + 3], [first], [first + 1], [first + 2]])
    assert model.predict(codes).ravel().tolist() == [3, 0, 1, 2]
    assert model.predict({"code": codes.astype("i4")}).ravel().tolist() == [3, 0, 1, 2]
    assert model.predict(np.repeat(codes, 500, axis=0)).ravel().tolist() == np.repeat([3, 0, 1, 2], 500).tolist()


def test_training_looks_rows_up(engine: str) -> None:
    """Each weight goes to the mean of the targets of its code; codes and numbers side by side."""
    x, code = Input(2, name="x"), Input(1, dtype="integer", name="code")
    network = Network(inputs=[x, code], outputs=Dense(1, name="d")(Concatenate()(OneHot(3, first=2**24)(code), x)))
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, (300, 1))
    X = {"x": np.zeros((300, 2)), "code": codes + 2**24}
    y = np.array([1.0, -2.0, 5.0])[codes]
    model = Model(network, "squared_error", "lbfgs", dtype="float64", engine=engine)
    model.fit(X, y, epochs=100, progress=False)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-4)
    again = model.training.step
    model.fit(X, y, epochs=1, validation=0.2, progress=False)
    assert model.training.step > again


def test_batches_in_any_order(engine: str) -> None:
    """Rows are gathered by number: the same steps as over codes that were put into that order by hand."""
    network = Network([Input(2, dtype="integer"), OneHot(5), Dense(3, activation="tanh"), Dense(1)])
    rng = np.random.default_rng(1)
    codes, y = rng.integers(0, 5, (50, 2)), rng.normal(size=(50, 1))
    order = rng.permutation(50)
    ends = []
    for X, target, shuffle in ((codes, y, lambda epoch: order), (codes[order], y[order], False)):
        model = Model(network, "squared_error", dtype="float64", engine=engine)
        model.fit(X, target, epochs=2, batch_size=7, shuffle=shuffle, progress=False)
        ends.append(model.training.parameters)
    np.testing.assert_array_equal(*ends)


@pytest.mark.parametrize(
    "codes",
    [[[0], [2]], np.array([[0], [2]], dtype=np.uint8), np.array([[0.0], [2.0]]), np.array([0, 2]),
     np.array([[0.0], [2.0]], dtype=np.float16), np.asfortranarray(np.array([[0], [2]]))],
    ids=["list", "uint8", "float64", "vector", "float16", "fortran"],
)  # fmt: skip
def test_forms_of_codes(codes: Any, engine: str) -> None:
    assert model_of(0, 3, engine).predict(codes).ravel().tolist() == [0, 2]


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([[0], [0.5]], r'X holds numbers that are no whole ones for input "code": 0.5 in row 1 \(rows count from 0\)'),
        ([[0], [np.nan]], "no whole ones .*: nan in row 1"),
        ([[np.inf], [0]], "inf in row 0"),
        (
            [[3], [0], [-1]],
            r'codes for input "code" that its layer doesn\'t know: they must lie from 0 to 2: 3 in rows 0, 2',
        ),
        ([[2**31]], r"codes beyond -2147483648 to 2147483647 .*: 2147483648 in row 0"),
        ([[-(2**31) - 1]], "codes beyond"),
        (np.array([[2**24]], dtype="f4"), r"codes beyond -16777215 to 16777215 .*float32 holds whole numbers exactly"),
        ([["a"]], 'X must be rows of integer codes for input "code", not <U1 values'),
        ([[True]], "not bool values"),
        (3, "not a single value"),
        ([[1, 2]], r'X has shape \(1, 2\) for input "code"'),
    ],
)
def test_what_are_no_codes(codes: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        model_of(0, 3, "reference").predict(codes)


def test_numbers_and_codes_arent_mixed_up() -> None:
    with pytest.raises(
        NetworkError, match=r'Dense "d" can\'t read the integer codes of "x": put OneHot\(size\) between'
    ):
        Network([Input(2, dtype="integer", name="x"), Dense(1, name="d")])
    with pytest.raises(
        NetworkError, match=r'OneHot "o" can\'t read the numbers of "x": it takes the codes of an Input'
    ):
        Network([Input(2, name="x"), OneHot(3, name="o")])
    with pytest.raises(NetworkError, match=r'OneHot "o" reads rows of shape \(2, 2\)'):
        Network([Input((2, 2), dtype="integer"), OneHot(3, name="o")])
    with pytest.raises(NetworkError, match=r'Input: dtype is "?.*it must be "float" or "integer"'):
        Input(2, dtype="int64")


def test_two_readers_take_the_codes_that_both_know(engine: str) -> None:
    code = Input(1, dtype="integer", name="code")
    both = Concatenate()(OneHot(3)(code), OneHot(3, first=1)(code))
    model = Model(Network(inputs=code, outputs=Dense(1)(both)), "squared_error", engine=engine)
    model.predict([[1], [2]])
    with pytest.raises(InputError, match="they must lie from 1 to 2: 0 in row 0"):
        model.predict([[0]])


def test_there_is_no_gradient_by_a_code() -> None:
    (nothing,), gradients = OneHot(2).backward({}, {}, np.ones((1, 2)))
    assert nothing is None
    assert gradients == {}


@pytest.mark.parametrize(
    "options", [{"size": 0}, {"size": 2.5}, {"size": 2, "first": 0.5}, {"size": 2, "first": 2**31}]
)
def test_fields_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"OneHot: (size|first) is .*; it must be a whole number"):
        OneHot(**options)

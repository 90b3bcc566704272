"""What is handed in: shapes, names, numbers; each mistake with what would be right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import Concatenate, Dense, Flatten, Input, InputError, Model, Network
from chainrule.data import prepare_inputs, prepare_rows

F32, F64 = np.dtype("float32"), np.dtype("float64")


def two_of_each() -> Model:
    a, image = Input(2, name="a"), Input((2, 2), name="image")
    h = Concatenate()(a, Flatten()(image))
    network = Network(inputs=[a, image], outputs={"age": Dense(1, name="age")(h), "size": Dense(2, name="size")(h)})
    return Model(network, {"age": "squared_error", "size": "squared_error"}, dtype="float64")


def one() -> Model:
    return Model(Network.mlp(2, [], 1), "squared_error", dtype="float64")


GOOD_X = {"a": np.zeros((3, 2)), "image": np.zeros((3, 2, 2))}
GOOD_Y = {"age": np.zeros(3), "size": np.zeros((3, 2))}


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize(
    "X",
    [
        [[1, 2], [3, 4]],
        np.array([[1, 2], [3, 4]], dtype=np.int8),
        np.array([[1, 2], [3, 4]], dtype=np.float32),
        np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]),
        np.array([[1.0, 9, 2], [3, 9, 4]])[:, ::2],
        np.array([[1, 2], [3, 4]], dtype=object),
        np.array([["1", "2"], ["3", "4"]]),
    ],
    ids=["list", "int8", "float32", "fortran", "strided", "object", "text that is numbers"],
)
def test_forms_of_one_input(X: Any, dtype: np.dtype) -> None:
    (array,) = prepare_inputs(one().network, X, dtype)
    assert array.dtype == dtype
    assert array.flags.c_contiguous
    assert array.tolist() == [[1, 2], [3, 4]]


def test_a_vector_is_enough_for_one_number_a_row() -> None:
    model = Model(Network.mlp(1, [], 1), "squared_error")
    assert model.predict([1.0, 2.0, 3.0]).shape == (3, 1)


def test_inputs_by_name() -> None:
    network = two_of_each().network
    first, second = prepare_inputs(network, {"image": GOOD_X["image"], "a": GOOD_X["a"]}, F64)
    assert (first.shape, second.shape) == ((3, 2), (3, 2, 2))
    assert [a.shape for a in prepare_inputs(one().network, {"x": np.zeros((4, 2))}, F64)] == [(4, 2)]


def test_booleans_are_numbers() -> None:
    assert one().predict([[True, False]]).shape == (1, 1)


def test_what_is_given_is_left_alone() -> None:
    model, X, y, w = one(), np.ones((6, 2)), np.ones(6), np.ones(6)
    model.fit(X, y, sample_weight=w, epochs=2, batch_size=2)
    assert (X == 1).all()
    assert (y == 1).all()
    assert (w == 1).all()


# model, X, message
BAD_X = [
    (one, np.zeros((3, 4)), r'X has shape \(3, 4\) for input "x"; \(rows, 2\) would be right'),
    (one, [1.0, 2.0], r"X has shape \(2,\).*\(one row is still a table: x\[None, :\]\)"),
    (one, 3.0, 'X is a single number for input "x"; rows are wanted'),
    (one, [["a", "b"]], 'X must be numbers for input "x": could not convert string'),
    (one, [[1, 2], [3]], 'X must be numbers for input "x"'),
    (one, [[1, np.nan], [1, 2], [np.inf, 0]], r'X holds NaN or infinite numbers for input "x" in rows 0, 2'),
    (one, [[1, None]], r"NaN or infinite numbers|must be numbers"),
    (one, {"y": np.zeros((3, 2))}, 'X lacks the input "x"; the network has x'),
    (one, {"x": np.zeros((3, 2)), "z": 0}, 'X has "z", which is no input of the network; it has x'),
    (two_of_each, np.zeros((3, 2)), r"the network has the inputs a, image: hand in X as a mapping, \{'a': ...\}"),
    (two_of_each, {"a": GOOD_X["a"], "imag": 0}, 'X lacks the input "image".* Did you mean "imag"'),
    (two_of_each, {**GOOD_X, "a": np.zeros((2, 2))}, "the inputs have different numbers of rows: 2, 3"),
    (two_of_each, {**GOOD_X, "image": np.zeros((3, 4))}, r'for input "image"; \(rows, 2, 2\) would be right'),
]


@pytest.mark.parametrize(("make", "X", "message"), BAD_X, ids=[case[2][:40] for case in BAD_X])
def test_inputs_that_cant_be_used(make: Any, X: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make().predict(X)


@pytest.mark.parametrize(
    ("y", "weights", "message"),
    [
        ({**GOOD_Y, "age": np.zeros(2)}, None, 'X has 3 rows, but the targets of head "age" have 2'),
        ({**GOOD_Y, "age": []}, None, 'X has 3 rows, but the targets of head "age" have 0'),
        ({"age": GOOD_Y["age"]}, None, 'y lacks the head "size"; the network has age, size'),
        ({**GOOD_Y, "x": 0}, None, 'y has "x", which is no head of the network'),
        (np.zeros(3), None, "the network has the heads age, size: hand in y as a mapping"),
        (GOOD_Y, [1, 2], r"sample_weight has shape \(2,\); \(3,\) would be right"),
        (GOOD_Y, [1, -1, 1], "sample_weight holds negative, NaN or infinite numbers"),
        (GOOD_Y, [1, np.nan, 1], "sample_weight holds negative, NaN or infinite numbers"),
        (GOOD_Y, [0, 0, 0], "sample_weight is 0 for every row: there is nothing to learn from"),
        (GOOD_Y, {"ages": [1, 1, 1]}, 'sample_weight: there is no head "ages"; there are age, size'),
        (GOOD_Y, {"age": [0, 0, 0]}, "sample_weight is 0 for every row"),
        (GOOD_Y, ["a", "b", "c"], "sample_weight"),
        (GOOD_Y, [[1, 2], [3]], "sample_weight"),
    ],
)
def test_targets_and_weights_that_cant_be_used(y: Any, weights: Any, message: str) -> None:
    model = two_of_each()
    with pytest.raises(InputError, match=message):
        prepare_rows(model.network, model.objective, GOOD_X, y, weights, F64)


def test_numbers_too_large_for_float32_are_infinite_there() -> None:
    """Said by our error, not by a warning of NumPy's about a cast."""
    model = Model(Network.mlp(1, [], 1), "squared_error", dtype="float32")
    with pytest.raises(InputError, match="NaN or infinite"):
        model.predict([[1e300]])
    with pytest.raises(InputError, match="NaN or infinite"):
        model.fit([[1.0]], [1e300])


def test_no_rows_at_all() -> None:
    model = one()
    for attempt in (model.fit, model.evaluate, model.loss_and_gradients):
        with pytest.raises(InputError, match="X has no rows; at least one is needed"):
            attempt(np.zeros((0, 2)), np.zeros(0))
    assert model.predict(np.zeros((0, 2))).shape == (0, 1)


MASKED = np.ma.masked_array(np.ones((3, 2)), np.eye(3, 2, dtype=bool))


class TestWhatWouldLoseAPart:
    """Masks and imaginary parts: NumPy drops them without a word."""

    @pytest.mark.parametrize(
        ("X", "y", "weights", "message"),
        [
            (MASKED, np.ones(3), None, 'X must be numbers for input "x": a masked array; fill its gaps'),
            (list(MASKED), np.ones(3), None, "a masked array"),
            (np.ones((3, 2)), MASKED[:, 0], None, 'targets of head "output" must be numbers: a masked array'),
            (np.ones((3, 2)), np.ones(3), MASKED[:, 0], "sample_weight must be numbers: a masked array"),
            (np.full((3, 2), 1j), np.ones(3), None, 'X must be numbers for input "x": complex numbers; hand in'),
            ([[1j, 2]] * 3, np.ones(3), None, "complex numbers"),
            (np.full((3, 2), 1j).tolist(), np.ones(3), None, "complex numbers"),
            (np.ones((3, 2)), np.full(3, 1 + 1j), None, 'targets of head "output" must be numbers: complex numbers'),
            (np.ones((3, 2)), np.ones(3), np.full(3, 1 + 0j), "sample_weight must be numbers: complex numbers"),
        ],
    )  # fmt: skip
    def test_is_refused(self, X: Any, y: Any, weights: Any, message: str) -> None:
        model = Model(Network.mlp(2, [], 1), "squared_error")
        for call in (model.evaluate, model.loss_and_gradients, model.explain):
            with pytest.raises(InputError, match=message):
                call(X, y, weights)
        with pytest.raises(InputError, match=message):
            model.fit(X, y, sample_weight=weights, progress=False)

    @pytest.mark.parametrize("labels", [np.ma.masked_array([0, 1, 1], [0, 1, 0]), np.array([0, 1j, 1])])
    def test_labels_too(self, labels: Any) -> None:
        model = Model(Network.mlp(2, [], 2, output="softmax"), "cross_entropy")
        with pytest.raises(InputError, match=r'targets of head "output" must be numbers: (a masked|complex)'):
            model.fit(np.ones((3, 2)), labels, progress=False)

    def test_parameters_too(self) -> None:
        model = Model(Network.mlp(2, [], 1), "squared_error")
        with pytest.raises(InputError, match="output/W must be numbers: complex numbers"):
            model.set_parameters({"output": {"W": [[1j], [2.0]]}})

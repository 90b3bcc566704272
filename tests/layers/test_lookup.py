"""What both embeddings have in common: sizes of columns, codes that are refused, rows that nobody reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import problems
import pytest

from chainrule import (
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Callback,
    Dense,
    Embedding,
    EmbeddingSum,
    FlatCosine,
    Flatten,
    Input,
    InputError,
    Model,
    Network,
    NetworkError,
    OneHot,
    RMSProp,
)
from chainrule.layers import Context, Layer
from chainrule.optimizers import Optimizer
from chainrule.training.run import Run

SIZES = (5, 400, 3)
BOTH = pytest.mark.parametrize("kind", [Embedding, EmbeddingSum], ids=lambda kind: kind.__name__)


def codes_and_targets(rows: int = 96, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, size, rows) for size in SIZES], axis=1), rng.normal(size=(rows, 1))


def network_of(kind: Any, units: int, **options: Any) -> Network:
    return Network([Input(3, dtype="integer", name="c"), kind(SIZES, units, name="e", **options), Dense(1, name="d")])


@BOTH
@pytest.mark.parametrize("sizes", [0, -1, 2.5, "3", (), (2, 0), (2, 1.5), True, None], ids=[str(i) for i in range(9)])
def test_sizes_are_checked(kind: Any, sizes: Any) -> None:
    with pytest.raises(InputError, match=rf"{kind.__name__}: sizes is .*; it must be a whole number of at least 1"):
        kind(sizes, 2)


@BOTH
def test_sizes_of_numpy_and_of_files_are_the_same(kind: Any) -> None:
    assert kind(np.array([3, 2]).tolist(), 2) == kind(tuple(np.array([3, 2])), 2) == kind((3, 2), 2)
    assert kind(np.int64(3), 2) == kind(3, 2)


@BOTH
def test_there_is_a_size_for_each_column(kind: Any) -> None:
    with pytest.raises(NetworkError, match=rf'{kind.__name__} "e" has sizes for 2 columns and reads 3'):
        Network([Input(3, dtype="integer"), kind((3, 2), 2, name="e"), Dense(1)])
    with pytest.raises(NetworkError, match=r"reads rows of shape \(2, 2\)"):
        Network([Input((2, 2), dtype="integer"), kind(3, 2)])


@BOTH
def test_a_code_beyond_its_column_is_refused_by_row_and_column(kind: Any, engine: str) -> None:
    model = Model(network_of(kind, 2), "squared_error", engine=engine)
    message = (
        r'codes for input "c" that its layer doesn\'t know: in column 2 \(counted from 0\) they must lie from 0 to 2: '
        r"7 in rows 1, 2 \(rows count from 0\)"
    )
    with pytest.raises(InputError, match=message):
        model.predict([[4, 399, 2], [0, 0, 7], [0, 0, 3]])
    with pytest.raises(InputError, match=r"in column 1 .* from 0 to 399: -1 in row 0"):
        model.predict([[4, -1, 2]])
    assert model.predict(np.zeros((0, 3), dtype=int)).shape == (0, 1)


def test_readers_of_one_input_share_what_they_all_know(engine: str) -> None:
    code = Input(2, dtype="integer", name="c")
    both = Dense(1)(Embedding((5, 3), 2)(code)), Dense(1)(OneHot(4, first=1)(code))
    network = Network(inputs=code, outputs={"a": both[0], "b": both[1]})
    assert network.program.inputs[0].codes == (range(1, 5), range(1, 3))
    with pytest.raises(InputError, match=r"in column 1 .* from 1 to 2: 3 in row 0"):
        Model(network, {"a": "squared_error", "b": "squared_error"}, engine=engine).predict([[4, 3]])


def test_a_layer_of_ones_own_may_read_codes_of_any_shape() -> None:
    class Total(Layer):
        reads = "integer"

        def codes(self, shapes: Any) -> range:
            return range(10)

        def forward(self, parameters: Any, state: Any, inputs: Any, context: Context) -> Any:
            return inputs[0].sum(axis=2).astype(context.dtype), {}, state

        def backward(self, parameters: Any, memo: Any, d_output: Any, wanted: bool = True) -> Any:
            return (None,), {}

        def output_shape(self, shapes: Any) -> tuple[int, ...]:
            return (shapes[0][0],)

    network = Network([Input((2, 3), dtype="integer"), Total(name="t"), Flatten(), Dense(1)])
    model = Model(network, "squared_error")
    assert model.predict(np.ones((4, 2, 3), dtype=int)).shape == (4, 1)
    with pytest.raises(InputError, match=r"in column 4 .* from 0 to 9: 10 in row 1"):
        model.predict(np.array([[[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4, 10, 6]]]))


OPTIMIZERS = (
    Adam(0.05), Adam(0.05, convention="sklearn"), AdamW(0.05, weight_decay=0.2), Adam(0.05, weight_decay=0.2),
    Adam(0.05, amsgrad=True), SGD(0.02), SGD(0.02, weight_decay=0.1), SGD(0.01, momentum=0.9),
    AdaGrad(0.1, rate_decay=0.1), RMSProp(0.05), SGD(0.02, weight_decay=FlatCosine(0.1)),
    AdamW(0.05, weight_decay=FlatCosine(0.2)),
)  # fmt: skip


@BOTH
@pytest.mark.parametrize("options", [{}, {"l2": 0.01}, {"rate_factor": 0.5, "decay_factor": 0.0}], ids=str)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda one: f"{type(one).__name__}{OPTIMIZERS.index(one)}")
def test_rows_that_a_batch_doesnt_read_learn_as_in_a_dense_layer(
    kind: Any, optimizer: Optimizer, options: dict[str, Any], engine: str
) -> None:
    """Their means fall, their weights go on and decay: moments too are those of a product with one-hot columns."""
    X, y = codes_and_targets()
    models = [
        Model(network_of(kind, 2, **options), "squared_error", optimizer, dtype="float64", engine=one, seed=5)
        for one in ("reference", engine)
    ]
    for model in models:
        model.fit(X, y, epochs=4, batch_size=8, clip_norm=1.0, progress=False)
    np.testing.assert_allclose(models[0].training.parameters, models[1].training.parameters, atol=1e-12)
    np.testing.assert_allclose(models[0].training.slots, models[1].training.slots, atol=1e-11)


class OneStepAtATime(Callback):
    """Cuts an epoch into jobs of one step, after which nothing may be owed to a row."""

    watches_steps = True

    def on_step(self, run: Run) -> bool:
        return False


@BOTH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_steps_made_up_for_later_are_the_same_to_the_bit(
    kind: Any, dtype: str, clip_norm: float | None, engine: str
) -> None:
    X, y = codes_and_targets()
    for optimizer in OPTIMIZERS:
        ends = []
        for callbacks in ((), (OneStepAtATime(),)):
            model = Model(network_of(kind, 21), "squared_error", optimizer, dtype=dtype, engine=engine, seed=1)
            model.fit(X, y, epochs=3, batch_size=4, clip_norm=clip_norm, callbacks=callbacks, progress=False)
            ends.append(problems.flat(model.parameters) | {"slots": model.training.slots})
        problems.assert_same(*ends)


@BOTH
def test_large_batches_in_parts(kind: Any, engine: str) -> None:
    """Thousands of rows go through the core part by part, and their gradients are added up."""
    X, y = codes_and_targets(9000)
    ends = []
    for one in ("reference", engine):
        model = Model(network_of(kind, 64), "squared_error", Adam(0.01), dtype="float64", engine=one, seed=1)
        model.fit(X, y, epochs=2, batch_size=8000, progress=False)
        ends.append(problems.flat(model.parameters))
    problems.assert_same(*ends, tolerance=1e-12)

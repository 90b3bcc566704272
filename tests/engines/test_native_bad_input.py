"""Whatever is handed in: a right answer or a Python exception, never a crash."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from registered import needs_native

from chainrule import SGD, Dense, Dropout, EngineError, Input, InputError, Model, Network, Objective
from chainrule.engines.contract import Rows
from chainrule.engines.native import NativeEngine
from chainrule.training.state import TrainingState

pytestmark = needs_native
NETWORK = Network.mlp(3, [4], 2, output="softmax")


@pytest.fixture
def model() -> Model:
    return Model(NETWORK, "cross_entropy", engine="native")


def rows(n: int = 20, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 3)).astype(dtype)


def layouts(X: np.ndarray) -> dict[str, np.ndarray]:
    """The same numbers in other types and places."""
    fixed = X.copy()
    fixed.setflags(write=False)
    unaligned = np.frombuffer(b"\0" + X.tobytes(), dtype=np.uint8)[1:].view(X.dtype).reshape(X.shape)
    return {
        "read-only": fixed, "wrong-endian": X.astype(X.dtype.newbyteorder()), "columns first": np.asfortranarray(X),
        "every second row": np.repeat(X, 2, axis=0)[::2], "backwards": X[::-1].copy()[::-1], "unaligned": unaligned,
        "a list": X.tolist(), "float64": X.astype(float), "columns of more": np.hstack([X, X])[:, :3],
    }  # fmt: skip


def test_numbers_in_any_layout_give_the_same_model() -> None:
    X, y = rows(), np.arange(20) % 2
    wanted = None
    for name, same in layouts(X).items():
        for labels in (y, y.astype(">i2"), np.repeat(y, 3)[::3], y.astype(float), y.tolist()):
            model = Model(NETWORK, "cross_entropy", engine="native")
            model.fit(same, labels, epochs=2, batch_size=6, progress=False)
            got = model.training.parameters
            wanted = got if wanted is None else wanted
            np.testing.assert_array_equal(got, wanted, err_msg=name)
            np.testing.assert_array_equal(model.predict(same), model.predict(X), err_msg=name)


def test_what_is_refused(model: Model) -> None:
    X, y = rows(), np.arange(20) % 2
    with pytest.raises(InputError, match="X has no rows"):
        model.fit(X[:0], y[:0])
    with pytest.raises(InputError, match="row 3 has 2"):
        model.fit(X, np.where(np.arange(20) == 3, 2, y))
    with pytest.raises(InputError, match="row 4 has -1"):
        model.fit(X, np.where(np.arange(20) == 4, -1, y))
    with pytest.raises(InputError, match="batch_size is 21 but there are 20 training rows"):
        model.fit(X, y, batch_size=21)
    with pytest.raises(InputError, match="X has 20 rows, but the targets"):
        model.fit(X, y[:19])
    for order in ([0, 20], [-1], [], [0.5], [[0], [1]]):
        with pytest.raises(InputError, match="row order"):
            model.fit(X, y, shuffle=lambda epoch, order=order: order)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e39])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_that_are_not_finite(model: Model, bad: float, dtype: str) -> None:
    """Wherever they stand, in one row or in many, alone or beside numbers whose squares overflow."""
    for n in (1, 20, 5000):
        for place in {0, n // 2, n - 1}:
            with np.errstate(over="ignore"):
                X = rows(n, dtype)
                X[place, place % 3] = bad
            with pytest.raises(InputError, match=f"in row {place} "):
                model.predict(X)
    large = np.full((4, 3), 1e30, dtype=dtype)
    assert model.predict(large).shape == (4, 2)


@pytest.mark.parametrize("units", [2**24 + 1, 2**40, 2**62, 2**63, 10**30])
def test_a_network_that_is_too_large(units: int) -> None:
    network = Network([Input(2), Dense(units), Dense(1)])
    with pytest.raises(EngineError, match=r"can't be used: .* numbers in a row"):
        Model(network, "squared_error", engine="native")
    if units > 2**35:
        with pytest.raises(InputError, match="parameters don't fit into memory"):
            Model(network, "squared_error")


def test_sizes_whose_product_overflows() -> None:
    """Each width is possible; their product is beyond 64 bits or any memory."""
    wide = 2**24
    network = Network([Input(wide), *[Dense(wide) for _ in range(5)]])
    for engine in ("auto", "native", "reference"):
        with pytest.raises((InputError, EngineError)):
            Model(network, "squared_error", engine=engine)


# What follows talks to the core directly, as nobody should.


def program(**changes: Any) -> Any:
    from chainrule import _native

    form: dict[str, Any] = {
        "widths": [3, 4, 4, 2], "inputs": [0], "outputs": [3],
        "steps": [
            {"kind": "dense", "inputs": [0], "output": 1, "W": 0, "b": 32},
            {"kind": "activation", "inputs": [1], "output": 2, "function": "relu"},
            {"kind": "dense", "inputs": [2], "output": 3, "W": 16, "b": 48},
        ],
        "heads": [{"slot": 3, "loss": "cross_entropy", "weight": 1.0, "fused": True}],
        "runs": [(0, 12, True, 1.0, 1.0, 0.0, 0.1), (16, 64, True, 1.0, 1.0, 0.0, 0.0)], "codes": [],
        "parameters": 64, "state": 0, "mean": True, "sklearn": False,
    }  # fmt: skip
    return _native.Program(**{**form, **changes})


WRONG_PROGRAMS: tuple[dict[str, Any], ...] = (
    {"widths": []}, {"widths": [3]}, {"widths": [3, 4, 4, 0]}, {"widths": [3, 4, 4, -2]}, {"widths": [3, 4, 4, 2**40]},
    {"widths": [3, 5, 4, 2]}, {"widths": [3000, 4, 4, 2]}, {"widths": [2**63, 4, 4, 2]}, {"widths": None},
    {"inputs": []}, {"inputs": [9]}, {"inputs": [-1]}, {"inputs": [0, 0]}, {"inputs": [3]},
    {"outputs": [4]}, {"outputs": [-1]},
    {"steps": [{}]}, {"steps": [{"kind": "convolution", "inputs": [0], "output": 1}]},
    {"steps": [{"kind": "dense", "inputs": [0], "output": 9, "W": 0}]},
    {"steps": [{"kind": "dense", "inputs": [2], "output": 1, "W": 0}]},
    {"steps": [{"kind": "dense", "inputs": [], "output": 1, "W": 0}]},
    {"steps": [{"kind": "dense", "inputs": [0], "output": 1, "W": 60}]},
    {"steps": [{"kind": "dense", "inputs": [0], "output": 1, "W": -1}]},
    {"steps": [{"kind": "dense", "inputs": [0], "output": 1, "W": 2**62}]},
    {"steps": [{"kind": "dense", "inputs": [0], "output": 1, "W": 0, "b": 63}]},
    {"steps": [{"kind": "dense", "inputs": [0], "output": 1, "W": "zero"}]},
    {"steps": [{"kind": "dense", "inputs": [0], "output": 1, "W": 0, "colour": 1}]},
    {"steps": [{"kind": "add", "inputs": [0], "output": 1}]},
    {"steps": [{"kind": "batch_norm", "inputs": [0], "output": 1}]},
    {"steps": [{"kind": "activation", "inputs": [1], "output": 2, "function": "cosine"}]},
    {"steps": [{"kind": "dropout", "inputs": [0], "output": 1, "rate": 1.5}]},
    {"steps": "dense"}, {"heads": [{"slot": 9, "loss": "huber"}]}, {"heads": [{"slot": 3, "loss": "hubris"}]},
    {"heads": [{"slot": 3, "loss": "huber", "weight": float("nan")}]}, {"heads": [{}]}, {"heads": [3]},
    {"runs": [(0, 65, True, 1.0, 1.0, 0.0, 0.1)]}, {"runs": [(-1, 3, True, 1.0, 1.0, 0.0, 0.1)]},
    {"runs": [(5, 3, True, 1.0, 1.0, 0.0, 0.1)]}, {"runs": [(0, 3)]}, {"runs": [(0, 3, True, 1.0, 1.0, -1.0, 0.0)]},
    {"runs": [(0, 3, True, 1.0, 1.0, "a", 0.0)]}, {"runs": [(0, 3, True, -1.0, 1.0, 0.0, 0.0)]},
    {"runs": [(0, 8, True, 1.0, 1.0, 0.0, 0.0), (7, 9, True, 1.0, 1.0, 0.0, 0.0)]},
    {"codes": [0]}, {"codes": [3]}, {"codes": [9]},
    {"parameters": -1}, {"parameters": 10}, {"parameters": 2**62}, {"state": -1}, {"parameters": "many"},
)  # fmt: skip


@pytest.mark.parametrize("changes", WRONG_PROGRAMS, ids=str)
def test_programs_that_make_no_sense(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, OverflowError, KeyError, RuntimeError)) as caught:
        program(**changes)
    assert str(caught.value)


KINDS = st.sampled_from(["dense", "activation", "dropout", "add", "concatenate", "batch_norm", "flatten", "scale"])
SLOTS = st.lists(st.integers(-2, 5), max_size=3)


@given(
    st.lists(st.tuples(KINDS, SLOTS, st.integers(-2, 5), st.integers(-70, 70)), max_size=4),
    st.lists(st.integers(-1, 6), min_size=1, max_size=5),
)
def test_programs_of_chance(steps: list[tuple[str, list[int], int, int]], widths: list[int]) -> None:
    """Refused, or predicting with them gives numbers."""
    forms: list[dict[str, Any]] = []
    for kind, inputs, output, offset in steps:
        form: dict[str, Any] = {"kind": kind, "inputs": inputs, "output": output}
        if kind == "dense":
            form |= {"W": offset, "b": offset}
        if kind == "activation":
            form["function"] = "tanh"
        if kind == "scale":
            form["scale"] = offset
        if kind == "batch_norm":
            form |= dict.fromkeys(("scale", "shift", "mean", "variance"), offset)
        forms.append(form)
    end = [step[2] for step in steps][-1:] or [0]
    try:
        made = program(widths=widths, steps=forms, outputs=end, heads=[], runs=[], parameters=64, state=64)
    except (ValueError, TypeError, OverflowError):
        return
    out = np.zeros((1, 2, widths[end[0]]), dtype="f4")
    made.predict(
        parameters=np.zeros((1, 64), "f4"), state=np.ones((1, 64), "f4"), inputs=[np.ones((2, widths[0]), "f4")],
        outputs=[out], threads=1,
    )  # fmt: skip
    assert np.isfinite(out).all()


def arguments(method: str) -> dict[str, Any]:
    """What the program above takes, all right."""
    vectors = {"parameters": np.ones((1, 64), "f4"), "state": np.zeros((1, 0), "f4"), "threads": 1}
    inputs = {"inputs": [rows(6)]}
    data = {**inputs, "targets": [np.array([0, 1, 1, 0, 1, 0])], "weights": [None]}
    sums = {"loss_sums": np.zeros((1, 1)), "weight_sums": np.zeros((1, 1)), "penalty_sums": np.zeros(1)}
    given = {
        "predict": {**vectors, **inputs, "outputs": [np.zeros((1, 6, 2), "f4")]},
        "losses": {**vectors, **data, **sums},
        "gradients": {**vectors, **data, **sums, "training": True, "seed": 0, "step": 0, "scheduled": [],
                      "gradient": np.zeros((1, 64), "f4")},
        "train": {**vectors, **data, **sums, "slots": np.zeros((1, 3, 64), "f4"), "order": np.arange(6)[None],
                  "batch_size": 4, "rates": np.full(2, 0.1), "weight_decays": None, "scheduled": [], "first_step": 0,
                  "memory_from": 0,
                  "optimizer": {"kind": "adam"}, "seed": 0, "clip_norm": None, "should_stop": None,
                  "every": 2, "watched": [15] * 3, "vitals": np.zeros((1, 1, 3, 7)),
                  "vital_losses": np.zeros((1, 1, 1)), "vital_weights": np.zeros((1, 1, 1))},
    }  # fmt: skip
    return copy.deepcopy(given[method])


# Nothing is measured.
UNSEEN = {"every": 0, **{name: np.zeros(0) for name in ("vitals", "vital_losses", "vital_weights")}}
METHODS = ("predict", "losses", "gradients", "train")
# One thing wrong each, by argument.
WRONG: dict[str, list[Any]] = {
    "parameters": [np.ones((1, 63), "f4"), np.ones((2, 64), "f4"), np.ones(64, "f4"), np.ones((1, 64), "i4"),
                   np.ones((1, 64), ">f4"), np.ones((1, 128), "f4")[:, ::2], np.ones((0, 64), "f4"), None, "w"],
    "state": [np.zeros((1, 1), "f4"), np.zeros((2, 0), "f4"), np.zeros((1, 0), "f8"), np.zeros(0, "f4"), None],
    "inputs": [[], [rows(6), rows(6)], [rows(6, "f8")], [rows(6)[:, :2]], [rows(6).T], [None], None, 3, [rows(6)[::-1]],
               [np.float32(1)], [rows(6).astype("c8")], [rows(6).astype(object)], [layouts(rows(6))["unaligned"]]],
    "targets": [[], [np.zeros(5, int)], [np.full(6, 2)], [np.full(6, -1)], [np.zeros(6, "i4")],
                [np.zeros((6, 3), "f4")], [None], [np.zeros((6, 2), "f8")],
                [np.full(6, 2**62)], [np.zeros(12, int)[::2]]],
    "weights": [[], [np.ones(5, "f4")], [np.ones(6, "f8")], [np.ones((6, 2), "f4")], ["w"], [None, None]],
    "outputs": [[], [np.zeros((1, 5, 2), "f4")], [np.zeros((1, 6, 2), "f8")], [np.zeros((1, 6, 4), "f4")[:, :, ::2]],
                [None], [np.zeros((2, 6, 2), "f4")]],
    "loss_sums": [np.zeros((1, 2)), np.zeros((2, 1)), np.zeros((1, 1), "f4"), None],
    "weight_sums": [np.zeros((1, 0)), np.zeros((1, 1), "i8")],
    "penalty_sums": [np.zeros(0), np.zeros(2), np.zeros(1, "f4")],
    "gradient": [np.zeros((1, 63), "f4"), np.zeros((1, 64), "f8"), np.zeros((1, 128), "f4")[:, ::2], None],
    "slots": [np.zeros((1, 2, 64), "f4"), np.zeros((1, 3, 63), "f4"), np.zeros((1, 3, 64), "f8"), None],
    "order": [np.array([[0, 6]]), np.array([[-1, 0]]), np.arange(6), np.arange(6, dtype="i4")[None],
              np.zeros((1, 0), int), np.zeros((2, 6), int), np.arange(12)[None, ::2], np.array([[0, 2**62]]), None],
    "batch_size": [0, -1, 2**70, 1.5, None],
    "rates": [np.full(3, 0.1), np.full(2, 0.1, "f4"), np.zeros((1, 1), "f4"), None],
    "weight_decays": [np.full(3, 0.1), np.full(2, 0.1, "f4"), np.full(2, -0.1), np.full(2, np.nan), "none", 0.1],
    "scheduled": [[(0, np.zeros(1))], [(0, np.zeros(2))], [(99, np.zeros(1))], [(-1, np.zeros(1))], [(0,)], [0], [None],
                  [("a", np.zeros(1))], [(0, None)], None],
    "first_step": [-1, 2**70, "one"],
    "memory_from": [-1, 1, 2**70, "one"],
    "optimizer": [{}, {"kind": "lbfgs"}, {"kind": 3}, {"kind": "adam", "beta1": 2.0}, {"kind": "sgd", "momentum": -1.0},
                  {"kind": "adam", "epsilon": 0.0}, {"kind": "adam", "beta1": "half"}, None],
    "seed": [-1, 2**64, None],
    "clip_norm": ["one"],
    "every": [-1, 1, 2**70, 1.5, "one", None],
    "watched": [[], [15] * 99, ["x"], None],
    "vitals": [np.zeros((2, 1, 1, 7)), np.zeros(3), np.zeros((1, 1, 1, 7), "f4"), None],
    "vital_losses": [np.zeros((2, 1, 1)), np.zeros((1, 1, 1), "f4"), None],
    "vital_weights": [np.zeros((2, 1, 1)), np.zeros((1, 1, 1), "f4"), None],
    "threads": ["one", None, 2**40],
    "step": [-1, 2**64],
    "training": ["yes"],
    "should_stop": [3],
}  # fmt: skip


def wrong_calls() -> list[Any]:
    return [
        pytest.param(method, name, value, id=f"{method}-{name}-{number}")
        for method in METHODS
        for name, values in WRONG.items()
        if name in arguments(method)
        for number, value in enumerate(values)
        if name != "should_stop"
    ]


@pytest.mark.parametrize(("method", "name", "value"), wrong_calls())
def test_calls_that_make_no_sense(method: str, name: str, value: Any) -> None:
    given = arguments(method)
    with pytest.raises((ValueError, TypeError, OverflowError, KeyError, RuntimeError)) as caught:
        getattr(program(), method)(**{**given, name: value})
    assert str(caught.value)
    if method == "train":
        np.testing.assert_array_equal(given["parameters"], 1)


@pytest.mark.parametrize("method", METHODS)
def test_calls_that_do(method: str) -> None:
    getattr(program(), method)(**arguments(method))


@pytest.mark.parametrize("method", ["losses", "gradients", "train"])
def test_results_are_not_written_where_nothing_may_be_written(method: str) -> None:
    for name in ("loss_sums", "weight_sums", "penalty_sums"):
        given = arguments(method)
        given[name].setflags(write=False)
        with pytest.raises((ValueError, TypeError, BufferError)):
            getattr(program(), method)(**given)


def test_an_exception_in_should_stop_comes_through() -> None:
    def fail() -> bool:
        raise ZeroDivisionError("from the callback")

    assert_raised_while_training(fail, ZeroDivisionError)
    assert_raised_while_training(lambda: "yes", (RuntimeError, TypeError, ValueError))


def test_a_scheduled_number_out_of_its_limits() -> None:
    noisy = Network([Input(3), Dropout(0.5), Dense(1)])
    engine = NativeEngine(noisy, Objective("squared_error").on(noisy))
    state = TrainingState.initial(noisy, SGD(), 0, "float64")
    data = Rows((np.ones((2, 3)),), (np.ones((2, 1)),), (None,))
    for rate in (1.0, -0.1, np.nan):
        with pytest.raises(ValueError, match=r"rate is .*, which is out of range"):
            engine.gradients(state.parameters, state.state, data, training=True, seed=0, step=0, scheduled={0: rate})
    with pytest.raises(ValueError, match="step 1 has no number that may be scheduled"):
        engine.gradients(state.parameters, state.state, data, training=True, seed=0, step=0, scheduled={1: 0.5})


def assert_raised_while_training(should_stop: Callable[[], Any], error: Any) -> None:
    given = arguments("train")
    order = np.zeros((1, 3_000_000), dtype=np.int64)
    given |= {"order": order, "batch_size": 1, "rates": np.full(order.size, 1e-9), "should_stop": should_stop, **UNSEEN}
    with pytest.raises(error):
        program().train(**given)


def test_labels_that_change_while_they_are_used() -> None:
    """They are checked when the call begins; another thread may change them later. Numbers may be wrong, memory not."""
    given = arguments("train")
    labels, asked = given["targets"][0], []

    def change() -> bool:
        labels[:] = 2**40 if len(asked) % 2 else -(2**40)
        asked.append(labels[0])
        return len(asked) > 2

    order = np.zeros((1, 3_000_000), dtype=np.int64)
    given |= {"order": order, "batch_size": 1, "rates": np.full(order.size, 1e-9), "should_stop": change, **UNSEEN}
    steps, _, _, stopped = program().train(**given)
    assert stopped
    assert 0 < steps < order.size


def test_an_array_on_the_edge_of_its_memory() -> None:
    """Rows that end where a page of memory ends: a core that read beyond them would crash."""
    import mmap

    page = mmap.PAGESIZE
    for width in (1, 3, 7, 17):
        network = Network.mlp(width, [5], 2)
        model = Model(network, "squared_error", engine="native")
        n = page // (4 * width)
        memory = np.frombuffer(mmap.mmap(-1, page), dtype="f4")
        X = memory[len(memory) - n * width :].reshape(n, width)
        for count in (1, 2, n):
            np.testing.assert_array_equal(model.predict(X[-count:]), model.predict(X[-count:].copy()))

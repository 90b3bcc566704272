"""Sum over paths = memoized gradient = finite differences = the training engine's gradient."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import problems
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import Problem, general_problems, traced

from chainrule import InputError, Model, Network
from chainrule.explain.derivation import Derivation
from chainrule.explain.quantities.paths import LIMIT

# The central difference over 8 points, exact to the 8th order: at a step of 0.01 it is off by 1e-13 or so, and where
# the function bends more, by about as much as it moves when the step is halved.
STENCIL = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
SMOOTH = ("sigmoid", "tanh", "softplus", "silu", "gelu")


@pytest.mark.parametrize("training", [False, True])
@examples(30)
@given(problem=general_problems("reference"))
def test_the_paths_of_every_weight_sum_to_its_gradient(problem: Problem, training: bool) -> None:
    work = Derivation(traced(problem, training))
    for span in problem.model.network.layout.spans:
        index = ",".join("1" for _ in span.shape)
        paths = work.paths(f"{span.name}[{span.layer},{index}]")
        if paths.count > LIMIT:
            continue
        assert len(paths.paths) == paths.count
        scale = max([abs(path.product) for path in paths.paths], default=1.0)
        if math.isfinite(scale) and scale < 1e6:
            assert math.isclose(paths.total, paths.memoized, rel_tol=1e-10, abs_tol=1e-10 * max(scale, 1.0))
            assert paths.multiplications_apart == sum(len(path.edges) - 1 for path in paths.paths)


@st.composite
def smooth_models(draw: st.DrawFn, engine: str) -> tuple[Model, np.ndarray, np.ndarray]:
    n_inputs, hidden = draw(st.integers(1, 3)), draw(st.lists(st.integers(1, 3), max_size=3))
    pair = draw(st.sampled_from([("linear", "half_squared_error"), ("sigmoid", "binary_cross_entropy"),
                                 ("softmax", "cross_entropy"), ("tanh", "squared_error")]))  # fmt: skip
    outputs = draw(st.integers(2, 3))
    net = Network.mlp(n_inputs, hidden, outputs, activation=draw(st.sampled_from(SMOOTH)), output=pair[0])
    model = problems.make_model(
        net, pair[1], "sgd", l2=draw(st.sampled_from([0.0, 0.02])), dtype="float64", seed=draw(st.integers(0, 99)),
        reduction=draw(st.sampled_from(["mean", "sum"])), engine=engine,
    )  # fmt: skip
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = draw(st.integers(1, 3))
    y = rng.integers(2, size=(rows, outputs)).astype(float)
    if pair[1] == "cross_entropy":
        y = np.eye(outputs)[rng.integers(outputs, size=rows)]
    return model, rng.uniform(-1, 1, (rows, n_inputs)), y


@examples(25)
@given(data=st.data())
def test_paths_memo_engine_and_finite_differences_agree(engine: str, data: st.DataObject) -> None:
    check_that_four_ways_agree(*data.draw(smooth_models(engine)), engine)


@pytest.mark.slow
@examples(1000)
@given(data=st.data())
def test_paths_memo_engine_and_finite_differences_agree_often(engine: str, data: st.DataObject) -> None:
    check_that_four_ways_agree(*data.draw(smooth_models(engine)), engine)


def check_that_four_ways_agree(model: Model, X: np.ndarray, y: np.ndarray, engine: str) -> None:
    """For one number of each parameter: sum over paths = memoized = the training engine's = finite difference."""
    assert model.engine_.name == engine
    work = model.explain(X, y)
    _, gradients = model.loss_and_gradients(X, y)
    vector = model.training.parameters[0]
    for span in model.network.layout.spans:
        flat = int(np.random.default_rng(0).integers(math.prod(span.shape)))
        index = ",".join(str(i + 1) for i in np.unravel_index(flat, span.shape))
        name, place = f"{span.name}[{span.layer},{index}]", span.offset + flat
        start, gradient = vector[place], work[f"dL/d{name}"].value

        def loss_at(offset: float, place: int = place, start: float = start) -> float:
            vector[place] = start + offset
            return model.loss_and_gradients(X, y)[0]

        coarse, fine = (central_difference(loss_at, step) for step in (0.01, 0.005))
        vector[place] = start
        for found in (work.paths(name).total, gradients[span.layer][span.name].flat[flat]):
            assert math.isclose(found, gradient, rel_tol=1e-10, abs_tol=1e-10), name
        assert math.isclose(fine, gradient, rel_tol=1e-10, abs_tol=1e-10 + abs(coarse - fine)), name


def central_difference(f: Callable[[float], float], step: float) -> float:
    return sum(weight * (f(k * step) - f(-k * step)) for k, weight in STENCIL.items()) / step


def test_the_two_paths_of_the_lecture_notes() -> None:
    model = Model(Network.mlp(4, [3, 2], 1, activation="sigmoid", bias=False), "squared_error", "sgd", dtype="float64")
    work = model.explain([0.1, 0.2, 0.3, 0.4], 1.0)
    paths = work.paths("W[hidden_1,1,1]")
    assert paths.count == 2
    assert [len(path.edges) for path in paths.paths] == [7, 7]
    assert paths.multiplications_apart == 12
    assert paths.multiplications_memoized == 9
    assert paths.kept == 8
    assert paths.total == pytest.approx(work["dL/dW[hidden_1,1,1]"].value, abs=1e-15)


def test_paths_lead_from_inputs_and_activations_too() -> None:
    model = Model(Network.mlp(2, [3], 2, activation="tanh"), "squared_error", "sgd", dtype="float64")
    work = model.explain([0.1, 0.2], [1.0, 0.0])
    for name in ("x[1]", "h[hidden,2]", "z[hidden,2]", "b[hidden,3]"):
        assert work.paths(name).total == pytest.approx(work[f"dL/d{name}"].value, abs=1e-14)
    with pytest.raises(InputError, match="has no gradient here"):
        work.paths("L")


def test_one_weight_of_a_large_network() -> None:
    model = Model(Network.mlp(784, [128, 64], 10, output="softmax"), "cross_entropy", "sgd")
    x = np.random.default_rng(0).random(784)
    work = model.explain(x, 3)
    quantity = work["dL/dW[hidden_1,100,5]"]
    text = repr(quantity)
    needed = work.needed_for("dL/dW[hidden_1,100,5]")
    paths = work.paths("W[hidden_1,100,5]")
    assert text
    assert needed
    assert paths.count <= 64 * 100
    assert quantity.value == pytest.approx(model.loss_and_gradients(x[None], [3])[1]["hidden_1"]["W"][99, 4], rel=1e-4)

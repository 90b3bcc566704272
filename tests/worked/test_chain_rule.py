"""Notes 000, 001 and 002: the chain rule, several paths summed, and what memoization saves."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from finite_differences import STEP
from worked_values import work

from chainrule import Add, Dense, Input, Model, Network
from chainrule.activations import Exponential
from chainrule.objective import Objective


@pytest.mark.parametrize("x", [-1.1, -0.3, 0.2, 0.9])
@pytest.mark.parametrize("depth", [1, 2])
def test_exponentials_of_a_square(x: float, depth: int) -> None:
    """d e^(x^2) / dx = 2x e^(x^2), and one exponential more: 2x e^(x^2) e^(e^(x^2))."""

    def f(x: float) -> float:
        value = x * x
        for _ in range(depth):
            value = math.exp(value)
        return value

    values = [np.array([[x * x]])]
    for _ in range(depth):
        values.append(Exponential().value(values[-1]))
    delta = np.ones((1, 1))
    for h in reversed(values[1:]):
        delta = Exponential().backward(h, delta)
    by_the_chain_rule = delta.item() * 2 * x
    formula = 2 * x * math.exp(x * x) * (math.exp(math.exp(x * x)) if depth == 2 else 1)
    assert by_the_chain_rule == pytest.approx(formula, rel=1e-14)
    assert (f(x + STEP) - f(x - STEP)) / (2 * STEP) == pytest.approx(formula, rel=1e-7)


def test_two_branches_that_meet() -> None:
    """x -> f, g -> h -> k: dk/dx = dk/dh {dh/df df/dx + dh/dg dg/dx}, the factor dk/dh computed once."""
    x = Dense(1, name="x")(Input(1, name="one"))  # the bias of this unit is the variable x
    f = Dense(1, activation="tanh", bias=False, name="f")(x)
    g = Dense(1, activation="sigmoid", bias=False, name="g")(x)
    h = Dense(1, activation="tanh", bias=False, name="h")(Add(name="sum")(f, g))
    model = Model(Network(outputs={"k": Dense(1, bias=False, name="k")(h)}), "absolute_error", dtype="float64")
    one = {"W": [[0.0]]}
    model.set_parameters(
        {"x": {**one, "b": [0.4]}, "f": {"W": [[2.0]]}, "g": {"W": [[-3.0]]}, "h": {"W": [[1.5]]}, "k": {"W": [[0.7]]}}
    )
    numbers = work(model, [1.0], -100.0)  # far below k: the loss is k + 100, its derivative 1
    v = 0.4
    f_value, g_value = math.tanh(2 * v), 1 / (1 + math.exp(3 * v))
    h_value = math.tanh(1.5 * (f_value + g_value))
    shared = 0.7 * (1 - h_value**2) * 1.5
    along_f, along_g = 2 * (1 - f_value**2), -3 * g_value * (1 - g_value)
    assert numbers.gradients["x"]["b"].item() == pytest.approx(shared * (along_f + along_g), rel=1e-14)
    assert numbers.z["sum"].item() == pytest.approx(f_value + g_value, rel=1e-15)
    assert numbers.dz["sum"].item() == pytest.approx(shared, rel=1e-14)


def sigmoid_network(sizes: list[int], seed: int = 0) -> Model:
    network = Network.mlp(sizes[0], sizes[1:-1], sizes[-1], activation="sigmoid", output="sigmoid", bias=False)
    return Model(network, Objective("half_squared_error", fuse=False), dtype="float64", seed=seed)


def gradient_by_paths(model: Model, x: np.ndarray, y: np.ndarray) -> tuple[dict[str, np.ndarray], int, int]:
    """Every weight's gradient as the sum over its paths to the loss, each a product written out in full.

    Returns the gradients, how many paths there are, and how many factors were computed in all.
    """
    numbers = work(model, x, y)
    layers = list(model.parameters)
    weights = [model.parameters[name]["W"] for name in layers]
    h = [np.asarray(x), *(numbers.h[name] for name in layers)]
    slopes = [values * (1 - values) for values in h[1:]]
    gradients, paths, factors = {}, 0, 0
    for k, name in enumerate(layers):
        gradient = np.zeros_like(weights[k])
        for i, j in np.ndindex(gradient.shape):
            for later in product(*(range(w.shape[1]) for w in weights[k + 1 :])):
                path = (j, *later)
                out = path[-1]
                value = (h[-1][out] - y[out]) * slopes[-1][out]  # dL/dO dO/dz
                factors += 2
                for depth in range(k, len(layers) - 1):  # dz'/dh dh/dz of each layer between
                    a, b = path[depth - k], path[depth - k + 1]
                    value *= weights[depth + 1][a, b] * slopes[depth][a]
                    factors += 2
                gradient[i, j] += value * h[k][i]  # dz/dw
                factors += 1
                paths += 1
        gradients[name] = gradient
    return gradients, paths, factors


@pytest.mark.parametrize("sizes", [[4, 3, 2, 1], [4, 3, 2], [2, 2, 2, 2, 2], [3, 1, 3], [5, 4, 3, 2, 1]], ids=str)
def test_the_sum_over_all_paths_is_our_gradient(sizes: list[int], rng: np.random.Generator) -> None:
    model = sigmoid_network(sizes, int(rng.integers(1000)))
    x, y = rng.normal(size=sizes[0]), rng.random(sizes[-1])
    by_paths, _, _ = gradient_by_paths(model, x, y)
    _, ours = model.loss_and_gradients(x[None], y[None])
    for name, gradient in by_paths.items():
        np.testing.assert_allclose(ours[name]["W"], gradient, rtol=1e-12, atol=1e-16)


def test_paths_of_the_4_3_2_1_network() -> None:
    """Notes 002: each of the 12 weights of the first layer reaches the loss on two paths, all others on one."""
    model = sigmoid_network([4, 3, 2, 1])
    _, paths, factors = gradient_by_paths(model, np.ones(4), np.zeros(1))
    assert paths == 12 * 2 + 6 * 1 + 2 * 1
    assert factors == 24 * 7 + 6 * 5 + 2 * 3
    report = model.memo_report(np.ones((1, 4)), np.zeros((1, 1)))
    assert report.deltas == 6, "dL/d(value) of z and h in three layers, each once"
    assert report.delta_reads == 8, "by three weight matrices, and by five values before"


def test_with_reuse_the_work_grows_with_the_depth_and_without_it_the_paths_multiply() -> None:
    """Width 2, hidden layers 1 to 6: paths of a first weight 1, 2, 4 ... 32; deltas and reads grow by constants."""
    paths, deltas, reads, forward, without = [], [], [], [], []
    for depth in range(1, 7):
        model = sigmoid_network([2] * (depth + 1) + [1])
        _, n_paths, _ = gradient_by_paths(model, np.ones(2), np.zeros(1))
        later = sum(4 * 2 ** (depth - k - 1) for k in range(1, depth)) + 2  # of the weights behind the first layer
        paths.append((n_paths - later) // 4)
        report = model.memo_report(np.ones((1, 2)), np.zeros((1, 1)))
        deltas.append(report.deltas)
        reads.append(report.delta_reads)
        forward.append(report.forward_steps)
        without.append(report.steps_without_memo)
    assert paths == [1, 2, 4, 8, 16, 32]
    assert set(np.diff(deltas)) == {2}
    assert set(np.diff(reads)) == {3}
    assert forward == [4, 6, 8, 10, 12, 14]
    assert without == [n + n * (n + 1) // 2 for n in forward], "running the network again up to each layer"

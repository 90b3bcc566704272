"""Starting weights that look at rows, beside the definition worked in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import problems
import pytest

import chainrule as cr
from chainrule import (
    Add,
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    EmbeddingSum,
    Input,
    InputError,
    Model,
    Network,
    PiecewiseLinear,
    Scale,
    random,
)
from chainrule.layers import LAYERS

X = np.random.default_rng(0).normal([1.0, -20.0, 300.0], [1.0, 5.0, 0.1], (60, 3))


def mixed(z: np.ndarray, layer: int, seed: int, member: int = 0) -> np.ndarray:
    """For each unit the mean of its values in five rows, with weights that are exponential draws over their sum."""
    u = random.uniform(10 * z.shape[1], seed, layer, random.START, member)
    found = []
    for j in range(z.shape[1]):
        own = u[10 * j : 10 * j + 10]
        weights = -np.log(1 - own[5:])
        found.append(sum(w * z[int(r * len(z)), j] for r, w in zip(own[:5], weights, strict=True)) / weights.sum())
    return np.array(found)


def test_the_definition_layer_by_layer() -> None:
    model = Model(Network.mlp(3, [8, 5], 2, activation="relu"), "squared_error", seed=7, dtype="float64")
    before = problems.flat(model.parameters)
    model.initialize_from(X)
    after, h = problems.flat(model.parameters), X
    for name, layer in (("hidden_1", 0), ("hidden_2", 2), ("output", 4)):
        z = h @ before[f"{name}/W"]
        deviation = np.sqrt(((z - z.mean(axis=0)) ** 2).mean(axis=0))
        np.testing.assert_allclose(after[f"{name}/W"], before[f"{name}/W"] / deviation, rtol=1e-12)
        z = z / deviation
        b = -mixed(z, layer, seed=7)
        np.testing.assert_allclose(after[f"{name}/b"], b, rtol=1e-11, atol=1e-12)
        assert ((z + b).min(axis=0) <= 0).all(), "a unit is 0 somewhere among the rows"
        assert ((z + b).max(axis=0) >= 0).all()
        h = np.maximum(z + b, 0)


def test_shares_are_spread_over_the_simplex() -> None:
    """Values 1, 0, 0, ... : of many units the mean share of a row drawn 5 times of n is 1 / n."""
    z = np.tile((np.arange(4) == 0)[:, None] * 1.0, (1, 4000))
    from chainrule.starting import _mixtures

    found = _mixtures(z, 3, 0, 0)
    assert (found >= 0).all()
    assert (found <= 1 + 1e-12).all()
    deviation = np.sqrt(0.25 * 0.75 / 3)  # of five draws with shares of mean square 1/15: var = p (1 - p) 5 * 2 / 30
    assert abs(found.mean() - 0.25) < 5 * deviation / np.sqrt(4000)
    assert found.var() == pytest.approx(deviation**2, rel=0.1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_seed_decides(dtype: str, engine: str) -> None:
    def start(seed: int) -> np.ndarray:
        model = Model(Network.mlp(3, [6], 1), "squared_error", seed=seed, dtype=dtype, engine=engine)
        model.initialize_from(X, rows=20)
        return model.training.parameters

    np.testing.assert_array_equal(start(1), start(1))
    assert not np.array_equal(start(1), start(2))


def test_some_of_many_rows() -> None:
    one, other = (Model(Network.mlp(3, [6], 1), "squared_error", seed=4, dtype="float64") for _ in range(2))
    one.initialize_from(X, rows=20)
    chosen = np.sort(random.permutation(60, 4, 0, stream=random.START)[:20])
    other.initialize_from(X[chosen])
    np.testing.assert_array_equal(one.training.parameters, other.training.parameters)


def test_again_it_changes_nothing() -> None:
    model = Model(Network.mlp(3, [6], 1, activation="tanh"), "squared_error", dtype="float64")
    model.initialize_from(X)
    once = model.training.parameters.copy()
    model.initialize_from(X)
    np.testing.assert_allclose(model.training.parameters, once, rtol=1e-12, atol=1e-13)


def test_members_begin_each_in_its_own_way() -> None:
    """Each scaled by its own weights, with biases of draws of its own."""
    together = Model.ensemble(Network.mlp(3, [6], 1), "squared_error", members=3, seed=5, dtype="float64")
    drawn = together.training.parameters.copy()
    together.initialize_from(X)
    layout = together.network.layout
    for member in range(3):
        before, after = (layout.named(vectors[member]) for vectors in (drawn, together.training.parameters))
        z = X @ before["hidden"]["W"]
        z /= z.std(axis=0)
        np.testing.assert_allclose(after["hidden"]["b"], -mixed(z, 0, 5, member), rtol=1e-11, atol=1e-12)


def test_several_inputs_and_sums_of_layers() -> None:
    """Numbers and codes that meet in an Add are one pre-activation, with one bias; embeddings stay as they are."""
    x, code = Input(3, name="x"), Input(2, dtype="integer", name="code")
    numbers = Dense(6, name="numbers")(x)
    z = Add(name="z")(numbers, EmbeddingSum(4, 6, name="codes")(code))
    deep = cr.Concatenate(name="all")(cr.Activation("tanh", name="h")(z), Embedding(4, 3, name="table")(code))
    network = Network(inputs=[x, code], outputs=Dense(2, initializer="zeros", name="out")(deep))
    model = Model(network, "squared_error", seed=2, dtype="float64")
    rows = {"x": X, "code": np.random.default_rng(1).integers(0, 4, (60, 2))}
    before = problems.flat(model.parameters)
    model.initialize_from(rows)
    after = problems.flat(model.parameters)
    hot = np.zeros((60, 8))
    for column in range(2):
        hot[np.arange(60), 4 * column + rows["code"][:, column]] = 1
    sums = X @ before["numbers/W"] + hot @ before["codes/W"]
    deviation = sums.std(axis=0)
    np.testing.assert_allclose(after["numbers/W"], before["numbers/W"] / deviation, rtol=1e-12)
    np.testing.assert_allclose(after["codes/W"], before["codes/W"] / deviation, rtol=1e-12)
    first = min(step.index for step in network.steps if step.name == "numbers")
    np.testing.assert_allclose(after["numbers/b"], -mixed(sums / deviation, first, 2), rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(after["table/W"], before["table/W"])
    assert not after["out/W"].any()
    assert not after["out/b"].any()


def test_a_layer_that_somebody_else_reads_is_no_part_of_a_sum() -> None:
    x = Input(3, name="x")
    first = Dense(4, name="a")(x)
    outputs = {"y": Add(name="y")(first, Dense(4, name="b")(x)), "side": Dense(1, name="side")(first)}
    model = Model(Network(inputs=x, outputs=outputs), {"y": "squared_error", "side": "squared_error"}, dtype="float64")
    model.initialize_from(X)
    np.testing.assert_allclose((X @ model.parameters["a"]["W"]).std(axis=0), 1, rtol=1e-10)
    np.testing.assert_allclose((X @ model.parameters["b"]["W"]).std(axis=0), 1, rtol=1e-10)


def test_what_doesnt_learn_and_constant_units_stay() -> None:
    layers = [Input(3), Dense(4, trainable=False, name="fixed"), Scale(name="s"), BatchNorm(name="n"), Dropout(0.5),
              Dense(2, bias=False, name="out")]  # fmt: skip
    model = Model(Network(layers), "squared_error", dtype="float64")
    before = problems.flat(model.parameters)
    model.initialize_from(X)
    after = problems.flat(model.parameters)
    for key in before:
        assert np.array_equal(before[key], after[key]) == (key != "out/W"), key
    same = Model(Network.mlp(3, [], 2), "squared_error", dtype="float64")
    W = same.parameters["output"]["W"].copy()
    same.initialize_from(np.tile([1.0, 2.0, 3.0], (5, 1)))
    np.testing.assert_array_equal(same.parameters["output"]["W"], W)
    np.testing.assert_allclose(same.predict([[1.0, 2.0, 3.0]]), 0, atol=1e-15)


def test_members_that_train_side_by_side_look_at_their_own_rows() -> None:
    model = Model(Network.mlp(3, [4], 1), "squared_error", cr.SGD(1e-12), seed=3, dtype="float64")
    trained = cr.fit_members(model, X, X[:, 0], members=2, epochs=1, initialize=True, progress=False)
    for i, part in enumerate(trained.parts):
        alone = Model(Network.mlp(3, [4], 1), "squared_error", seed=3 + i, dtype="float64")
        alone.initialize_from(X[part.train])
        np.testing.assert_allclose(trained.model.training.parameters[i], alone.training.parameters[0], atol=1e-6)


@pytest.mark.parametrize("rows", [0, 1.5, "all", None])
def test_rows_is_a_number_of_them(rows: Any) -> None:
    with pytest.raises(InputError, match=r"Model: rows is .*; it must be a whole number of at least 1"):
        Model(Network.mlp(3, [], 1), "squared_error").initialize_from(X, rows=rows)


@pytest.mark.parametrize("name", [name for name, layer in LAYERS.items() if layer.affine_in])
def test_what_says_that_it_is_affine_is(name: str, rng: np.random.Generator) -> None:
    """Every unit gets variance 1 by one factor of all its weights."""
    knots = ((-1.0, 1.0, 3.0), (0.0, 2.0))
    layer = {"Dense": Dense(4), "EmbeddingSum": EmbeddingSum(5, 4), "PiecewiseLinear": PiecewiseLinear(knots, 4)}
    codes = LAYERS[name].reads == "integer"
    network = Network([Input(2, dtype="integer" if codes else "float"), layer[name]])
    model = Model(network, "squared_error", dtype="float64")
    rows = rng.integers(0, 5, (40, 2)) if codes else rng.normal(1.0, 2.0, (40, 2))
    (arrays,) = model.parameters.values()
    before = arrays[LAYERS[name].affine_in].copy()
    model.initialize_from(rows)
    ratio = arrays[LAYERS[name].affine_in] / np.where(before == 0, 1, before)
    np.testing.assert_allclose(ratio[before != 0], np.broadcast_to(ratio[0], before.shape)[before != 0], rtol=1e-10)
    np.testing.assert_allclose(model.predict(rows).std(axis=0), 1, rtol=1e-10)

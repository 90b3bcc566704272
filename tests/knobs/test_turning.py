"""Turned weights: the loss beside brute force, its slope beside the gradient, the model as it was; on every engine."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import general_problems

from chainrule import (
    Dense,
    Embedding,
    Flatten,
    Input,
    InputError,
    Model,
    Network,
    Trail,
    TrainingError,
)
from chainrule.knobs.turning import turn_rows

NAMES = ("W[hidden,1,2]", "W[output,2,1]", "b[hidden,3]", "b[output,1]")


def problem(engine: str, rng: np.random.Generator, *, dtype: str = "float64", **options: Any) -> tuple[Model, Any, Any]:
    network = Network.mlp(2, [3], 1, activation="tanh", output="sigmoid", **options)
    model = Model(network, "binary_cross_entropy", "adam", seed=3, dtype=dtype, engine=engine, l2=0.01)
    X = rng.normal(size=(20, 2))
    return model, X, (X.sum(axis=1) > 0).astype(float)


def brute(model: Model, name: str, value: float, X: Any, y: Any) -> float:
    """The loss with one weight set to a value by hand, and set back."""
    kind, _, inside = name.partition("[")
    layer, *index = inside.rstrip("]").split(",")
    array = model.parameters[layer][kind]
    place = tuple(int(i) - 1 for i in index)
    kept = array[place]
    array[place] = value
    try:
        return model.evaluate(X, y)["loss"]
    finally:
        array[place] = kept


@pytest.mark.parametrize("name", NAMES)
def test_the_curve_is_what_brute_force_gives(name: str, engine: str, rng: np.random.Generator) -> None:
    model, X, y = problem(engine, rng)
    before = model.training.parameters.copy()
    turned = model.turn(name, X=X, y=y, reach=3, points=11)
    assert (model.training.parameters == before).all()
    assert turned.names == (name,)
    assert turned.values[0][5] == turned.at[0]
    expected = [brute(model, name, value, X, y) for value in turned.values[0]]
    np.testing.assert_allclose(turned.loss, expected, rtol=1e-12)
    assert turned.loss_now == pytest.approx(model.evaluate(X, y)["loss"], rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_its_slope_is_the_gradient(name: str, engine: str, rng: np.random.Generator) -> None:
    model, X, y = problem(engine, rng)
    turned = model.turn(name, X=X, y=y, reach=1e-4, points=3)
    slope = (turned.loss[2] - turned.loss[0]) / (turned.values[0][2] - turned.values[0][0])
    kind, _, inside = name.partition("[")
    layer, *index = inside.rstrip("]").split(",")
    gradient = model.loss_and_gradients(X, y)[1][layer][kind][tuple(int(i) - 1 for i in index)]
    assert turned.gradient[0] == pytest.approx(gradient, rel=1e-12)
    assert slope == pytest.approx(gradient, abs=1e-6 * max(1, abs(gradient)))


def test_two_weights_make_a_surface(engine: str, rng: np.random.Generator) -> None:
    model, X, y = problem(engine, rng)
    turned = model.turn("W[hidden,1,2]", "b[output,1]", X=X, y=y, points=5)
    assert turned.loss.shape == (5, 5)
    for i, first in enumerate(turned.values[0]):
        line = model.turn("b[output,1]", X=X, y=y, values=[turned.values[1]])
        assert line.loss.shape == (5,)
        points = [(first, second) for second in turned.values[1]]
        np.testing.assert_allclose(turned.loss_at(points), turned.loss[i], rtol=1e-12)
    lowest = np.unravel_index(turned.loss.argmin(), (5, 5))
    assert turned.lowest == (turned.values[0][lowest[0]], turned.values[1][lowest[1]])
    alone = model.turn("b[output,1]", X=X, y=y, points=5)
    np.testing.assert_allclose(turned.loss[2], alone.loss, rtol=1e-12)


def test_predictions_are_those_of_the_turned_network(engine: str, rng: np.random.Generator) -> None:
    model, X, y = problem(engine, rng)
    turned = model.turn("W[output,1,1]", X=X, y=y, values=[[-2.0, model.parameters["output"]["W"][0, 0], 2.0]])
    outputs = turned.outputs(X)
    assert outputs.shape == (3, 20, 1)
    np.testing.assert_allclose(outputs[1], model.predict(X), rtol=1e-12)
    np.testing.assert_allclose(turned.outputs(X, [[2.0]])[0], outputs[2], rtol=1e-12)
    assert not np.allclose(outputs[0], outputs[2])


def test_single_precision_is_turned_in_double(engine: str, rng: np.random.Generator) -> None:
    model, X, y = problem(engine, rng, dtype="float32")
    turned = model.turn("W[hidden,1,1]", X=X, y=y)
    assert turned.loss.dtype == np.float64
    assert turned.loss_now == pytest.approx(model.evaluate(X, y)["loss"], rel=1e-5)
    assert len(turned.values[0]) == 121


def test_rows_weigh_and_dropout_and_statistics_are_those_of_prediction(engine: str, rng: np.random.Generator) -> None:
    model, X, y = problem(engine, rng, dropout=0.5, batch_norm=True)
    model.fit(X, y, epochs=2)
    weights = rng.random(20)
    turned = model.turn("scale[hidden_norm,2]", X=X, y=y, sample_weight=weights, points=3)
    assert turned.loss_now == pytest.approx(model.evaluate(X, y, weights)["loss"], rel=1e-12)


def test_several_heads_and_codes(engine: str) -> None:
    x, codes = Input(2, name="x"), Input(1, name="code", dtype="integer")
    looked = Flatten(name="flat")(Embedding(4, 2, name="table")(codes))
    heads = {"a": Dense(1, name="first")(x), "b": Dense(3, activation="softmax", name="second")(looked)}
    losses = {"a": "squared_error", "b": "cross_entropy"}
    model = Model(Network(inputs=[x, codes], outputs=heads), losses, dtype="float64", engine=engine)
    X, y = {"x": [[1.0, 2.0], [3.0, 4.0]], "code": [[1], [3]]}, {"a": [1.0, 2.0], "b": [0, 2]}
    turned = model.turn("W[table,2,1]", "W[first,1,1]", X=X, y=y, points=3)
    assert turned.loss_now == pytest.approx(model.evaluate(X, y)["loss"])
    outputs = turned.outputs(X)
    assert {name: said.shape for name, said in outputs.items()} == {"a": (3, 3, 2, 1), "b": (3, 3, 2, 3)}
    assert not np.allclose(outputs["b"][0, 0, 0], outputs["b"][2, 0, 0]), "the first row's code is looked up there"
    np.testing.assert_array_equal(outputs["b"][0, 0, 1], outputs["b"][2, 0, 1])


def test_of_an_ensemble_it_is_the_first(engine: str, rng: np.random.Generator) -> None:
    X = rng.normal(size=(6, 2))
    model = Model.ensemble(Network.mlp(2, [3], 1), "squared_error", members=3, engine=engine, dtype="float64")
    alone = model.member(1).turn("W[hidden,1,1]", X=X, y=X[:, 0], points=5)
    np.testing.assert_array_equal(model.turn("W[hidden,1,1]", X=X, y=X[:, 0], points=5).loss, alone.loss)


def test_more_copies_than_fit_at_once_give_the_same(
    engine: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, X, y = problem(engine, rng)
    whole = model.turn("W[hidden,1,1]", X=X, y=y, points=20)
    monkeypatch.setattr("chainrule.knobs.turning.AT_ONCE", 3 * model.training.parameters.size)
    parts = model.turn("W[hidden,1,1]", X=X, y=y, points=20)
    np.testing.assert_allclose(parts.loss, whole.loss, rtol=1e-14)
    np.testing.assert_allclose(parts.outputs(X), whole.outputs(X), rtol=1e-14)


def test_a_trail_lies_in_the_landscape(engine: str, rng: np.random.Generator) -> None:
    model, X, y = problem(engine, rng)
    trail = Trail("W[hidden,1,2]", "b[output,1]")
    model.fit(X, y, epochs=15, callbacks=trail)
    turned = model.turn("b[output,1]", "W[hidden,1,2]", X=X, y=y, points=7, trail=trail)
    for values, walked in zip(turned.values, trail.values[:, ::-1].T, strict=True):
        assert values[0] < walked.min()
        assert values[-1] > walked.max()
    assert trail.values[-1] == pytest.approx(turned.at[::-1])
    assert all(at in values for at, values in zip(turned.at, turned.values, strict=True))


def test_threshold_units_have_a_curve_and_no_slope(rng: np.random.Generator) -> None:
    model = Model(Network.mlp(2, [3], 1, activation="threshold"), "squared_error")
    turned = model.turn("W[hidden,1,1]", X=rng.normal(size=(5, 2)), y=np.ones(5))
    assert len(np.unique(turned.loss)) < 8, "steps"
    with pytest.raises(TrainingError, match="threshold"):
        _ = turned.gradient


def test_what_overflows_is_no_number_and_doesnt_fail(engine: str) -> None:
    model = Model(Network.mlp(1, [1], 1, activation="exponential"), "squared_error", dtype="float64", engine=engine)
    turned = model.turn("W[hidden,1,1]", X=[[1.0]], y=[1.0], values=[[0.0, 1e6]])
    assert np.isfinite(turned.loss[0])
    assert not np.isfinite(turned.loss[1])
    assert turned.lowest == (0.0,)


@pytest.mark.parametrize(
    ("names", "options", "words"),
    [
        ((), {}, "0 weights are named"),
        (("W[hidden,1,1]",) * 3, {}, "3 weights are named"),
        (("W[hidden,1,1]", "W[ hidden , 1, 1]"), {}, r"W\[hidden,1,1\] is named twice"),
        (("W[hiden,1,1]",), {}, 'Did you mean "hidden"'),
        (("W[hidden,9,1]",), {}, "the index 9 is above 2"),
        (("z[hidden,1]",), {}, "is computed"),
        (("dL/dW[hidden,1,1]",), {}, "is computed"),
        (("w12",), {}, "several weights"),
        (("w_19",), {}, "is no name of a quantity|there is no quantity"),
        ((3,), {}, "called by its name"),
        (("W[hidden,1,1]",), {"reach": 0}, "reach is 0"),
        (("W[hidden,1,1]",), {"points": 1}, "points is 1"),
        (("W[hidden,1,1]",), {"values": [[1.0], [2.0]]}, "a list of them for each weight"),
        (("W[hidden,1,1]",), {"values": [["a"]]}, "a list of them for each weight"),
        (("W[hidden,1,1]",), {"values": [[1.0]], "points": 3}, "not both"),
        (("W[hidden,1,1]",), {"trail": "b[output,1]"}, "must be a chainrule.Trail"),
        (("W[hidden,1,1]",), {"trail": Trail("b[output,1]")}, r"the trail has no W\[hidden,1,1\]"),
    ],
)
def test_mistakes(names: Any, options: Any, words: str, rng: np.random.Generator) -> None:
    model, X, y = problem("reference", rng)
    with pytest.raises(InputError, match=words):
        model.turn(*names, X=X, y=y, **options)


def test_points_of_another_shape_are_refused(rng: np.random.Generator) -> None:
    model, X, y = problem("reference", rng)
    with pytest.raises(InputError, match=r"\(points, 1\) would be right"):
        model.turn("W[hidden,1,1]", X=X, y=y).loss_at([1.0, 2.0])
    with pytest.raises(InputError, match="points are numbers"):
        model.turn("W[hidden,1,1]", X=X, y=y).outputs(X, "here")


@examples(40)
@given(data=st.data())
def test_any_weight_of_any_network(engine: str, data: st.DataObject) -> None:
    """The loss beside what `evaluate` says of a copy with the weight set by hand; the gradient beside the model's."""
    problem = data.draw(general_problems(engine))
    model = problem.model
    spans = model.network.layout.spans
    if not spans:
        return
    span = data.draw(st.sampled_from(spans))
    index = tuple(data.draw(st.integers(0, n - 1)) for n in span.shape)
    name = f"{span.name}[{span.layer},{','.join(str(i + 1) for i in index)}]"
    value = data.draw(st.floats(-3, 3).filter(lambda value: value >= span.least))
    turned = turn_rows(model, [name], problem.data, values=[[value]])
    copied = copy.deepcopy(model)
    copied.parameters[span.layer][span.name][index] = value
    for one, loss in ((model, turned.loss_now), (copied, turned.loss[0])):
        sums = one._engine.losses(one.training.parameters, one.training.state, problem.data)
        assert loss == pytest.approx(sums.loss(one.objective), rel=1e-12, abs=1e-12)
    gradient = model.gradients(problem.data)[1][span.layer][span.name][index]
    assert turned.gradient[0] == pytest.approx(gradient, rel=1e-12, abs=1e-12)

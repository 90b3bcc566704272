"""The derivation against the engine: every quantity, every route to it, every formula as printed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import problems
import pytest
import registered
from generated import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import Problem, general_problems, traced

from chainrule import Activation, Dense, Input, InputError, Model, Network
from chainrule.activations import ActivationFunction
from chainrule.explain.derivation import Derivation
from chainrule.explain.formula import Node, Number, Product, Quotient, symbols_of
from chainrule.explain.formula import evaluate as evaluate_tree
from chainrule.explain.formula.tree import rebuild
from chainrule.explain.network.costs import MANY
from chainrule.explain.network.trace import Moment, Trace
from chainrule.explain.quantities.names import Name
from chainrule.losses import Loss
from chainrule.optimizers import Optimizer


def derive(problem: Problem, training: bool = False) -> Derivation:
    return Derivation(traced(problem, training))


def close(a: float, b: float, scale: float = 1.0) -> bool:
    return math.isclose(a, b, rel_tol=1e-10, abs_tol=1e-10 * max(scale, 1.0))


def at_the_limit(tree: Node, values: dict[Name, float]) -> float:
    """The value of a formula, in which 0 times or over anything is 0: `y log(h)` at y = h = 0 is its limit."""

    def change(node: Node) -> Node | None:
        factors = node.factors if isinstance(node, Product) else (node.above,) if isinstance(node, Quotient) else ()
        return Number(0.0) if any(evaluate_tree(factor, values) == 0 for factor in factors) else None

    return float(evaluate_tree(rebuild(tree, change), values))


@examples(60)
@given(problem=general_problems("reference"), training=st.booleans())
def test_every_quantity_is_what_its_recipes_and_formulas_make_of_its_inputs(problem: Problem, training: bool) -> None:
    check_every_quantity(derive(problem, training))


THINGS = [*registered.ACTIVATIONS, *registered.LOSSES, *registered.STEPWISE, *registered.LAYER_NAMES]


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: registered.label(thing) or thing)
def test_everything_registered_is_explained(thing: Any, rng: np.random.Generator) -> None:
    """Each formula that is printed gives the number that was computed: of one row, and of three in training."""
    loss = thing if isinstance(thing, Loss) else registered.LOSSES[0]
    network = problems.network_with(
        thing if isinstance(thing, str) else "Activation",
        thing if isinstance(thing, ActivationFunction) else registered.ACTIVATIONS[1],
        registered.usual_output(loss),
    )
    optimizer = thing if isinstance(thing, Optimizer) else "adam"
    for rows, training in ((1, False), (3, True)):
        model, data = problems.smooth_problem(
            lambda: Model(network, loss, optimizer, dtype="float64", engine="reference"), loss, rng, rows=rows,
            training=training,
        )  # fmt: skip
        trace = Trace(model.network, model.objective, Moment.of(model), data, training=training)
        check_every_quantity(Derivation(trace))


def check_every_quantity(work: Derivation) -> None:
    graph = work.graph
    for quantity in work:
        assert graph.parse(str(quantity.name)) == quantity.name
        for recipe in graph.recipes(quantity.name):
            inputs = [abs(graph.value(name)) for name in recipe.inputs]
            scale = max(inputs, default=1.0)
            if not all(map(math.isfinite, inputs)) or scale > 1e6:
                continue
            assert close(recipe.value(graph.value), quantity.value, scale), (quantity.name, recipe)
            tree = recipe.tree()
            if tree is not None:
                found = at_the_limit(tree, {s: graph.value(s) for s in symbols_of(tree) if isinstance(s, Name)})
                assert close(found, quantity.value, scale), (quantity.name, recipe.general)


@examples(30)
@given(data=st.data())
def test_gradients_are_those_of_the_training_engine(engine: str, data: st.DataObject) -> None:
    problem = data.draw(general_problems(engine))
    work = derive(problem)
    loss, gradients = problem.model.loss_and_gradients(problem.X, problem.y, problem.sample_weight)
    assert close(work["L"].value, loss, abs(loss))
    for span in problem.model.network.layout.spans:
        found = np.array(
            [
                work[f"dL/d{span.name}[{span.layer},{','.join(str(i + 1) for i in index)}]"].value
                for index in np.ndindex(span.shape)
            ]
        ).reshape(span.shape)
        np.testing.assert_allclose(found, gradients[span.layer][span.name], rtol=1e-10, atol=1e-12)


@examples(40)
@given(problem=general_problems("reference"), training=st.booleans())
def test_uses_are_counted_right(problem: Problem, training: bool) -> None:
    work = derive(problem, training)
    counted: dict = {}
    for quantity in work:
        for name in quantity.inputs:
            counted[name] = counted.get(name, 0) + 1
    assert not any(span for span in problem.model.network.layout.spans if np.prod(span.shape) > MANY)
    for name in [*work.graph.in_order(), *(n for n in counted if work.graph.is_given(n))]:
        assert work[str(name)].uses == counted.get(name, 0), name


@examples(20)
@given(problem=general_problems("reference"))
def test_the_order_is_one_of_computation(problem: Problem) -> None:
    work = derive(problem, training=True)
    names = list(work.graph.in_order())
    assert len(names) == len(set(names))
    seen = set()
    for name in names:
        assert all(source in seen or work.graph.is_given(source) for source in work[str(name)].inputs), name
        seen.add(name)
    positions = [work.graph.position(name) for name in names]
    for name, place in zip(names, positions, strict=True):
        for source in work[str(name)].inputs:
            assert work.graph.position(source) < place, (name, source)


def model_of_two() -> Model:
    net = Network.mlp(2, [2], 1, activation="sigmoid", output="sigmoid")
    model = Model(net, "binary_cross_entropy", "sgd")
    model.set_parameters(
        {
            "hidden": {"W": [[0.2, 0.4], [0.3, 0.7]], "b": [0.1, 0.2]},
            "output": {"W": [[0.5], [0.6]], "b": [0.3]},
        }
    )
    return model


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("z[hiden,1]", 'Did you mean "hidden"'),
        ("z[hidden,3]", "the index 3 is above 2"),
        ("z[hidden]", "is not how z is indexed"),
        ("z[1]", "not how z is indexed"),
        ("q[hidden,1]", 'there is no quantity "q"'),
        ("z[row 2; hidden,1]", "there is 1 row"),
        ("dL/dW[row 1; hidden,1,1]", "belongs to all rows"),
        ("dh/dz[hidden,1,1]", "one index is enough"),
        ("W[hidden,0,1]", "from 1"),
        ("what is this", "is no name of a quantity"),
    ],
)
def test_wrong_names_are_explained(name: str, message: str) -> None:
    work = model_of_two().explain([0.5, 0.8], 1)
    with pytest.raises(InputError, match=message.replace("[", r"\[")):
        work[name]


def test_with_several_rows_a_name_says_which() -> None:
    work = model_of_two().explain([[0.5, 0.8], [0.1, 0.2]], [1, 0])
    with pytest.raises(InputError, match="doesn't say which of the 2 rows"):
        work["z[hidden,1]"]
    assert work["z[row 1; hidden,1]"].value == pytest.approx(0.44)


def test_a_float32_model_is_explained_in_float64() -> None:
    work = model_of_two().explain([0.5, 0.8], 1)
    w = float(np.float32(0.2)) * 0.5 + float(np.float32(0.3)) * 0.8 + float(np.float32(0.1))
    assert work["z[hidden,1]"].value == w


def test_saturated_logits_have_finite_deltas() -> None:
    model = Model(Network.mlp(1, [], 1, output="sigmoid"), "binary_cross_entropy", "sgd", dtype="float64")
    model.set_parameters({"output": {"W": [[1000.0]], "b": [0.0]}})
    work = model.explain([1.0], 0)
    assert work["loss[1]"].value == 1000.0
    assert work["dL/dz[output,1]"].value == 1.0
    assert work["dL/dW[output,1,1]"].value == 1.0
    assert work.paths("W[output,1,1]").total == 1.0


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "poisson", "squared_error"])
@pytest.mark.parametrize("rows", [1, 3])
def test_without_targets_there_is_the_forward_pass_alone(loss: str, rows: int) -> None:
    output = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "poisson": "exponential"}.get(loss, "tanh")
    model = Model(Network.mlp(2, [3], 2, output=output), loss, dtype="float64")
    X = np.linspace(-1, 1, 2 * rows).reshape(rows, 2)
    work = model.explain(X[0] if rows == 1 else X)
    row = "" if rows == 1 else f"row {rows}; "
    assert work[f"h[{row}output,2]"].value == pytest.approx(model.predict(X)[-1, 1], rel=1e-12)
    assert {quantity.name.kind for quantity in work} == {"z", "h"}
    with pytest.raises(InputError, match="depends on the target, and none is given"):
        work["L"]
    assert "forward only" in repr(work)
    assert "No target is given" in work.to_text()


@pytest.mark.parametrize("rows", [1, 3])
def test_a_threshold_with_nothing_to_learn_before_it_passes_a_gradient_of_0(rows: int) -> None:
    network = Network([Input(2), Activation("threshold", name="step"), Dense(1, name="output")])
    model = Model(network, "squared_error", "sgd", dtype="float64")
    X = np.linspace(-1, 1, 2 * rows).reshape(rows, 2)
    work = model.explain(X, np.ones(rows))
    row = "" if rows == 1 else f"row {rows}; "
    assert work[f"dL/dx[{row}2]"].formula == f"dL/dh[{row}step,2]*dh/dz[{row}step,2]"
    assert work[f"dh/dz[{row}step,2]"].value == work[f"dL/dx[{row}2]"].value == 0
    check_every_quantity(work)
    _, gradients = model.loss_and_gradients(X, np.ones(rows))
    assert work["dL/dW[output,2,1]"].value == pytest.approx(gradients["output"]["W"][1, 0], rel=1e-12)


@pytest.mark.parametrize("y", [None, [1.0, 2.0]])
@pytest.mark.parametrize(
    "X", [[[1.0, 2.0], [1.0]], np.ma.masked_array([1.0, 2.0], [False, True]), np.array([1.0, 2.0j]), ["a", "b"]]
)
def test_what_is_no_row_is_refused_as_in_training(X: Any, y: Any) -> None:
    model = Model(Network.mlp(2, [3], 1), "squared_error")
    with pytest.raises(InputError, match="X must be numbers"):
        model.explain(X, y)


@pytest.mark.parametrize("y", [[[1.0], [1.0, 2.0]], np.ma.masked_array([1.0], [True])])
def test_what_is_no_target_of_a_row_is_refused_as_in_training(y: Any) -> None:
    model = Model(Network.mlp(2, [3], 1), "squared_error")
    with pytest.raises(InputError, match="targets"):
        model.explain([1.0, 2.0], y)


def test_a_row_of_no_inputs_is_refused() -> None:
    with pytest.raises(InputError, match="X"):
        Model(Network.mlp(2, [2], 1), "squared_error").explain({})

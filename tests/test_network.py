"""Networks: three ways to describe one, what fits together, names, JSON, counts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import registered
from hypothesis import given
from hypothesis import strategies as st
from strategies import chains, graphs

from chainrule import (
    Activation,
    Add,
    BatchNorm,
    Concatenate,
    Dense,
    Dropout,
    Flatten,
    Input,
    Model,
    Network,
    NetworkError,
)  # fmt: skip
from chainrule.activations import LeakyReLU

some_graphs = graphs(st.lists(st.sampled_from(registered.LOSSES), min_size=1, max_size=3)).map(lambda pair: pair[0])


def people() -> Network:
    """Three heads on one trunk: gender (binary), age (a number), mood (three classes)."""
    x = Input(4, name="x")
    h = Dense(16, activation="relu", name="hidden")(x)
    return Network(
        inputs=x,
        outputs={
            "gender": Dense(1, activation="sigmoid", name="gender")(h),
            "age": Dense(1, name="age")(h),
            "mood": Dense(3, activation="softmax", name="mood")(h),
        },
    )


class TestDescription:
    def test_a_chain_a_graph_and_mlp_describe_the_same(self) -> None:
        chain = Network(
            [
                Input(4, name="x"),
                Dense(3, activation="tanh", name="hidden_1"),
                Dense(2, activation="tanh", name="hidden_2"),
                Dense(1, activation="linear", name="output"),
            ]
        )
        x = Input(4, name="x")
        first = Dense(3, activation="tanh", name="hidden_1")(x)
        second = Dense(2, activation="tanh", name="hidden_2")(first)
        graph = Network(inputs=x, outputs=Dense(1, activation="linear", name="output")(second))
        assert chain == graph == Network.mlp(4, [3, 2], 1, activation="tanh")
        assert hash(chain) == hash(graph)

    def test_several_heads_and_inputs_keep_their_order(self) -> None:
        a, b = Input(2, name="a"), Input(3, name="b")
        h = Concatenate()(b, a)
        network = Network(inputs=[b, a], outputs={"second": Dense(1)(h), "first": Dense(2)(h)})
        assert list(network.input_shapes.items()) == [("b", (3,)), ("a", (2,))]
        assert [(head.name, head.shape) for head in network.heads] == [("second", (1,)), ("first", (2,))]
        assert [head.name for head in people().heads] == ["gender", "age", "mood"]

    def test_inputs_need_not_be_said(self) -> None:
        x = Input(2, name="x")
        assert Network(outputs=Dense(1)(x)) == Network(inputs=x, outputs=Dense(1)(x))

    def test_a_value_may_be_read_more_than_once(self) -> None:
        x = Input(2, name="x")
        h = Dense(2, name="h")(x)
        network = Network(inputs=x, outputs=Add(name="sum")(h, h, x))
        assert [(node.layer.name, node.inputs) for node in network.nodes][-1] == ("sum", ("h", "h", "x"))

    def test_two_heads_may_have_one_value(self) -> None:
        h = Dense(2, name="h")(Input(2))
        network = Network(outputs={"a": h, "b": h})
        assert network.heads[0].slot == network.heads[1].slot

    @pytest.mark.parametrize(
        ("hidden", "options", "names"),
        [
            ([], {}, ["x", "output"]),
            ([5], {}, ["x", "hidden", "output"]),
            ([5, 4], {"dropout": 0.5}, ["x", "hidden_1", "hidden_1_dropout", "hidden_2", "hidden_2_dropout", "output"]),
            ([5], {"batch_norm": True}, ["x", "hidden", "hidden_norm", "hidden_activation", "output"]),
        ],
        ids=str,
    )
    def test_names_of_mlp(self, hidden: list[int], options: dict[str, Any], names: list[str]) -> None:
        network = Network.mlp(3, hidden, 2, **options)
        assert [layer.name for layer in network.layers] == names

    def test_mlp_puts_batch_norm_before_the_activation_and_dropout_behind(self) -> None:
        network = Network.mlp(3, [5], 2, activation="selu", output="softmax", batch_norm=True, dropout=0.1, bias=False)
        kinds = [Dense, BatchNorm, Activation, Dropout, Dense, Activation]
        assert [type(step.layer) for step in network.steps] == kinds
        assert network.count(biases=False).biases == 0
        assert network.count().biases == 5, "the shifts of batch normalization alone"
        drawn = Model(network, "cross_entropy", dtype="float64", seed=1).parameters["hidden"]["W"]
        sugar = Network.mlp(3, [5], 2, activation="selu", bias=False)
        same = Model(sugar, "squared_error", dtype="float64", seed=1).parameters["hidden"]["W"]
        np.testing.assert_array_equal(drawn, same, "the activation's own initializer, also around batch_norm")

    def test_layers_without_a_name_get_one(self) -> None:
        network = Network([Input(2), Dense(3), BatchNorm(), Dense(2, name="dense_1"), Dense(1)])
        names = [layer.name for layer in network.layers]
        assert names == ["input", "dense_2", "batch_norm", "dense_1", "dense_3"]
        assert len(set(names)) == len(names)

    def test_descriptions_are_left_as_they_were(self) -> None:
        x, layer = Input(2), Dense(1)
        Network(inputs=x, outputs=layer(x))
        assert (x.name, layer.name) == ("", "")


def twice() -> Any:
    shared = Dense(2, name="shared")
    return shared(shared(Input(2)))


# what is made, and what the message says
WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: Network(), "a network needs layers, or inputs and outputs"),
    (
        lambda: Network([Input(2), Dense(1)], outputs=Dense(1)(Input(2))),
        "give either a list of layers, or inputs and outputs",
    ),
    (lambda: Network([]), "a chain of layers begins with an Input"),
    (lambda: Network([Dense(1)]), r"begins with an Input, as in Network\(\[Input\(4\), Dense\(1\)\]\)"),
    (lambda: Network([Input(2), "relu"]), "a network is made of layers; 'relu' is not one"),
    (lambda: Network([Input(2)]), 'head "input" is the input "input" itself: there is nothing to train'),
    (lambda: Network(outputs={}), "a network needs at least one output"),
    (lambda: Network(inputs=Input(2), outputs=Dense(1)), r"Dense was handed in where a value belongs; apply it first"),
    (lambda: Dense(1)(Dense(2)), r"apply it first, as in Dense\(3\)\(x\)"),
    (lambda: Dense(1)(np.zeros(3)), "a layer reads values made by other layers, not array"),
    (lambda: Network(outputs=[Dense(1)(Input(2))]), "a layer reads values made by other layers, not"),
    (lambda: Network(outputs=twice()), 'the layer "shared" is applied twice.* make a second layer'),
    (
        lambda: Network(inputs=Input(2, name="a"), outputs=Dense(1)(Input(3, name="b"))),
        "the outputs depend on inputs that are not among `inputs`: b",
    ),
    (
        lambda: Network(inputs=[x := Input(2), Input(3, name="b")], outputs=Dense(1)(x)),
        "no output depends on these inputs: b",
    ),
    (
        lambda: Network([Input(2), Dense(1, name="a"), Dense(1, name="a")]),
        'two layers are called "a"; names must differ',
    ),
    (
        lambda: Network([Input(2), Dense(1, name="a/b")]),
        "'a/b' can't be a name: ",
    ),
    (lambda: Network([Input(2), Dense(1, name="a b")]), "can't be a name"),
    (lambda: Network(outputs={"a,b": Dense(1)(Input(2))}), "can't be a name"),
    (lambda: Network([Input(2), Dense(1, name=3)]), "3 can't be a name"),
]


@pytest.mark.parametrize(("make", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_descriptions_that_dont_fit_together(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        make()


class TestJson:
    @given(network=chains() | some_graphs)
    def test_round_trip(self, network: Network) -> None:
        text = network.to_json()
        copy = Network.from_json(text)
        assert copy == network
        assert hash(copy) == hash(network)
        assert copy.to_json() == text
        assert copy.program == network.program
        assert Network.from_dict(network.to_dict()) == network

    def test_every_layer_with_every_field(self) -> None:
        x = Input((2, 2), name="x")
        flat = Flatten(name="flat")(x)
        h = Dense(4, LeakyReLU(slope=0.3), False, "orthogonal", "normal", 0.1, 0.2, True, False, name="d")(flat)
        n = BatchNorm(momentum=0.3, epsilon=1e-3, trainable=False, name="n")(h)
        joined = Concatenate(name="c")(Dropout(0.1, name="drop")(n), Add(name="sum")(h, n))
        network = Network(inputs=x, outputs={"out": Activation("softmax", name="a")(joined)})
        form = network.to_dict()
        assert Network.from_dict(json.loads(json.dumps(form))) == network
        assert form["layers"][2] == {
            "type": "Dense", "name": "d", "units": 4, "activation": {"name": "leaky_relu", "slope": 0.3}, "bias": False,
            "initializer": "orthogonal", "bias_initializer": "normal", "l1": 0.1, "l2": 0.2, "penalize_bias": True,
            "trainable": False, "inputs": ["flat"],
        }  # fmt: skip

    def test_numbers_of_numpy_fit_in(self) -> None:
        network = Network([Input(np.int64(2)), Dense(np.int64(3), l2=np.float32(0.5)), Dropout(np.float32(0.25))])
        assert Network.from_json(network.to_json()) == network

    def test_equality_minds_order_and_names(self) -> None:
        h = Dense(2, name="h")(Input(2, name="x"))
        a, b = Dense(1, name="a")(h), Dense(1, name="b")(h)
        network = Network(outputs={"a": a, "b": b})
        form = network.to_dict()
        turned = Network.from_dict({**form, "outputs": dict(reversed(form["outputs"].items()))})
        assert turned.nodes == network.nodes
        assert turned != network, "heads come out in another order"
        assert Network.mlp(2, [3], 1) != Network.mlp(2, [4], 1)
        assert Network.mlp(2, [3], 1) != "a network"

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda form: None, "a network's JSON form has the format .*; this one has None"),
            (lambda form: [], "this one has"),
            (lambda form: {**form, "format": "chainrule-network/2"}, "this one has 'chainrule-network/2'"),
            (lambda form: {k: v for k, v in form.items() if k != "layers"}, "layers"),
            (lambda form: {k: v for k, v in form.items() if k != "outputs"}, "outputs"),
            (lambda form: {**form, "layers": [{}]}, "this one is {}"),
            (lambda form: {**form, "layers": ["Dense"]}, "layer"),
            (lambda form: edited(form, 1, type="Dens"), "there is no layer type 'Dens'. Did you mean \"Dense\""),
            (lambda form: edited(form, 1, unit=3), 'layer "hidden" can\'t be made from its JSON form'),
            (lambda form: edited(form, 1, inputs=["y"]), 'layer "hidden" reads "y", which no layer before it makes'),
            (lambda form: edited(form, 1, inputs=["output"]), "which no layer before it makes"),
            (lambda form: edited(form, 1, inputs=[]), r"reads 1 value\(s\); it was given 0"),
            (lambda form: edited(form, 1, inputs=None), "inputs"),
            (lambda form: edited(form, 1, name="output"), 'two layers are called "output"'),
            (lambda form: edited(form, 1, name=""), "can't be a name"),
            (lambda form: {**form, "outputs": {"y": "ouput"}},
             'head "y" is the value of "ouput", which is no layer. Did you mean'),
            (lambda form: {**form, "outputs": {}}, "output"),
            (lambda form: {**form, "outputs": {"a b": "output"}}, "can't be a name"),
        ],
    )  # fmt: skip
    def test_forms_that_are_damaged(self, change: Callable[[Any], Any], message: str) -> None:
        """A file that somebody edited: a NetworkError that says where, never a KeyError from inside."""
        with pytest.raises(NetworkError, match=message):
            Network.from_dict(change(Network.mlp(2, [3], 1).to_dict()))

    def test_limits_hold_for_forms_too(self) -> None:
        with pytest.raises(ValueError, match="Dense: units is -3"):
            Network.from_dict(edited(Network.mlp(2, [3], 1).to_dict(), 1, units=-3))

    def test_text_that_is_no_json(self) -> None:
        with pytest.raises(NetworkError, match="this is not JSON: Expecting"):
            Network.from_json("{")


def edited(form: dict[str, Any], index: int, **changes: Any) -> dict[str, Any]:
    layers = [dict(entry) for entry in form["layers"]]
    layers[index].update(changes)
    return {**form, "layers": layers}


class TestCounts:
    # sizes, with biases, weights, biases, total: the notes' own networks, and the weight calculator's
    @pytest.mark.parametrize(
        ("sizes", "bias", "weights", "biases"),
        [
            ((4, 3, 2, 1), False, 20, 0),
            ((4, 3, 2), False, 18, 0),
            ((3, 3, 1), True, 12, 4),
            ((5, 4, 3, 2, 1), True, 40, 10),
            ((4, 3, 2, 1), True, 20, 6),
            ((2, 2, 1), True, 6, 3),
        ],
        ids=str,
    )
    def test_dense_networks(self, sizes: tuple[int, ...], bias: bool, weights: int, biases: int) -> None:
        network = Network.mlp(sizes[0], sizes[1:-1], sizes[-1], bias=bias)
        count = network.count()
        assert (count.weights, count.biases, count.total) == (weights, biases, weights + biases)
        assert count.weights == sum(a * b for a, b in pairwise(sizes))
        without = network.count(biases=False)
        assert (without.weights, without.biases, without.total) == (weights, 0, weights)
        per_layer = [(layer.weights, layer.biases) for layer in count.layers]
        assert per_layer == [(a * b, b * bias) for a, b in pairwise(sizes)]

    @given(network=chains() | some_graphs)
    def test_every_parameter_is_counted_once(self, network: Network) -> None:
        count = network.count()
        parameters = Model(
            network, {head.name: "squared_error" for head in network.heads}, engine="reference"
        ).parameters
        assert count.total == sum(a.size for arrays in parameters.values() for a in arrays.values())
        assert count.total == count.weights + count.biases + count.scales == sum(c.total for c in count.layers)

    def test_batch_norm_has_scales_and_shifts(self) -> None:
        count = Network([Input(3), BatchNorm(name="n"), Dense(2, name="d")]).count()
        assert [(c.name, c.weights, c.biases, c.scales) for c in count.layers] == [("n", 0, 3, 3), ("d", 6, 2, 0)]
        assert count.total == 14


def test_summary() -> None:
    x = Input((2, 2), name="image")
    h = Dense(1200, activation="relu", name="hidden")(Flatten(name="flat")(x))
    n = Dropout(0.5, name="drop")(BatchNorm(name="norm")(h))
    network = Network(inputs=x, outputs={"mood": Dense(3, activation="softmax", name="mood")(Add(name="sum")(n, h))})
    assert network.summary().splitlines() == [
        "layer   type       reads         output  weights  biases   total",
        "----------------------------------------------------------------",
        "image   Input                     2 x 2",
        "flat    Flatten    image              4",
        "hidden  Dense      flat            1200    4,800   1,200   6,000",
        "hidden  relu                       1200",
        "norm    BatchNorm  hidden          1200        0   1,200   2,400",
        "drop    Dropout    norm            1200",
        "sum     Add        drop, hidden    1200",
        "mood    Dense      sum                3    3,600       3   3,603",
        "mood    softmax                       3",
        "----------------------------------------------------------------",
        "total                                      8,400   2,403  12,003",
        "heads: mood (3)",
    ]
    assert Model(network, "cross_entropy").summary() == network.summary()


def test_repr_says_how_large() -> None:
    assert repr(people()) == "<Network of 5 layers, 165 parameters, heads gender: 1, age: 1, mood: 3>"


def test_more_layers_than_python_recurses(engine: str) -> None:
    """No recursion anywhere: a deep chain is built, written, read, run forward and backward, and trained."""
    network = Network.mlp(2, [2] * 1200, 1, activation="tanh")
    assert len(network.steps) == 2 * 1201 > 2 * sys.getrecursionlimit()
    assert Network.from_json(network.to_json()) == network
    model = Model(network, "squared_error", "sgd", dtype="float64", engine=engine)
    eye = {layer: {"W": np.eye(2)} for layer in model.parameters if layer != "output"}
    model.set_parameters(eye)  # signals of 0.03 pass nearly unchanged: they neither vanish nor explode
    X, y = np.array([[0.01, 0.02], [0.03, -0.01]]), np.zeros(2)
    _, gradients = model.loss_and_gradients(X, y)
    assert np.isfinite(gradients["hidden_1"]["W"]).all()
    before = model.parameters["output"]["W"].copy()
    model.fit(X, y, epochs=1)
    assert np.isfinite(model.predict(X)).all()
    assert (model.parameters["output"]["W"] != before).any()


class TestMlp:
    def test_one_value_for_each_hidden_layer_and_each_head(self) -> None:
        network = Network.mlp(
            4, [5, 3], {"age": 1, "mood": 3}, activation=["tanh", "relu"], output=["linear", "softmax"],
            dropout=[0.0, 0.2], initializer="orthogonal",
        )  # fmt: skip
        x = Input(4, name="x")
        h = Dense(5, activation="tanh", initializer="orthogonal", name="hidden_1")(x)
        h = Dense(3, activation="relu", initializer="orthogonal", name="hidden_2")(h)
        h = Dropout(0.2, name="hidden_2_dropout")(h)
        assert network == Network(
            inputs=x,
            outputs={
                "age": Dense(1, activation="linear", initializer="orthogonal", name="age")(h),
                "mood": Dense(3, activation="softmax", initializer="orthogonal", name="mood")(h),
            },
        )

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"activation": ["relu"]}, "activation has 1 entries for 2 hidden layers; one for each would be right"),
            ({"dropout": [0.1, 0.1, 0.1]}, "dropout has 3 entries for 2 hidden layers"),
            ({"output": ["linear", "softmax"]}, "output has 2 entries for 1 heads"),
        ],
    )
    def test_another_number_than_there_are(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(NetworkError, match=message):
            Network.mlp(4, [5, 3], 2, **options)


def test_a_summary_shows_names_that_would_act_on_a_terminal():
    x = Input(2, name="x\x1bc")
    network = Network(inputs=x, outputs={"out\u202e": Dense(1, name="d\x07")(x)})
    assert all(c == "\n" or c.isprintable() for c in network.summary())
    assert r"x\x1bc" in network.summary()

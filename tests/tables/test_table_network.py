"""A table's network: what its first layer is made of, and what categories without rows stand for."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.layers import Dense, EmbeddingSum, PiecewiseLinear
from chainrule.tables.preparation import prepare_table
from chainrule.tables.table_network import average_unseen, table_network


def prepared(**columns: list[object]):
    rows = {"n": [float(i * i % 17) for i in range(40)], "c": ["x", "y", None, "z"] * 10}
    return prepare_table(pl.DataFrame({**rows, **columns, "y": [i / 3 for i in range(40)]}), "y", validation=0, test=0)


def layers(network: cr.Network) -> list[str]:
    return [type(node.layer).__name__ for node in network.nodes]


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("hidden", [(), (5,), (5, 4)])
def test_the_first_layer_is_the_sum_of_a_dense_layer_over_the_encoded_columns(hidden, batch_norm):
    """With all pieces and rows at hand it says what NumPy says of the columns written out."""
    table = prepared()
    network = table_network(table, hidden, bins=6, batch_norm=batch_norm)
    model = cr.Model(network, "squared_error", dtype="float64")
    first = ("hidden" if len(hidden) == 1 else "hidden_1") if hidden else "output"
    by_name = {node.layer.name: node.layer for node in network.nodes}
    knots = np.array(by_name[f"{first}_pieces"].knots[0])
    x, codes = (table.train.X[name] for name in ("numbers", "categories"))
    e = np.clip((x[:, :1] - knots[:-1]) / np.diff(knots), 0, 1)
    hot = codes == np.arange(table.encoding.categorical[0].n_codes)
    W = model.parameters
    z = x @ W[f"{first}_numbers"]["W"] + W[f"{first}_numbers"]["b"]
    z = z + e @ W[f"{first}_pieces"]["W"] + hot @ W[f"{first}_categories"]["W"]
    if not hidden:
        np.testing.assert_allclose(model.predict(table.train.X), z, atol=1e-6)
    trace = model.explain({name: array[:1] for name, array in table.train.X.items()})
    symbol = "h" if hidden else "z"
    names = [f"{symbol}[{first}_sum,{j + 1}]" for j in range(z.shape[1])]
    np.testing.assert_allclose([trace[name].value for name in names] if hidden else z[0], z[0], atol=1e-6)


def test_what_a_table_has_none_of_is_left_out():
    only_numbers = prepared(c=[1.0, 2.0] * 20)
    assert layers(table_network(only_numbers, (3,))) == ["Input", "Dense", "Activation", "Dense"]
    only_categories = prepared(n=["p", "q"] * 20)
    assert layers(table_network(only_categories, (3,), bins=9)) == [
        "Input", "EmbeddingSum", "Activation", "Dense",
    ]  # fmt: skip


def test_columns_of_two_values_have_no_pieces():
    table = prepared(two=[0, 1] * 20)
    network = table_network(table, (3,), bins=8)
    (pieces,) = [node.layer for node in network.nodes if isinstance(node.layer, PiecewiseLinear)]
    assert [len(knots) > 2 for knots in pieces.knots] == [True, False]
    assert "PiecewiseLinear" not in layers(table_network(prepared(n=[0, 1] * 20), (3,), bins=8))


def test_codes_without_rows_are_the_average_of_the_others():
    table = prepared(c=["x", "x", "x", "z"] * 10)
    network = table_network(table, (3,))
    model = cr.Model.ensemble(network, "squared_error", members=2)
    average_unseen(model, table.train.X["categories"])
    for member in (1, 2):
        W = model.member(member).parameters["hidden_categories"]["W"]
        np.testing.assert_allclose(W[:2], [0.75 * W[2] + 0.25 * W[3]] * 2, rtol=1e-6)
    trained = cr.TableModel.train({"c": ["x", "z"] * 20, "y": [0.0, 1.0] * 20}, "y", hidden=(), members=2, test=0.0,
                                  task="regression", progress=False)  # fmt: skip
    low, high, middle = trained.predict({"c": ["x", "z", "never seen"]})
    assert middle == pytest.approx((low + high) / 2, abs=1e-3)


def test_layers_are_the_settings_own():
    network = table_network(prepared(), (7, 5), activation="tanh", dropout=0.3, bins=4)
    dense = [node.layer for node in network.nodes if isinstance(node.layer, (Dense, EmbeddingSum))]
    assert [layer.units for layer in dense] == [7, 7, 5, 1]
    assert layers(network).count("Dropout") == 2

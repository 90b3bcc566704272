"""The settings of a table's network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import chainrule as cr
from chainrule.tables.preparation import prepare_table
from chainrule.tables.settings import Settings, make_settings

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
FEW: dict[str, Any] = {"epochs": 5, "hidden": (8,), "members": 2, "progress": False}


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return cr.read_table(PENGUINS)


def test_defaults_work():
    assert make_settings() == Settings()


def test_an_unknown_setting(frame):
    with pytest.raises(cr.InputError, match=r'no setting "dropuot"\. Did you mean "dropout"\? There are hidden'):
        cr.TableModel.train(frame, "species", dropuot=0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dropout": 1.5}, r"Settings: dropout is 1\.5; it must be a number in \[0, 1\)"),
        ({"dropout": True}, "dropout is True"),
        ({"epochs": 0}, "epochs is 0; it must be a whole number of at least 1"),
        ({"epochs": 2.5}, "epochs is 2.5; it must be a whole number"),
        ({"patience": 0}, "patience is 0"),
        ({"learning_rate": 0}, "learning_rate is 0; it must be a number above 0"),
        ({"l2": -1}, "l2 is -1"),
        ({"clip_norm": 0.0}, "clip_norm is 0.0"),
        ({"hidden": 64}, r"hidden is 64; it must be the units of each hidden layer, as in \(64, 64\)"),
        ({"hidden": (8, 0)}, r"hidden is \(8, 0\)"),
        ({"hidden": "64"}, "hidden is '64'"),
        ({"hidden": None}, "hidden is None"),
        ({"batch_size": 0}, "batch_size is 0; it must be a whole number of at least 1"),
        ({"batch_size": "some"}, "batch_size is 'some'"),
        ({"seed": -1}, "seed is -1"),
        ({"activation": "nope"}, 'no activation "nope"'),
        ({"activation": "threshold"}, "can't be trained through"),
        ({"optimizer": "nope"}, 'no optimizer "nope"'),
        ({"engine": "nope"}, "engine is 'nope'"),
        ({"optimizer": "lbfgs", "dropout": 0.5}, "refuses dropout"),
        ({"optimizer": "lbfgs", "batch_size": 8}, "takes all rows at once"),
        ({"optimizer": cr.LBFGS(), "learning_rate": 0.1}, "leave learning_rate out"),
        ({"bins": -1}, r"bins is -1; it must be a whole number in \[0, 1000\]"),
        ({"label_smoothing": 1.0}, "label_smoothing is 1.0"),
        ({"hidden": (10**9, 10**9)}, "the network would have 1,000,000,.* parameters"),
    ],
    ids=str,
)
def test_out_of_range(frame, settings, message):
    with pytest.raises(cr.InputError, match=message):
        cr.TableModel.train(frame, "species", progress=False, **settings)


def test_objects_in_the_place_of_names(frame):
    from chainrule.activations import LeakyReLU

    model = cr.TableModel.train(
        frame,
        "species",
        activation=LeakyReLU(slope=0.3),
        optimizer=cr.SGD(0.1, momentum=0.9),
        learning_rate=0.05,
        **FEW,
    ).model
    assert model.optimizer == cr.SGD(0.05, momentum=0.9)
    (activation,) = [node.layer for node in model.network.nodes if isinstance(node.layer, cr.Activation)]
    assert activation.function == LeakyReLU(slope=0.3)


def test_batch_norm_leaves_a_single_last_row_out():
    """97 training rows in batches of 8: the plan that is printed counts the steps that are done."""
    settings = Settings(batch_norm=True, epochs=2, patience=5)
    prepared = prepare_table("iris", "target")
    assert (len(prepared.train), *settings.steps(prepared)) == (97, 8, 12)
    assert cr.TableModel.fit(prepared, settings, progress=False).history.last.step == 24
    assert Settings(batch_norm=True, hidden=()).steps(prepared) == (8, 13)


def test_no_hidden_layer(frame):
    model = cr.TableModel.train(
        frame, "species", hidden=[], activation="threshold", members=2, epochs=3, progress=False
    )
    kinds = [type(node.layer).__name__ for node in model.model.network.nodes]
    assert kinds == ["Input", "Input", "Dense", "EmbeddingSum", "Add", "Activation"]


def test_lbfgs(frame):
    model = cr.TableModel.train(frame, "species", optimizer="lbfgs", batch_size="full", **FEW)
    assert len(model.history) == 5


def test_label_smoothing_is_for_classes(frame):
    with pytest.raises(cr.InputError, match=r"label_smoothing is 0\.1, and the target is a number: leave it out"):
        cr.TableModel.train(frame, "body_mass_g", label_smoothing=0.1, progress=False)
    model = cr.TableModel.train(frame, "species", label_smoothing=0.1, **FEW)
    plain = cr.TableModel.train(frame, "species", **FEW)
    assert model.model.objective.heads[0].loss == cr.CrossEntropy(0.1)
    assert (model.model.training.parameters != plain.model.training.parameters).any()

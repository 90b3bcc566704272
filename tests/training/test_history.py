"""The history: numbers by name, JSON form."""

from __future__ import annotations

import json

import pytest

from chainrule import History, InputError
from chainrule.training.history import EpochRecord

RECORDS = [
    EpochRecord(1, 10, 0.5, 0.1, 1.5, 0.6, {"accuracy": 0.7}, {"accuracy": 0.65}),
    EpochRecord(2, 20, 0.4, 0.05, 2.5, 0.55, {"accuracy": 0.8}, {"accuracy": 0.75}),
]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("loss", [0.5, 0.4]), ("validation_loss", [0.6, 0.55]), ("learning_rate", [0.1, 0.05]), ("seconds", [1.5, 2.5]),
        ("accuracy", [0.7, 0.8]), ("validation_accuracy", [0.65, 0.75]),
    ],
)  # fmt: skip
def test_numbers_by_name(name: str, values: list) -> None:
    assert History(RECORDS)[name] == values


def test_columns_are_all_numbers_that_there_are() -> None:
    columns = History(RECORDS).columns()
    assert columns == {
        "epoch": [1, 2], "step": [10, 20], "loss": [0.5, 0.4], "learning_rate": [0.1, 0.05], "seconds": [1.5, 2.5],
        "validation_loss": [0.6, 0.55], "accuracy": [0.7, 0.8], "validation_accuracy": [0.65, 0.75],
    }  # fmt: skip
    assert "validation_loss" not in History([EpochRecord(1, 10, 0.5, 0.1, 1.5)]).columns()


def test_it_shows_itself_in_a_line() -> None:
    assert repr(History(RECORDS, "epochs")) == (
        "<History of 2 epochs: loss 0.4, validation loss 0.55; stopped by: epochs>"
    )
    assert repr(History([EpochRecord(1, 10, 0.5, 0.1, 1.5)])) == "<History of 1 epoch: loss 0.5>"
    assert repr(History()) == "<History of no epochs>"


@pytest.mark.parametrize(
    ("name", "message"),
    [("validation_r2", 'the history has no "validation_r2"'), ("acuracy", 'Did you mean "accuracy"')],
)
def test_a_number_that_no_epoch_has_is_an_error(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        History(RECORDS)[name]


def test_an_epoch_may_lack_a_number_that_others_have() -> None:
    assert History([*RECORDS, EpochRecord(3, 30, 0.3, 0.05, 3.5)])["validation_accuracy"] == [0.65, 0.75, None]
    assert History([EpochRecord(1, 10, 0.5, 0.1, 1.5)])["validation_loss"] == [None]
    assert History()["accuracy"] == []


def test_length_last_and_iteration() -> None:
    history = History(RECORDS, "epochs", 2)
    assert len(history) == 2
    assert history.last is RECORDS[1]
    assert list(history) == RECORDS
    assert History().last is None
    assert len(History()) == 0


def test_json_form_round_trip() -> None:
    history = History(RECORDS, "epochs", 2)
    assert History.from_dict(json.loads(json.dumps(history.to_dict()))) == history
    assert History.from_dict(History().to_dict()) == History()

"""Errors: their kinds, and the words in them."""

from __future__ import annotations

import pickle

import pytest

import chainrule
from chainrule.errors import (
    ChainruleError,
    DivergenceError,
    MissingDependencyError,
    did_you_mean,
    did_you_mean_file,
    listed,
)


def subclasses(kind: type[ChainruleError]) -> list[type[ChainruleError]]:
    return [kind, *(below for one in kind.__subclasses__() for below in subclasses(one))]


ERRORS = [kind for kind in subclasses(ChainruleError) if kind.__module__ == "chainrule.errors"]


def make(kind: type[ChainruleError], message: str) -> ChainruleError:
    return kind(message, epoch=1, step=2, layer=None) if issubclass(kind, DivergenceError) else kind(message)


@pytest.mark.parametrize(
    ("name", "builtin"),
    [("InputError", ValueError), ("NetworkError", ValueError), ("FileError", ValueError),
     ("EngineError", RuntimeError), ("TrainingError", RuntimeError), ("DivergenceError", RuntimeError)],
)  # fmt: skip
def test_each_is_ours_and_one_of_pythons_own(name: str, builtin: type[Exception]) -> None:
    error = getattr(chainrule, name)
    assert issubclass(error, ChainruleError)
    assert issubclass(error, builtin)


def test_a_missing_library_is_an_import_error() -> None:
    assert issubclass(MissingDependencyError, ImportError)


def test_divergence_survives_pickling_with_its_place() -> None:
    """Worker processes send their errors so."""
    error = pickle.loads(pickle.dumps(DivergenceError("too fast", epoch=2, step=7, layer="hidden")))
    assert (str(error), error.epoch, error.step, error.layer) == ("too fast", 2, 7, "hidden")


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_messages_never_act_on_a_terminal(kind: type[ChainruleError]) -> None:
    error = make(kind, 'column "\x1b[2J\u202e" is\nbad\x07')
    assert str(error) == 'column "\\x1b[2J\\u202e" is\nbad\\x07'
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_no_message_is_endless(kind: type[ChainruleError]) -> None:
    text = str(make(kind, f"the cell {'x' * 5_000_000} is bad"))
    assert len(text) < 20_000
    assert text.startswith("the cell xxx")
    assert text.endswith("xxx is bad")


@pytest.mark.parametrize(
    ("name", "candidates", "text"),
    [("specis", ["island", "species"], ' Did you mean "species"?'), ("zzz", ["species"], ""),
     ("dL/dw", ["dL/dz", "dL/dW"], ' Did you mean "dL/dW"?'), ("1", [1, 22], ' Did you mean "1"?'),
     ("x", [], "")],
)  # fmt: skip
def test_did_you_mean(name: str, candidates: list, text: str) -> None:
    assert did_you_mean(name, candidates) == text


@pytest.mark.parametrize(
    ("names", "limit", "text"),
    [([], 3, ""), (["a"], 3, "a"), ([1, 2, 3], 3, "1, 2, 3"), (range(5), 3, "0, 1, 2 and 2 more")],
)
def test_listed(names: list, limit: int, text: str) -> None:
    assert listed(names, limit) == text


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("penguin.csv", "penguins.csv"), ("Penguins.csv", "penguins.csv"), ("penguins.safetensors", "penguins.parquet"),
        ("irsi", "iris"), ("nothing.csv", None), ("model.safetensors", None),
    ],
)  # fmt: skip
def test_files_are_alike_by_their_names_not_by_their_endings(name: str, near: str | None) -> None:
    others = ["onecol.csv", "penguins.parquet", "penguins.csv", "s.safetensors", "iris"]
    assert did_you_mean_file(name, others) == (f' Did you mean "{near}"?' if near else "")

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

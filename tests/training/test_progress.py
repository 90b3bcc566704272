"""The progress bar: for people on standard error, silence for programs."""

from __future__ import annotations

import sys
from typing import Any

import problems
import pytest

from chainrule import Model, Network
from chainrule.training.progress import wanted


@pytest.mark.parametrize(
    ("progress", "terminal", "shown"),
    [("auto", True, True), ("auto", False, False), (True, False, True), (False, True, False)],
)
def test_who_sees_it(progress: Any, terminal: bool, shown: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert wanted(progress) is shown


@pytest.mark.parametrize("progress", ["auto", False])
def test_programs_hear_nothing(progress: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Model(Network.mlp(3, [], 1), "squared_error").fit(*problems.regression(8, 3), epochs=3, progress=progress)
    assert capsys.readouterr() == ("", "")


def test_the_bar_is_on_standard_error_and_changes_nothing(capsys: pytest.CaptureFixture[str], engine: str) -> None:
    models = [Model(Network.mlp(3, [], 1), "squared_error", engine=engine) for _ in range(2)]
    X, y = problems.regression(8, 3)
    for model, progress in zip(models, (True, False), strict=True):
        model.fit(X, y, epochs=3, validation=(X, y), progress=progress)
    problems.assert_same(*(problems.flat(model.parameters) for model in models))
    assert capsys.readouterr().out == ""


def test_the_bar_goes_away_after_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A second bar can be shown: the first has left the terminal."""

    def fail(record: Any) -> None:
        raise ZeroDivisionError

    model = Model(Network.mlp(3, [], 1), "squared_error")
    with pytest.raises(ZeroDivisionError):
        model.fit(*problems.regression(8, 3), epochs=3, progress=True, callbacks=fail)
    assert len(model.fit(*problems.regression(8, 3), epochs=2, progress=True)) == 2

"""Files that older versions wrote keep loading, and give what they gave."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import container

FOLDER = Path(__file__).parent


def expected(number: int) -> dict[str, Any]:
    """What the version that wrote the files of a format said of them."""
    return json.loads((FOLDER / f"format_{number}" / "expected.json").read_text(encoding="utf-8"))


def test_there_are_files_of_every_format() -> None:
    assert list(container.UPGRADES) == list(range(1, container.FORMAT))
    for number in container.UPGRADES:
        assert (FOLDER / f"format_{number}" / "model.safetensors").is_file()


@pytest.mark.parametrize("number", container.UPGRADES)
def test_a_model_with_its_whole_training_state(number: int, tmp_path: Path) -> None:
    said = expected(number)["model"]
    model = cr.load(FOLDER / f"format_{number}" / "model.safetensors")
    X = np.array(said["X"], np.float32)
    np.testing.assert_allclose(model.predict(X), said["predictions"], rtol=1e-6, atol=1e-7)  # one rounding of 1
    assert model.history.to_dict().items() >= said["history"].items()
    for name in ("step", "batch", "memories", "plateau"):
        assert getattr(model.training, name) == said[name]
    model.save(tmp_path / "again", training=True)
    again = cr.load(tmp_path / "again")
    assert again.history == model.history
    assert again.training.seconds == model.training.seconds > 0
    y = X @ np.array([1, -2, 0.5])
    for one in (model, again):  # it was left in the middle of an epoch of 30 rows
        one.fit(
            np.resize(X, (30, 3)), np.resize(y, 30), epochs=5, batch_size=8, validation=(X, y), resume=True,
            stop=cr.EarlyStopping(3),
        )  # fmt: skip
    assert model.training.parameters.tobytes() == again.training.parameters.tobytes()
    assert len(model.history) > len(said["history"]["epochs"])


@pytest.mark.parametrize("number", container.UPGRADES)
def test_a_model_of_a_table(number: int) -> None:
    said = expected(number)["table"]
    model = cr.load(FOLDER / f"format_{number}" / "table.safetensors")
    assert model.predict(said["rows"]).tolist() == said["predictions"]
    assert model.model.history.to_dict().items() >= said["history"].items()


def test_numbers_of_a_table() -> None:
    said = expected(2)["numbers"]
    model = cr.load(FOLDER / "format_2" / "numbers.safetensors")
    np.testing.assert_allclose(model.predict(said["rows"]), said["predictions"], rtol=1e-6)  # by either engine
    with pytest.raises(cr.InputError, match="no out-of-fold errors to make intervals of"):
        model.predict_interval(said["rows"])


def test_what_out_of_fold_rows_taught() -> None:
    """Format 3, of one target: scores, temperature and errors are that target's now."""
    said = expected(3)
    model, numbers = (cr.load(FOLDER / "format_3" / f"{name}.safetensors") for name in ("table", "numbers"))
    np.testing.assert_allclose(model.predict_proba(said["table"]["rows"]), said["table"]["probabilities"], rtol=1e-6)
    for name in ("test_scores", "oof_scores", "oof_baseline", "oof_rows"):
        assert getattr(model, name) == said["table"][name]
    intervals = numbers.predict_interval(said["numbers"]["rows"], 0.8)
    np.testing.assert_allclose(intervals, said["numbers"]["intervals"], rtol=1e-6)
    assert [target.name for target in numbers.targets] == ["y"]


@pytest.mark.parametrize("number", container.UPGRADES)
def test_an_estimator(number: int) -> None:
    said = expected(number)["estimator"]
    estimator = cr.load(FOLDER / f"format_{number}" / "estimator.safetensors")
    np.testing.assert_allclose(estimator.predict_proba(np.array(said["X"], np.float32)), said["predictions"], rtol=1e-6)
    assert estimator.loss_curve_ == said["loss_curve"]


@pytest.mark.parametrize("kind", ["model", "table", "estimator"])
def test_a_damaged_one_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    shutil.copy(FOLDER / "format_1" / f"{kind}.safetensors", path)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(cr.FileError, match="is damaged"):
        cr.load(path)

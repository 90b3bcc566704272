"""Table models in one file: networks of several kinds, and what was learned about their answers."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule import container
from chainrule.tables.preparation import prepare_table
from chainrule.tables.settings import Settings


@pytest.fixture(scope="module")
def kinds() -> cr.TableModel:
    ways = [Settings(hidden=units, epochs=3 + i, members=2) for i, units in enumerate([(4,), (), (3, 3)])]
    model = cr.TableModel.fit(prepare_table("diabetes", "target", validation=None), ways, progress=False)
    assert len(model.models) > 1
    return model


def test_several_kinds_in_one_file(kinds, tmp_path):
    kinds.save(tmp_path / "m")
    loaded = cr.load(tmp_path / "m")
    assert (loaded.members, loaded.weights, loaded.histories) == (kinds.members, kinds.weights, kinds.histories)
    for ask in ("predict", "predict_interval", "predict_spread"):
        np.testing.assert_array_equal(getattr(loaded, ask)("diabetes"), getattr(kinds, ask)("diabetes"))
    assert (loaded.oof_scores, loaded.oof_baseline, loaded.oof_rows) == (
        kinds.oof_scores, kinds.oof_baseline, kinds.oof_rows,
    )  # fmt: skip
    last = loaded.members
    assert loaded.explain("diabetes", 1, member=last).loss == kinds.explain("diabetes", 1, member=last).loss
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "m").read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda form: form["table"]["weights"].pop(),
        lambda form: form["table"]["weights"].__setitem__(0, -1.0),
        lambda form: form["table"]["weights"].__setitem__(0, "1"),
        lambda form: form["table"]["epochs"].__setitem__(0, 1),
        lambda form: form["table"]["epochs"].__setitem__(0, -1),
        lambda form: form["models"].pop(),
        lambda form: form["models"].clear(),
        lambda form: form["table"]["targets"][0].pop("calibration"),
        lambda form: form["table"]["targets"][0]["calibration"].update(temperature=0.0),
        lambda form: form["table"]["targets"][0]["oof_scores"].update(more=1.0),
        lambda form: form["table"]["targets"][0].update(oof_rows=-1),
        lambda form: form["table"]["targets"].clear(),
        lambda form: form["table"]["targets"].append(form["table"]["targets"][0]),
        lambda form: form["models"][0]["other_histories"].pop(),
    ],
)
def test_damage(kinds, tmp_path, change):
    contents = kinds.to_contents()
    change(contents.form)
    container.write(tmp_path / "m", contents, "1")
    with pytest.raises(cr.FileError, match="damaged"):
        cr.load(tmp_path / "m")


@pytest.mark.parametrize("name", ["out_of_fold_errors/0", "1/parameters/output/W", "history.1/loss", "1/history/epoch"])
def test_tensors_that_are_not_there_or_others(kinds, tmp_path, name):
    contents = kinds.to_contents()
    tensors = dict(contents.tensors)
    tensors[name] = -np.ones((3, 3))
    container.write(tmp_path / "m", container.Contents("table", contents.form, tensors), "1")
    with pytest.raises(cr.FileError, match="damaged"):
        cr.load(tmp_path / "m")

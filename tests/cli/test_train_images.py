"""`chainrule train FOLDER` and what follows it; odd folders are from a hand that didn't write the code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import images_corpus
import numpy as np
import polars as pl
import pytest
from images_corpus import CASES, Case, write_shapes

from chainrule import ImageModel, load
from chainrule.cli.train_images import parsed_augment

FAST = ("--epochs", 2, "--hidden", 8)


@pytest.fixture
def shapes(tmp_path: Path) -> str:
    """A folder of 80 pictures of four shapes."""
    write_shapes(tmp_path / "shapes", 80, size=10)
    return "shapes"


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.name, marks=[pytest.mark.slow] if i % 3 else []) for i, case in enumerate(CASES)],
)  # a third of them in make test, all in make test-slow
def test_odd_folders(case: Case, run: Any, tmp_path: Path) -> None:
    if case.not_root and os.geteuid() == 0:
        pytest.skip("the superuser may read everything")
    folder = tmp_path / "pictures"
    folder.mkdir()
    case.write(folder)
    given = str(folder / case.argument) + ("/" if case.argument.endswith("/") else "")
    result = run("train", given, "--out", "m.safetensors", *(("--epochs", 40) if case.learnable else FAST))
    said = (result.out + result.err).lower()
    assert "traceback" not in said
    told = all(any(word.lower() in said for word in group) for group in case.words)
    if result.status:
        assert result.status == 2
        assert "refused" in case.outcomes, result.err
        assert told, result.err
        assert not Path("m.safetensors").exists()
        return
    assert "ok" in case.outcomes or ("noted" in case.outcomes and told), said
    model = load("m.safetensors")
    if case.pictures is not None:
        assert sum(model.rows.values()) == case.pictures
    if case.classes is not None:
        assert model.classes == tuple(sorted(case.classes))
    if case.learnable:
        assert model.test_scores["accuracy"] > model.test_baseline["accuracy"] + 0.3


@pytest.mark.slow
def test_two_thousand_pictures_by_one_command(run: Any, tmp_path: Path) -> None:
    write_shapes(tmp_path / "shapes", 2000)
    result = run("train", "shapes", "--json")
    assert result.status == 0, result.err
    assert result.json["rows"] == {"train": 1600, "test": 400}
    assert result.json["scores"]["accuracy"] > 0.97
    assert run("evaluate", "shapes.safetensors", "shapes", "--json").json["scores"]["accuracy"] > 0.97


def test_from_a_folder_to_answers(run: Any, shapes: str) -> None:
    trained = run("train", shapes, "--epochs", 20)
    assert trained.status == 0
    for part in (
        "circle",
        "pictures: 10x10 grey",
        "shift 0.09",
        "64 pictures in batches of 32",
        "saved to shapes.safetensors",
    ):
        assert part in trained.out
    model = load("shapes.safetensors")
    assert isinstance(model, ImageModel)
    answer = run("predict", "shapes.safetensors", shapes, "--probabilities", "--json").json
    assert answer["rows"] == 80
    assert answer["predictions"]["file"][0] == "circle/circle_0000.png"
    assert answer["predictions"]["class"] == model.predict(shapes).tolist()
    np.testing.assert_allclose(
        answer["predictions"]["probability of cross"], model.predict_proba(shapes)[:, 1], rtol=1e-6
    )
    scores = run("evaluate", "shapes.safetensors", shapes, "--json").json
    assert scores["scores"] == model.evaluate(shapes)[0]
    assert "scores on 80 pictures" in run("evaluate", "shapes.safetensors", shapes).out
    facts = run("info", "shapes.safetensors", "--json").json
    assert facts["classes"] == ["circle", "cross", "square", "triangle"]
    assert facts["pictures"]["width"] == 10
    assert "pictures: 10x10 grey" in run("info", "shapes.safetensors").out


def test_answers_in_a_file(run: Any, shapes: str) -> None:
    run("train", shapes, *FAST)
    one = f"{shapes}/circle/circle_0000.png"
    assert run("predict", "shapes.safetensors", one).out.splitlines()[0] == "file,class"
    assert run("predict", "shapes.safetensors", shapes, "--out", "answers.csv").status == 0
    assert pl.read_csv("answers.csv").columns == ["file", "class"]


def test_a_folder_for_the_test(run: Any, shapes: str, tmp_path: Path) -> None:
    write_shapes(tmp_path / "more", 12, size=10, seed=5)
    report = run("train", shapes, "--test-folder", "more", "--json", *FAST).json
    assert report["rows"] == {"train": 80, "test": 12}
    write_shapes(tmp_path / "other", 12, size=16, seed=5)
    report = run("train", shapes, "--test-folder", "other", "--json", *FAST).json
    assert report["notes"] == ["test: all 12 pictures scaled to 10x10 (from 16x16)"]


def test_settings_reach_the_model(run: Any, shapes: str) -> None:
    report = run(
        "train", shapes, "--hidden", "5,4", "--epochs", 3, "--members", 2, "--seed", 9, "--engine", "reference",
        "--size", "6x4", "--augment", "none", "--test", 0, "--dropout", 0, "--batch-size", 16,
        "--out", "a.safetensors", "--json",
    ).json  # fmt: skip
    assert report["pictures"] == {"width": 6, "height": 4, "channels": 1}
    assert (report["members"], report["epochs"], report["rows"]["test"], report["engine"]) == (2, 3, 0, "reference")
    one = ImageModel.train(
        shapes, hidden=(5, 4), epochs=3, members=2, seed=9, engine="reference", size=(4, 6), augment="none", test=0,
        dropout=0.0, batch_size=16, progress=False,
    )  # fmt: skip
    np.testing.assert_array_equal(
        load("a.safetensors", engine="reference").predict_proba(shapes), one.predict_proba(shapes)
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "x"], "--target is for tables, and shapes is a folder of pictures"),
        (["--bins", 3, "--folds", 3], "--bins, --folds are for tables"),
        (["--size", "big"], '--size is "big"; it must be width and height in pixels'),
        (["--size", "0x4"], '--size is "0x4"'),
        (["--augment", "much"], '--augment is "much"; it must be usual, none, or as in shift=0.1'),
        (["--augment", "shft=1"], 'Did you mean "shift"?'),
        (["--augment", "shift=3"], "--augment: shift is 3"),
        (["--augment", "shift=far"], "--augment: shift is 'far'"),
        (["--test", 2], "--test is 2"),
        (["--optimizer", "lbfgs"], "isn't for pictures"),
        (["--test-folder", "nothere"], "there is no file or folder nothere"),
        (["--out", "x/y.safetensors"], "x"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_mistakes(options: list[Any], message: str, run: Any, shapes: str) -> None:
    assert message in run("train", shapes, *options).complaint


def test_mistakes_between_tables_and_pictures(run: Any, shapes: str, penguins: str) -> None:
    assert "--size is for folders of pictures" in run("train", penguins, "-t", "species", "--size", 8).complaint
    assert "--target NAME" in run("train", penguins).complaint
    assert "irsi isn't there" in run("train", "irsi").complaint
    run("train", shapes, *FAST)
    assert "--interval is for numbers" in run("predict", "shapes.safetensors", shapes, "--interval", 0.9).complaint
    assert "there is no file or folder" in run("predict", "shapes.safetensors", "nothere").complaint


def test_one_picture_is_explained(run: Any, shapes: str) -> None:
    run("train", shapes, *FAST, "--size", 4)
    file = f"{shapes}/cross/cross_0001.png"
    said = run(
        "explain", "shapes.safetensors", "--picture", file, "--y", "cross", "--layer", "output", "--format", "json"
    )
    model = load("shapes.safetensors")
    outputs = {one["name"]: one["value"] for one in said.json["quantities"]}
    assert outputs["h[output,2]"] == pytest.approx(model.predict_proba(file)[0, 1], rel=1e-5)
    complaint = run("explain", "shapes.safetensors", "--table", "nothere.csv").complaint
    assert complaint == "shapes.safetensors was trained on pictures: give one, --picture FILE"
    assert "A model of pictures takes --picture FILE" in run("explain", "shapes.safetensors").complaint
    assert "the classes are circle" in run("explain", "shapes.safetensors", "--picture", file, "--y", "dog").complaint
    assert "leave --row out" in run("explain", "shapes.safetensors", "--picture", file, "--row", 1).complaint


def test_what_an_augmentation_is_called() -> None:
    augment = parsed_augment("shift=0.1, rotate=10,flip=both,fill=0.5")
    assert (augment.shift, augment.rotate, augment.flip, augment.fill) == (0.1, 10.0, "both", 0.5)
    assert parsed_augment("none") == "none"


def test_the_corpus_is_what_it_says() -> None:
    assert len(CASES) >= 30
    assert len({case.name for case in CASES}) == len(CASES)
    assert images_corpus.SHAPES == ("circle", "cross", "square", "triangle")

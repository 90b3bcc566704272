"""`ImageModel`: pictures in, classes out; from arrays and folders, saved and loaded, and what is refused."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from chainrule import Augment, FileError, ImageModel, InputError, container, load

RNG = np.random.default_rng(5)


def stripes(count: int = 60, dtype: Any = np.uint8, channels: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Stripes that lie or stand, at random places."""
    pictures, labels = [], []
    for i in range(count):
        picture = RNG.integers(0, 60, (7, 8, channels) if channels else (7, 8))
        place = RNG.integers(0, 7)
        if i % 2:
            picture[place] += 190
        else:
            picture[:, place] += 190
        pictures.append(picture)
        labels.append("lies" if i % 2 else "stands")
    return np.array(pictures).astype(dtype), np.array(labels)


def train(X: Any, y: Any = None, **options: Any) -> ImageModel:
    return ImageModel.train(X, y, **{"progress": False, "epochs": 25, "hidden": (32,), "augment": "none", **options})


def test_two_lines(engine: str) -> None:
    X, y = stripes(120)
    model = train(X, y, engine=engine, epochs=60)
    assert model.test_scores["accuracy"] >= 0.85
    assert model.test_baseline["accuracy"] == 0.5
    assert model.classes == ("lies", "stands")
    assert model.rows == {"train": 96, "test": 24}
    assert (model.predict(X) == y).mean() > 0.9
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("channels", [0, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.uint16])
def test_kinds_of_arrays(channels: int, dtype: Any) -> None:
    X, y = stripes(30, dtype, channels)
    model = train(X, y, epochs=1)
    assert model.form.shape == (7, 8, channels or 1)
    assert model.predict(X[0]).tolist() == model.predict(X[:1]).tolist()


@pytest.mark.parametrize("labels", [[0, 1, 2], ["a", "b", "c"], [True, False, True], [0.0, 5.0, 7.0], [-3, 9, 10**12]])
def test_labels_come_back_as_they_were(labels: list[Any]) -> None:
    X = stripes(30)[0]
    y = np.array(labels * 10)
    model = train(X, y, epochs=1)
    answers = model.predict(X)
    assert answers.dtype.kind == y.dtype.kind
    assert set(answers.tolist()) <= set(y.tolist())
    model.evaluate(X, y)


def test_saved_and_loaded_it_answers_the_same(engine: str, tmp_path: Path) -> None:
    X, y = stripes()
    model = train(X, y, members=2, engine=engine)
    model.save(tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors", engine=engine)
    assert isinstance(again, ImageModel)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    for name in ("form", "classes", "shares", "rows", "test_scores", "test_baseline", "members"):
        assert getattr(again, name) == getattr(model, name)
    for other in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda form: form["pictures"]["classes"].append("more"),
        lambda form: form["pictures"]["form"].update(height=9),
        lambda form: form["pictures"].update(shares=[1.0]),
        lambda form: form["pictures"].update(shares=[-1.0, 2.0]),
        lambda form: form["pictures"].update(test_scores={"luck": 1.0}),
        lambda form: form["pictures"].update(classes=["a", 1]),
        lambda form: form.pop("pictures"),
        lambda form: form["pictures"]["form"].update(scale=["x"]),
        lambda form: form.update(pictures=[]),
    ],
    ids=["classes", "size", "shares", "negative", "scores", "types", "none", "scale", "list"],
)  # fmt: skip
def test_a_file_of_another_hand(wrong: Any, tmp_path: Path) -> None:
    contents = train(*stripes(10), epochs=1).to_contents()
    wrong(contents.form)
    container.write(tmp_path / "m.safetensors", contents, "0")
    with pytest.raises(FileError, match="damaged"):
        load(tmp_path / "m.safetensors")


def test_the_same_seed_makes_the_same_model(engine: str) -> None:
    X, y = stripes(40)
    one, same, other = (train(X, y, augment="usual", engine=engine, seed=seed, epochs=3) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.predict_proba(X), same.predict_proba(X))
    assert (one.predict_proba(X) != other.predict_proba(X)).any()


def test_engines_agree() -> None:
    X, y = stripes(40)
    both = [train(X, y, augment=Augment(shift=0.1, mixup=0.2), engine=e, epochs=2) for e in ("reference", "auto")]
    np.testing.assert_allclose(both[0].predict_proba(X), both[1].predict_proba(X), atol=1e-4)


def test_the_test_has_every_class_in_proportion() -> None:
    X = stripes(100)[0]
    y = np.array([0] * 80 + [1] * 17 + [2] * 3)
    model = train(X, y, test=0.3, epochs=1)
    assert model.rows == {"train": 70, "test": 30}
    np.testing.assert_allclose(model.shares, [56 / 70, 12 / 70, 2 / 70])
    assert train(X, y, test=0, epochs=1).test_scores == {}


def test_pictures_for_the_test_of_ones_own() -> None:
    (X, y), (X_test, y_test) = stripes(40), stripes(10)
    model = train(X, y, test_pictures=X_test, test_labels=y_test)
    assert model.rows == {"train": 40, "test": 10}
    assert (model.test_scores, model.test_baseline) == model.evaluate(X_test, y_test)


def differences(model: ImageModel, picture: np.ndarray, k: int) -> np.ndarray:
    """Of the log-odds of class k against the other, by central differences on the picture's own numbers, in float64."""
    wide = copy.deepcopy(model.model)
    doubles = type(wide).ensemble(
        wide.network, "cross_entropy", members=wide.training.parameters.astype("float64"), dtype="float64"
    )
    gradient = np.zeros(picture.shape)
    for place in np.ndindex(picture.shape):
        ends = []
        for side in (1e-3, -1e-3):
            moved = picture.astype(float)
            moved[place] += side
            centred = (moved.reshape(1, *model.form.shape) - np.array(model.form.mean)) / np.array(model.form.scale)
            p = doubles.predict(centred)[0]
            ends.append(np.log(p[k] / p[1 - k]))
        gradient[place] = (ends[0] - ends[1]) / 2e-3
    return gradient


@pytest.mark.parametrize("channels", [0, 3])
def test_saliency_is_what_differences_say(engine: str, channels: int) -> None:
    X, y = stripes(20, channels=channels)
    model = train(X, y, engine=engine, epochs=5, activation="tanh")
    both = model.saliency(X[0], "lies") - model.saliency(X[0], "stands")
    np.testing.assert_allclose(both[0].reshape(X[0].shape), differences(model, X[0], 0), rtol=1e-4, atol=1e-7)
    best = model.predict(X)
    each = model.saliency(X[:2], ["lies", "stands"])
    np.testing.assert_allclose(each[0] - each[1] + model.saliency(X[1:2], "stands")[0], model.saliency(X[0], "lies")[0])
    np.testing.assert_allclose(model.saliency(X)[3], model.saliency(X[3], best[3])[0], rtol=1e-9, atol=1e-12)


def test_what_it_says_of_a_picture_is_derived() -> None:
    X, y = stripes(20)
    model = train(X, y, epochs=2, hidden=(3,), members=2)
    work = model.explain(X[0], "stands")
    assert work["L"].value > 0
    alone = [model.explain(x, label)["L"].value for x, label in zip(X[:2], ("stands", "lies"), strict=True)]
    assert model.explain(X[:2], ["stands", "lies"])["L"].value == pytest.approx(np.mean(alone))
    mean = model.explain(X[0], member="mean")
    assert mean["h[output,1]"].value == pytest.approx(model.predict_proba(X[:1])[0, 0], rel=1e-5)
    assert model.unit_weights().shape == (3, 7, 8, 1)


def write(root: Path, X: np.ndarray, y: np.ndarray) -> Path:
    for i, (picture, label) in enumerate(zip(X, y, strict=True)):
        path = root / label / f"{i:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    return root


def test_a_folder_is_the_array_of_its_pictures(tmp_path: Path) -> None:
    X, y = stripes(30)
    folder = write(tmp_path / "f", X, y)
    order = np.argsort(y, kind="stable")
    of_folder, of_array = train(folder, epochs=3), train(X[order], y[order], epochs=3)
    np.testing.assert_array_equal(of_folder.predict_proba(X), of_array.predict_proba(X))
    np.testing.assert_array_equal(of_folder.predict_proba(folder), of_folder.predict_proba(X[order]))
    assert of_folder.evaluate(folder) == of_folder.evaluate(X[order], y[order])  # sums round by the order of rows
    assert of_folder.predict(folder / y[0] / "000.png").tolist() == of_folder.predict(X[0]).tolist()
    assert train(folder, size=4, epochs=1).form.shape == (4, 4, 1)
    tested = train(folder, test_pictures=write(tmp_path / "t", X[:6], y[:6]), epochs=1)
    assert tested.rows == {"train": 30, "test": 6}


def test_files_need_to_know_what_is_white(tmp_path: Path) -> None:
    X, y = stripes(20)
    folder = write(tmp_path / "f", X, y)
    halves = train(X / 255, y, epochs=1)  # numbers from 0 to 1
    np.testing.assert_allclose(
        halves.predict_proba(folder / y[0] / "000.png"), halves.predict_proba(X[:1] / 255), rtol=1e-4
    )
    with pytest.raises(InputError, match="doesn't know which of them is white"):
        train(X / 16, y, epochs=1).predict(folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": None}, "say which class each picture is"),
        ({"labels": ["a"] * 20}, "one class only, 'a'|one class only, a"),
        ({"labels": ["a"] * 19}, r"shape \(19\); \(20,\) would be right"),
        ({"labels": np.arange(20) / 7}, "labels have fractions"),
        ({"labels": ["a"] * 19 + ["b"]}, "one picture only of b"),
        ({"labels": [np.nan] + [1.0] * 19}, r"labels are missing for pictures 0 \(from 0\)"),
        ({"labels": ["a"] * 9 + [None] * 2 + ["b"] * 9}, "labels are missing for pictures 9, 10"),
        ({"labels": [("a",)] * 20}, r"shape \(20, 1\); \(20,\) would be right"),
        ({"labels": [b"a"] * 20}, "labels must be numbers or texts"),
        ({"size": 8}, "size is for folders"),
        ({"test": 1.5}, "test is 1.5"),
        ({"epoch": 3}, 'there is no setting "epoch". Did you mean "epochs"'),
        ({"hidden": 3}, "hidden is 3"),
        ({"augment": "much"}, 'augment is "much"; it must be "usual", "none"'),
        ({"optimizer": "lbfgs"}, "isn't for pictures"),
        ({"members": 0}, "members is 0"),
        ({"augment": Augment(shape=(3, 3), shift=0.1)}, "makes 9 numbers; the rows have 56"),
    ],
    ids=lambda value: next(iter(value), "") if isinstance(value, dict) else "",
)
def test_what_is_refused(options: dict[str, Any], message: str) -> None:
    X, y = stripes(20)
    labels = options.pop("labels", y)
    with pytest.raises(InputError, match=message):
        train(X, labels, **options)


def test_pictures_that_are_trained_on_and_tested_are_told() -> None:
    X, y = stripes(20)
    model = train(X, y, epochs=1, test_pictures=np.concatenate([X[:3], 255 - X[:5]]), test_labels=[*y[:3], *y[:5]])
    assert model.notes == ["test: 3 of 8 pictures are also trained on: the score says too much of them"]
    assert train(X, y, epochs=1, test_pictures=255 - X, test_labels=y).notes == []


def test_labels_that_the_model_doesnt_know(tmp_path: Path) -> None:
    X, y = stripes(20)
    model = train(X, y, epochs=1)
    with pytest.raises(InputError, match="there is no class 'hangs'; the model's are 'lies', 'stands'"):
        model.evaluate(X, np.where(y == "lies", "hangs", y))
    with pytest.raises(InputError, match="labels are for arrays"):
        train(write(tmp_path / "f", X, y), y)
    with pytest.raises(InputError, match=r"size is 4000: a side of more than 256 pixels"):
        train(tmp_path / "f", size=4000)
    with pytest.raises(InputError, match=r"size is \(1, 2, 3\)"):
        train(tmp_path / "f", size=(1, 2, 3))

"""What is drawn of a model of pictures: saliency, weights, augmentation, accuracy on shifted pictures."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import drawn, line, texts

from chainrule import Augment, ImageModel, InputError, plots
from chainrule.plots.shift_curve import shifted

pytest.importorskip("matplotlib")

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (30, 6, 5)).astype(np.uint8)
COLOURED = RNG.integers(0, 256, (30, 6, 5, 3)).astype(np.uint8)
LABELS = np.array(["_a", "b", "c"] * 10)


def model(pictures: np.ndarray, **options: object) -> ImageModel:
    settings = {"hidden": (7,), "epochs": 2, "test": 0, "progress": False, **options}
    return ImageModel.train(pictures, LABELS, **settings)


@pytest.mark.parametrize("pictures", [GREY, COLOURED], ids=["grey", "coloured"])
def test_pictures_their_saliency_and_probabilities_are_drawn(pictures: np.ndarray) -> None:
    trained = model(pictures)
    picture = plots.saliency(trained, pictures[:4], "b", most=2)
    found = drawn(picture)
    assert "picture-2" in found
    assert "picture-3" not in found
    gradients = trained.saliency(pictures[:2], "b")
    for i in range(2):
        np.testing.assert_allclose(found[f"saliency-{i + 1}"].get_array(), gradients[i].sum(axis=2))
        shown = np.asarray(found[f"picture-{i + 1}"].get_array(), float)
        np.testing.assert_allclose(shown, pictures[i] if pictures.ndim == 3 else (pictures[i] / 255), atol=1e-6)
    chances = trained.predict_proba(pictures[:1])[0]
    assert found[f"probability-1-{trained.classes[chances.argmax()]}"].get_text() == f"{chances.max():.2f}"
    said = texts(picture)
    assert said.count("dz/dpixel for b") == 2
    assert {"against", "for", "probability", "+"} <= set(said)


def test_each_pictures_own_class_unless_one_is_asked_for() -> None:
    trained = model(GREY)
    assert plots.saliency(trained, GREY[:3]).values["class"] == trained.predict(GREY[:3]).tolist()
    with pytest.raises(InputError, match="there is no class 'x'"):
        plots.saliency(trained, GREY[:3], "x")
    with pytest.raises(InputError, match="most is 0"):
        plots.saliency(trained, GREY[:3], most=0)


@pytest.mark.parametrize("pictures", [GREY, COLOURED], ids=["grey", "coloured"])
def test_units_are_drawn_as_pictures_of_their_weights(pictures: np.ndarray) -> None:
    trained = model(pictures)
    W = trained.model.parameters["hidden"]["W"]
    found = drawn(plots.pixel_weights(trained, 5))
    assert [name for name in found if name.startswith("unit-")] == [f"unit-{i}" for i in range(1, 6)]
    shown = np.asarray(found["unit-3"].get_array(), float)
    own = W[:, 2].reshape(trained.form.shape)
    expected = own[..., 0] if pictures.ndim == 3 else 0.5 + own / (2 * np.abs(own).max())
    np.testing.assert_allclose(shown, expected, atol=1e-6)


def test_augmented_pictures_are_those_that_training_sees() -> None:
    augment = Augment(shift=0.2, rotate=20)
    picture = plots.augmented(GREY[:3], augment, epochs=4, seed=5)
    found = drawn(picture)
    np.testing.assert_array_equal(found["picture-2-0"].get_array(), GREY[1])
    np.testing.assert_array_equal(found["picture-2-3"].get_array(), picture.values["augmented"][1, 2, :, :, 0])
    assert (picture.values["augmented"][:, 0] != picture.values["augmented"][:, 1]).any()
    for wrong in (Augment(), Augment(mixup=0.2)):
        with pytest.raises(InputError, match="augment must do something to single pictures"):
            plots.augmented(GREY, wrong)


def test_accuracy_on_shifted_pictures() -> None:
    trained = model(GREY)
    picture = plots.shifts({"one": trained}, GREY, LABELS, reach=2)
    x, y = line(drawn(picture)["one"])
    assert x.tolist() == [i / 4 for i in range(9)]
    assert y[0] == pytest.approx((trained.predict(GREY) == LABELS).mean())
    one = [np.roll(GREY, move, axis) for move in (1, -1) for axis in (1, 2)]
    for moved, (place, axis) in zip(one, [(0, 1), (0, 2), (-1, 1), (-1, 2)], strict=True):
        edge = [slice(None)] * 3
        edge[axis] = slice(place, place + 1) if place == 0 else slice(-1, None)
        border = np.concatenate([GREY[:, 0], GREY[:, -1], GREY[:, :, 0], GREY[:, :, -1]], axis=1)
        moved[tuple(edge)] = np.median(border, axis=1)[:, None, None]
    expected = np.mean([(trained.predict(moved.astype(float)) == LABELS).mean() for moved in one])
    assert y[4] == pytest.approx(expected)
    with pytest.raises(InputError, match="there is no model"):
        plots.shifts({}, GREY, LABELS)


def test_a_shift_moves_pictures_to_the_right_and_down() -> None:
    assert shifted(np.arange(4.0).reshape(1, 2, 2, 1), 0, 1)[0, 1, :, 0].tolist() == [0, 1]

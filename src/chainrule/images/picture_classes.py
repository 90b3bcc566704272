"""The classes of pictures: labels to places and back, the pictures that are held out, and scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.arrays import AnyArray, Order, whole
from chainrule.errors import InputError, listed
from chainrule.metrics import METRICS
from chainrule.plain import shortened
from chainrule.random import SPLIT, permutation

Scores = dict[str, float]


def score(truth: Order, predicted: AnyArray) -> Scores:
    """Accuracy, and log-loss, the mean of `-log p(true class)`; `predicted` are probabilities (n, classes).

    >>> score(np.array([0, 1]), np.array([[1.0, 0.0], [0.5, 0.5]]))["accuracy"]
    0.5
    """
    smallest = np.finfo(np.float32).tiny  # a probability that rounds to 0 still gives a number
    true_class = np.maximum(predicted[np.arange(len(truth)), truth], smallest)
    accuracy = METRICS["accuracy"].function(truth, predicted, np.ones(len(truth)))
    return {"accuracy": accuracy, "log_loss": float(-np.log(true_class).mean())}


def checked_labels(labels: Any, count: int) -> AnyArray:
    """One number or text for each picture; an `InputError` for anything else.

    >>> checked_labels(["cat", "dog"], 2).tolist()
    ['cat', 'dog']
    """
    if labels is None:
        raise InputError("say which class each picture is: labels, one for each")
    try:
        given = whole(labels)
    except (TypeError, ValueError) as error:
        raise InputError(f"labels must be one number or text for each picture: {error}") from None
    if given.shape != (count,):
        raise InputError(
            f"labels have the shape ({listed(given.shape)}); ({count},) would be right, one for each picture"
        )
    if given.dtype.kind == "O" and all(isinstance(name, str) for name in given.tolist()):
        given = given.astype(str)
    missing = [i for i, label in enumerate(given.tolist()) if label is None or label != label]
    if missing:
        raise InputError(f"labels are missing for pictures {listed(missing, limit=5)} (from 0): leave these out")
    if given.dtype.kind not in "biuU" and not (given.dtype.kind == "f" and np.isfinite(given).all()):
        raise InputError(f"labels must be numbers or texts, one for each picture, not {given.dtype}")
    return given


def places_of(labels: Any, count: int, classes: Sequence[Any]) -> Order:
    """Labels as places among known classes.

    >>> places_of(["dog", "cat"], 2, ["cat", "dog"]).tolist()
    [1, 0]
    """
    known = {name: place for place, name in enumerate(classes)}
    try:
        return np.array([known[name] for name in checked_labels(labels, count).tolist()], dtype=np.int64)
    except KeyError as error:
        raise InputError(
            f"there is no class {shortened(repr(error.args[0]))}; the model's are {listed(map(repr, classes))}"
        ) from None


def place_of_each(label: Any, count: int, classes: Sequence[Any]) -> Order:
    """The places of labels, one for each picture, or of one label for all of them.

    >>> place_of_each("cat", 2, ["cat", "dog"]).tolist(), place_of_each(["dog", "cat"], 2, ["cat", "dog"]).tolist()
    ([0, 0], [1, 0])
    """
    return places_of(np.repeat(label, count) if np.ndim(label) == 0 else label, count, classes)


def labelled(labels: Any, count: int, *, least: int = 1) -> tuple[tuple[Any, ...], Order]:
    """The classes in sorted order, and the place of each label among them.

    >>> labelled(["dog", "cat", "dog"], 3)
    (('cat', 'dog'), array([1, 0, 1]))
    """
    given = checked_labels(labels, count)
    classes, places, counts = np.unique(given, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise InputError(f"labels have one class only, {shortened(classes[0].item())}: there is nothing to tell apart")
    if given.dtype.kind == "f" and (given != np.floor(given)).any():
        raise InputError(
            "labels have fractions: an image model tells classes apart; for numbers train a `Model` on the pixels"
        )
    rare = classes[counts < least]
    if len(rare):
        raise InputError(
            f"one picture only of {listed(rare.tolist())}: each class needs at least 2, one to train and one to test"
        )
    return tuple(classes.tolist()), places.reshape(-1).astype(np.int64)


def split_by_class(labels: Order, test: float, seed: int) -> tuple[Order, Order]:
    """The pictures that train and those that are held out, of each class alike; every class has one to train on.

    >>> [part.tolist() for part in split_by_class(np.array([0, 0, 1, 1]), test=0.5, seed=0)]
    [[0, 3], [1, 2]]
    """
    if not test:
        return np.arange(len(labels)), np.arange(0)
    order = permutation(len(labels), seed, 0, stream=SPLIT)
    by_class = [order[labels[order] == k] for k in range(labels.max() + 1)]
    counts = [min(max(round(test * len(own)), 1), len(own) - 1) for own in by_class]
    held_out = np.concatenate([own[:count] for own, count in zip(by_class, counts, strict=True)])
    kept = np.concatenate([own[count:] for own, count in zip(by_class, counts, strict=True)])
    return np.sort(kept), np.sort(held_out)

"""Files by another hand whose checksum is right: refused with a message and at once, or good for everything."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forging import hostile_forms, hostile_tensors
from problems import regression

import chainrule as cr
from chainrule import container
from chainrule.container import Contents

MEMORY = 1 << 30  # bytes that loading and using a small file may take beside what the process has
SECONDS = 20.0  # generous: what this is about took minutes
# what can be said of a file that is in order, and was made with other rows or columns
LEGITIMATE = (
    "the interrupted epoch had done",
    "of the training table",
    "has no column",
    "which the model doesn't know",
    "another stopping rule remembered",
)
FEW = 40  # cases of each file in the quick test

X, y = regression()
LABELS = np.array(["a", "b", "c"] * 99)[: len(y)]
BOTH = np.c_[np.arange(len(y)) % 3, np.arange(len(y)) % 2]
TABLE = {
    "x": [float(i % 7) if i % 9 else None for i in range(40)],
    "sex": ["f", "m"] * 20,
    "y": ["a", "b", "c", "b"] * 10,
}
PICTURES = np.arange(60, dtype=np.uint8).reshape(10, 2, 3)
DATES = {**TABLE, "day": [f"2024-03-{i % 28 + 1:02}" for i in range(40)], "y": [float(i) for i in range(40)]}


def model() -> Any:
    """In the middle of an epoch, with everything that training remembers."""

    class Stopping(cr.Callback):
        def on_step(self, run: Any) -> bool:
            return run.state.step == 11

    network = cr.Network.mlp(3, [4], 1, batch_norm=True, dropout=0.1)
    made = cr.Model(network, "huber", cr.Adam(cr.ReduceOnPlateau(0.01)), metrics=["r2"], l2=0.1)
    made.fit(X, y, epochs=5, batch_size=8, validation=(X, y), stop=cr.EarlyStopping(5), callbacks=[Stopping()])
    assert made.training.batch
    return made


def several_members() -> Any:
    x = cr.Input(3, name="x")
    heads = {"size": cr.Dense(1, name="size")(x), "kind": cr.Dense(3, activation="softmax", name="kind")(x)}
    made = cr.Model(
        cr.Network(inputs=x, outputs=heads), {"size": "squared_error", "kind": "cross_entropy"}, "sgd", members=2
    )
    made.fit(X, {"size": y, "kind": np.arange(len(y)) % 3}, epochs=1)
    return made


def classes() -> Any:
    return cr.TableModel.train(TABLE, "y", hidden=(4,), members=2, epochs=2, progress=False)


def numbers() -> Any:
    return cr.TableModel.train(DATES, "y", hidden=(4,), members=2, epochs=2, progress=False)


def classifier() -> Any:
    options: dict[str, Any] = {"early_stopping": True, "class_weight": {"a": 2.0}, "missing_values": "mean"}
    return cr.MLPClassifier((4,), max_iter=3, random_state=0, **options).fit(
        X, np.array(["a", "b", "c"] * 99)[: len(y)]
    )


def targets() -> Any:
    return cr.MLPClassifier((4,), max_iter=3, random_state=0, multi_output=True).fit(X, BOTH)


def images() -> Any:
    return cr.ImageModel.train(PICTURES, list("ab") * 5, hidden=(4,), epochs=2, progress=False)


def regressor() -> Any:
    return cr.MLPRegressor(
        hidden_layer_sizes=(4,), max_iter=3, random_state=0, n_members=2, batch_norm=True, schedule="cosine"
    ).fit(X, y)


KINDS: list[Callable[[], Any]] = [model, several_members, classes, numbers, images, classifier, targets, regressor]


def use(loaded: Any) -> None:
    """Everything that people do with what they load."""
    repr(loaded)
    if isinstance(loaded, cr.Model):
        several = len(loaded.network.heads) > 1
        targets = {"size": y, "kind": np.arange(len(y)) % 3} if several else y
        loaded.predict(X[:3])
        loaded.evaluate(X, targets)
        loaded.history.columns()
        if loaded.members == 1:
            loaded.explain(X[:2], y[:2])
        loaded.summary()
        loaded.fit(X, targets, epochs=5, batch_size=8, validation=(X, targets), stop=cr.EarlyStopping(5), resume=True)
        loaded.to_contents(training=True)
    elif isinstance(loaded, cr.TableModel):
        table = DATES if any(column.name.startswith("day") for column in loaded.encoding.columns) else TABLE
        loaded.predict(table)
        loaded.evaluate(table)
        loaded.explain(table, 1)
        loaded.model.history.columns()
        loaded.to_contents()
    elif isinstance(loaded, cr.ImageModel):
        labels = loaded.predict(PICTURES)
        loaded.evaluate(PICTURES, labels)
        loaded.saliency(PICTURES[0])
        loaded.explain(PICTURES[0], labels[0])
        loaded.to_contents()
    else:
        labels = loaded.predict(X)
        loaded.score(X, labels)
        if hasattr(loaded, "classes_"):
            loaded.predict_proba(X)
        if not loaded.early_stopping:
            loaded.partial_fit(X, labels)
        if isinstance(loaded, cr.MLPRegressor):
            loaded.set_params(warm_start=True, max_iter=2).fit(X, y)
        else:
            loaded.set_params(warm_start=False, max_iter=2).fit(X, BOTH if loaded.multi_output else LABELS)


def about_a_parameter(case: str) -> bool:
    """Parameters of an estimator may be such that it can't be fitted again: `fit` says so, as for everybody's own."""
    parameters = {*cr.MLPClassifier().get_params(), *cr.MLPRegressor().get_params()}
    return case.startswith("('state', '") and case.split("'")[3] in parameters


def check(case: str, contents: Contents, path: Path) -> str | None:
    """What is wrong with how a forged file is taken, or None."""
    try:
        container.write(path, contents, "0")
    except (TypeError, ValueError, RecursionError, cr.FileError):
        return None  # it can't even be written
    begun = time.perf_counter()
    used = False
    try:
        loaded = cr.load(path)
        used = True
        use(loaded)
    except cr.FileError as error:
        if used or len(str(error)) > 1000 or not str(error).isprintable():
            return f"{case}: {error!r}"
    except cr.InputError as error:
        if not used or not (about_a_parameter(case) or any(words in str(error) for words in LEGITIMATE)):
            return f"{case}: {error!r}"
    except cr.DivergenceError:
        return None  # numbers that are no longer numbers are said to be so
    except Exception as error:
        if not used or not (about_a_parameter(case) or "nan" in case or case.endswith("slots: negative")):
            return f"{case}: {type(error).__name__}: {str(error)[:200]}"
    took = time.perf_counter() - begun
    return f"{case}: {took:.1f} seconds" if took > SECONDS else None


def attack(make: Callable[[], Any], few: bool, path: Path) -> tuple[int, list[str]]:
    """In a process of its own that may not have much memory."""
    warnings.simplefilter("ignore")
    os.fsync = lambda handle: None  # nobody pulls the plug, and a disk takes longer than the rest
    saved = make()
    saved.save(path, **({"training": True} if isinstance(saved, cr.Model) else {}))
    contents = container.read(path)
    use(cr.load(path))
    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, most))
    cases = [*hostile_forms(contents), *hostile_tensors(contents)]
    if few:
        cases = [cases[i] for i in np.random.default_rng(0).permutation(len(cases))[:FEW]]
    wrong: Iterator[str] = (one for one in (check(case, forged, path) for case, forged in cases) if one is not None)
    return len(cases), list(islice(wrong, 20))


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


def attacked(elsewhere: ProcessPoolExecutor, make: Callable[[], Any], few: bool, folder: Path) -> None:
    n_cases, wrong = elsewhere.submit(attack, make, few, folder / "forged").result()
    assert not wrong, "\n".join(wrong)
    assert n_cases >= (FEW if few else 1000)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("make", "place"),
    [
        (model, "state/hidden_norm/variance"),
        (model, "epoch_start.state/hidden_norm/variance"),
        (regressor, "8:_training.state"),
        (regressor, "11:_training.best_state"),
    ],
)
def test_a_negative_variance_is_refused(make: Callable[[], Any], place: str, tmp_path: Path) -> None:
    """Its root is no number, or, beside epsilon, another than the right one."""
    made = make()
    made.save(tmp_path / "saved", **({"training": True} if make is model else {}))
    contents = container.read(tmp_path / "saved")
    contents.tensors[place] = -np.abs(contents.tensors[place]) - np.float32(1e-9)
    container.write(tmp_path / "forged", contents, "0")
    with pytest.raises(cr.FileError, match=r"is damaged: .*norm/variance"):
        cr.load(tmp_path / "forged")


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_some_hostile_values(elsewhere: ProcessPoolExecutor, make: Callable[[], Any], tmp_path: Path) -> None:
    attacked(elsewhere, make, True, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_every_hostile_value_in_every_place(
    elsewhere: ProcessPoolExecutor, make: Callable[[], Any], tmp_path: Path
) -> None:
    attacked(elsewhere, make, False, tmp_path)

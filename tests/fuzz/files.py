"""Files: what was saved comes back whole, and whatever else a file holds is refused quickly, or works."""

from __future__ import annotations

import copy
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr
from chainrule import container  # its `read` and `write` count the checksum of a forged file anew
from fuzz.findings import expect

SECONDS = 8.0  # of processor time, to refuse a file or to load and use it
KINDS = ("model", "graph", "run", "lbfgs run", "members", "table", "numbers", "classifier", "regressor", "fitted more")
# fmt: off
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, 2, -1, 3, 7, 10**6, 10**9, 2**31, 2**63, 10**30, -(10**30), 0.5, -0.5, 1e308, 1e-320, "",
    "x", "relu", "softmax", "squared_error", "nan", "NaN", "float16", "float32", "U100000000", "<U9", "|O", "O",
    "adam", "lbfgs", "../../etc/passwd", "\x1b[2J", "\x00", "x" * 10000, [], [[]], [0], [-1], [10**9], [1, 2, 3], {},
    {"name": "adam"}, {"name": "relu", "slope": 0.1}, {"type": "Dense"}, {"": None}, [None], [[[]]],
)
# fmt: on


def generate(rng: random.Random) -> dict[str, Any]:
    how = rng.choice(["bytes", "bytes", "json", "json", "json", "json", "json", "tensors", "tensors"])
    case: dict[str, Any] = {"kind": rng.choice(KINDS), "how": how, "changes": []}
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        if how == "bytes":
            case["changes"].append(
                [
                    rng.choice(["flip", "set", "cut", "insert", "double", "length", "zeros"]),
                    rng.random(),
                    rng.getrandbits(32),
                    rng.choice([True, False]),
                ]
            )
        elif how == "json":
            case["changes"].append(
                [
                    rng.choice(["set", "set", "set", "drop", "add", "grow", "deep", "scale"]),
                    rng.random(),
                    rng.choice(VALUES),
                ]
            )
        else:
            case["changes"].append(
                [
                    rng.choice(
                        ["drop", "rename", "dtype", "shape", "nan", "inf", "huge", "negative", "double", "empty"]
                    ),
                    rng.random(),
                    rng.getrandbits(16),
                ]
            )
    return case


class Made:
    """One file of each kind, made when it is first wanted."""

    folder = tempfile.TemporaryDirectory()
    paths: dict[str, Path] = {}

    @classmethod
    def path(cls, kind: str) -> Path:
        """The file of a kind."""
        if kind not in cls.paths:
            path = Path(cls.folder.name) / f"{kind}.safetensors"
            check_whole(kind, make(kind, path), path)
            make(kind, again := path.with_suffix(".again"))
            check_twice(kind, path, again)
            cls.paths[kind] = path
        return cls.paths[kind]


def check_whole(kind: str, thing: Any, path: Path) -> None:
    """What is loaded answers as what was saved, to the last bit, and remembers as much."""
    loaded = cr.load(path)
    for mine, theirs in zip(ask(kind, thing), ask(kind, loaded), strict=True):
        expect(np.array_equal(mine, theirs), f"{kind}: saved and loaded, it answers something else")
    if hasattr(thing, "history"):
        expect(loaded.history.columns() == thing.history.columns(), f"{kind}: saved and loaded, its history is another")


X = np.random.default_rng(0).normal(size=(24, 3))
LABELS = np.arange(24) % 3


def check_twice(kind: str, path: Path, again: Path) -> None:
    """Two identical runs write the same, but for the times, which lie in one tensor."""
    one, other = container.read(path), container.read(again)
    expect(one.form == other.form, f"{kind}: two identical runs differ in the JSON of their files")
    differing = [name for name in one.tensors if not np.array_equal(one.tensors[name], other.tensors[name])]
    expect(len(differing) <= 1, f"{kind}: two identical runs differ in {differing}")


def make(kind: str, path: Path) -> Any:
    """Train something small and save it."""
    thing: Any
    rng = np.random.default_rng(1)
    if kind in ("model", "run", "lbfgs run", "members"):
        optimizer = cr.LBFGS() if kind == "lbfgs run" else cr.Adam(cr.Cosine(0.01))
        noise = 0.0 if kind == "lbfgs run" else 0.2
        network = cr.Network.mlp(3, [4, 3], 3, output="softmax", dropout=noise, batch_norm=kind == "run")
        members = 2 if kind == "members" else 1
        model = cr.Model.ensemble(network, "cross_entropy", optimizer, metrics=["accuracy"], members=members)
        model.fit(X, LABELS, epochs=3, validation=0.25, stop=cr.EarlyStopping(2), progress=False)
        model.save(path, training=kind != "model")
        thing = model
    elif kind == "graph":
        a, b = cr.Input((2, 2), name="a"), cr.Input(3, name="b")
        h = cr.Concatenate(name="both")(cr.Flatten(name="flat")(a), cr.Dense(2, activation="tanh", name="d")(b))
        h = cr.Activation("leaky_relu", name="act")(cr.BatchNorm(name="norm")(h))
        outputs = {"age": cr.Dense(1, name="age", l2=0.1)(h), "kind": cr.Dense(3, activation="softmax", name="kind")(h)}
        losses = {"age": cr.Huber(0.5), "kind": cr.CrossEntropy(0.1)}
        model = cr.Model(
            cr.Network(inputs=[a, b], outputs=outputs), losses, cr.SGD(0.01, momentum=0.9), dtype="float64"
        )
        x = {"a": rng.normal(size=(24, 2, 2)), "b": X}
        model.fit(x, {"age": X[:, 0], "kind": LABELS}, epochs=2, progress=False)
        model.save(path, training=True)
        thing = model
    elif kind in ("table", "numbers"):
        target = "kind" if kind == "table" else "y"
        thing = cr.TableModel.train(table(), target=target, hidden=(3,), epochs=3, progress=False)
        thing.save(path)
    else:
        thing = make_estimator(kind)
        thing.save(path)
    return thing


def table() -> dict[str, list[Any]]:
    """A table with every type of column."""
    n = 40
    return {
        "a": [i * 0.5 for i in range(n)],
        "b": [None if i % 9 == 4 else i % 5 for i in range(n)],
        "colour": [["red", "green", None, "blue"][i % 4] for i in range(n)],
        "day": [f"2024-01-{1 + i % 28:02}" for i in range(n)],
        "flag": [i % 3 == 0 for i in range(n)],
        "kind": [["x", "y"][i % 2] for i in range(n)],
        "y": [i * 0.1 for i in range(n)],
    }


def make_estimator(kind: str) -> Any:
    """A fitted estimator."""
    if kind == "regressor":
        return cr.MLPRegressor(hidden_layer_sizes=(3,), max_iter=3, random_state=0, n_members=2).fit(X, X[:, 0])
    if kind == "classifier":
        return cr.MLPClassifier((3,), max_iter=3, random_state=0).fit(X, np.array(["a", "bb", "ccc"])[LABELS])
    more = cr.MLPClassifier((3,), solver="sgd", max_iter=3, random_state=0, missing_values="mean", early_stopping=True)
    return more.fit(X, LABELS)


def ask(kind: str, thing: Any) -> list[np.ndarray]:
    """All that a loaded thing is for: predictions, scores, what it says of itself."""
    if kind in ("table", "numbers"):
        answers = [thing.predict(table())]
        answers += [thing.predict_proba(table())] if kind == "table" else []
        thing.evaluate(table())
        return answers
    if kind == "graph":
        x = {"a": np.zeros((24, 2, 2)), "b": X}
        thing.summary()
        return [np.asarray(value) for value in thing.predict(x).values()]
    if kind in ("model", "run", "lbfgs run", "members"):
        thing.summary()
        thing.evaluate(X, LABELS)
        return [thing.predict(X)]
    repr(thing)
    return [thing.predict(X), *([thing.predict_proba(X)] if hasattr(thing, "predict_proba") else [])]


def train_on(kind: str, thing: Any) -> None:
    """What was saved with its training state trains on, or says why not."""
    if kind in ("run", "lbfgs run", "members"):
        thing.fit(X, LABELS, epochs=4, validation=0.25, stop=cr.EarlyStopping(2), progress=False, resume=True)
    elif kind == "graph":
        thing.fit(
            {"a": np.zeros((24, 2, 2)), "b": X}, {"age": X[:, 0], "kind": LABELS}, epochs=3, progress=False, resume=True
        )
    elif kind == "fitted more" and hasattr(thing, "partial_fit"):  # L-BFGS has none, as in scikit-learn
        thing.set_params(early_stopping=False).partial_fit(X, LABELS)
    elif kind == "regressor":
        thing.partial_fit(X, X[:, 0])


def check(case: dict[str, Any]) -> None:
    kind = case["kind"]
    whole = Made.path(kind)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "forged.safetensors"
        if not forge(case, whole, path):
            return
        try:
            thing = cr.load(path)
        except cr.FileError as error:
            expect(str(error).strip() and len(str(error)) < 16_000, f"a message of {len(str(error))} letters")
            expect("\x1b" not in str(error), "an escape character of the file reaches the message")
            return
        if kind in ("table", "numbers") and not isinstance(thing, cr.TableModel):
            return  # forged into another kind of thing
        try:
            answers = ask(kind, thing)
        except (cr.ChainruleError, ValueError) as error:
            if case["how"] == "json" and fits_no_more(kind, error):
                return
            if isinstance(error, cr.TrainingError) and "overflows" in str(error):
                return  # parameters that are numbers, and give none
            raise
        for answer in answers:
            if answer.dtype.kind == "f":
                expect(np.all(np.isfinite(answer)), "a forged file loads, and predicts numbers that aren't finite")
        thing.save(Path(name) / "again.safetensors")
        cr.load(Path(name) / "again.safetensors")
        try:
            train_on(kind, thing)
        except (cr.ChainruleError, ValueError):
            return


def fits_no_more(kind: str, error: Exception) -> bool:
    """A forged network of another width is a network too: rows of the old one don't fit it, and it says so.

    Estimators say it as scikit-learn does.
    """
    estimator = kind in ("classifier", "regressor", "fitted more")
    return isinstance(error, ValueError if estimator else cr.InputError) and bool(str(error).strip())


def forge(case: dict[str, Any], whole: Path, path: Path) -> bool:
    """Write the changed file; False where nothing has changed."""
    if case["how"] == "bytes":
        data = whole.read_bytes()
        forged = change_bytes(data, case["changes"])
        path.write_bytes(forged)
        return forged != data
    contents = container.read(whole)
    form, tensors = copy.deepcopy(contents.form), dict(contents.tensors)
    holder = {"form": form, "kind": contents.kind}
    for change in case["changes"]:
        if case["how"] == "json":
            change_json(holder, *change)
        else:
            change_tensors(tensors, *change)
    try:
        container.write(path, container.Contents(holder["kind"], holder["form"], tensors), cr.__version__)
    except Exception:  # what can't be written can't be forged
        return False
    return True


def change_bytes(data: bytes, changes: list[Any]) -> bytes:
    """Bytes changed at some places, the header or the whole file being aimed at."""
    header = int.from_bytes(data[:8], "little") + 8
    for how, where, value, in_header in changes:
        i = int(where * (header if in_header else len(data)))
        if how == "flip" and i < len(data):
            data = data[:i] + bytes([data[i] ^ (1 << value % 8)]) + data[i + 1 :]
        elif how == "set":
            data = data[:i] + bytes([value % 256]) + data[i + 1 :]
        elif how == "cut":
            data = data[:i]
        elif how == "insert":
            data = data[:i] + value.to_bytes(4, "little") + data[i:]
        elif how == "double":
            data = data[:i] + data[i // 2 :]
        elif how == "length":
            data = (value * 2 ** (value % 33)).to_bytes(9, "little")[:8] + data[8:]
        else:
            data = data[:i] + bytes(8) + data[i + 8 :]
    return data


def places(thing: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key of a JSON value; of long lists the first and the last place."""
    keys: Any = list(thing) if isinstance(thing, dict) else sorted({0, len(thing) - 1} & set(range(len(thing))))
    for key in keys:
        yield thing, key
        if isinstance(thing[key], (dict, list)):
            yield from places(thing[key])


def change_json(holder: dict[str, Any], how: str, where: float, value: Any) -> None:
    """One place of the JSON changed."""
    found = list(places(holder))
    inside, key = found[int(where * len(found))]
    if how == "drop":
        if inside is not holder:
            del inside[key]
    elif how == "add" and isinstance(inside, dict):
        inside["x\x1b[2J"] = value
    elif how == "grow" and isinstance(inside[key], list):
        inside[key] = inside[key] * 3 + [value]
    elif how == "deep":
        deep: Any = value
        for _ in range(400):
            deep = [deep]
        inside[key] = deep
    elif how == "scale" and isinstance(inside[key], (int, float)):
        inside[key] = inside[key] * 10**7 + 1
    else:
        inside[key] = value


def change_tensors(tensors: dict[str, Any], how: str, where: float, value: int) -> None:
    """One tensor changed."""
    if not tensors:
        return
    name = sorted(tensors)[int(where * len(tensors))]
    a = tensors[name]
    if how == "drop":
        del tensors[name]
    elif how == "rename":
        tensors[name + "x"] = tensors.pop(name)
    elif how == "dtype":
        kinds = (np.float16, np.float64, np.float32, np.int64, np.int8, np.uint8, np.bool_)
        with np.errstate(all="ignore"):
            tensors[name] = a.astype(kinds[value % len(kinds)])
    elif how == "shape":
        tensors[name] = a.reshape(-1) if a.ndim > 1 else a.reshape(1, -1)
    elif how == "double":
        tensors[name] = np.concatenate([a.reshape(-1)] * 2)
    elif how == "empty":
        tensors[name] = a.reshape(-1)[:0]
    elif a.size and a.dtype.kind in "fiu":
        odd = {"nan": np.nan, "inf": np.inf, "huge": 3e38, "negative": -5}[how]
        changed = a.copy().reshape(-1)
        if a.dtype.kind == "f":
            changed[value % a.size] = odd
        else:
            changed[value % a.size] = {
                "nan": 0,
                "inf": np.iinfo(a.dtype).max,
                "huge": np.iinfo(a.dtype).max // 2,
                "negative": np.iinfo(a.dtype).min,
            }[how]
        tensors[name] = changed.reshape(a.shape)

"""What `chainrule explain` is given: a worksheet, the sizes of a network, or a trained model with a row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.cli.shapes import is_shape, rows_of, sizes, targets_by_head
from chainrule.errors import InputError, listed

if TYPE_CHECKING:
    from chainrule.estimators.perceptron import Perceptron
    from chainrule.explain.derivation import Derivation
    from chainrule.model import Model
    from chainrule.tables.table_model import TableModel

SHEET, SHAPE, MODEL = "a worksheet", "a network without a file", "a trained model"
# Options that don't go with everything: what each goes with, and an example.
BELONGS: dict[str, tuple[tuple[str, ...], str]] = {
    **dict.fromkeys(
        ("activation", "output", "loss", "seed", "optimizer", "learning_rate"),
        ((SHAPE,), "chainrule explain 2-2-1 --activation sigmoid --x 0.5,0.8 --y 1 --seed 3"),
    ),
    **dict.fromkeys(("x", "y"), ((SHAPE, MODEL), "chainrule explain 2-2-1 --x 0.5,0.8 --y 1")),
    "picture": ((MODEL,), "chainrule explain model.safetensors --picture cat.png"),
    **dict.fromkeys(
        ("table", "target", "member"), ((MODEL,), "chainrule explain model.safetensors --table new.csv --row 17")
    ),
}


@dataclass(frozen=True)
class Asked:
    """The options that say what is explained; None where they were left out."""

    notation: str | None = None
    row: int | None = None
    activation: str | None = None
    output: str | None = None
    loss: str | None = None
    x: str | None = None
    y: str | None = None
    seed: int | None = None
    optimizer: str | None = None
    learning_rate: float | None = None
    table: str | None = None
    picture: str | None = None
    target: str | None = None
    member: int | str | None = None


def kind_of(what: str) -> str:
    """What the first argument is: a file goes before a shape of the same name."""
    path = Path(what).expanduser()
    if is_shape(what) and not path.exists():
        return SHAPE
    return MODEL if path.suffix == ".safetensors" or _looks_saved(path) else SHEET


def _looks_saved(path: Path) -> bool:
    """Whether a file begins like a saved model, whatever it is called: eight bytes of a length, then JSON."""
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError:
        return False
    return head[8:] == b"{" and 0 in head[:8]


def derive(what: str, asked: Asked) -> tuple[Derivation, int | None]:
    """The derivation, and the row of it that is to be shown (a table's row was chosen before)."""
    kind = kind_of(what)
    _check_options(what, kind, asked)
    if kind == SHEET:
        from chainrule.explain.worksheets.worksheet import read_worksheet

        return read_worksheet(what).derivation(asked.notation), asked.row
    if kind == SHAPE:
        return _of_shape(what, asked), asked.row
    return _of_model(what, asked), asked.row if asked.table is None else None


def _check_options(what: str, kind: str, asked: Asked) -> None:
    for name, (kinds, example) in BELONGS.items():
        if getattr(asked, name) is not None and kind not in kinds:
            option = f"--{name.replace('_', '-')}"
            raise InputError(f"{option} is for {' or '.join(kinds)}, as in {example}; {what} is {kind}")


def _of_shape(what: str, asked: Asked) -> Derivation:
    """A network drawn from its seed, as training would begin with it."""
    from chainrule.explain.practice.exercise import pair
    from chainrule.explain.worksheets.sheet_model import hand_optimizer
    from chainrule.model import Model
    from chainrule.network import Network

    layers = sizes(what)
    if asked.x is None:
        example = ",".join(["0.5", "0.8", "1", "0.2"][: layers[0]]) if layers[0] <= 4 else "0.5,0.8,..."
        raise InputError(f"say what goes in: --x with {layers[0]} number{'s' * (layers[0] > 1)}, as in --x {example}")
    loss, output = pair(asked.loss, asked.output)
    network = Network.mlp(layers[0], layers[1:-1], layers[-1], activation=asked.activation or "relu", output=output)
    rate = {} if asked.learning_rate is None else {"learning_rate": asked.learning_rate}
    optimizer = hand_optimizer(asked.optimizer or "sgd", **rate)
    seed = 0 if asked.seed is None else asked.seed
    model = Model(network, loss, optimizer, seed=seed, dtype="float64", engine="reference")
    work = model.explain(*_rows(model, asked.x, asked.y), notation=asked.notation or "ours")
    return work.again(update=asked.optimizer is not None or asked.learning_rate is not None)


def _of_model(what: str, asked: Asked) -> Derivation:
    """Without an update: the optimizer's memory isn't in the file, so the next step would be another one."""
    from chainrule.files import load
    from chainrule.images.image_model import ImageModel
    from chainrule.model import Model
    from chainrule.tables.table_model import TableModel

    if asked.picture is not None:
        return _of_image_model(what, asked)
    if (asked.table is None) == (asked.x is None):
        both = "both" if asked.x is not None else "none"
        raise InputError(
            f"say which row of numbers goes in, by --table FILE --row N or by --x; {both} is given. "
            "A model of pictures takes --picture FILE"
        )
    loaded = load(what)
    if isinstance(loaded, ImageModel):
        raise InputError(f"{what} was trained on pictures: give one, --picture FILE")
    if isinstance(loaded, TableModel):
        return _of_table_model(what, loaded, asked)
    return _of_array_model(what, loaded, asked) if isinstance(loaded, Model) else _of_estimator(what, loaded, asked)


def _of_image_model(what: str, asked: Asked) -> Derivation:
    from chainrule.cli.loading import load_image_model

    assert asked.picture is not None
    model = load_image_model(what)
    others = [name for name in ("table", "x", "target", "row") if getattr(asked, name) is not None]
    if model is None or others:
        why = f"leave --{others[0]} out" if model else f"{what} wasn't trained on pictures"
        raise InputError(f"--picture is the picture that goes into a model of pictures: {why}")
    named = {str(name): name for name in model.classes}
    if asked.y is not None and asked.y not in named:
        raise InputError(f'--y is "{asked.y}"; the classes are {listed(model.classes)}')
    label = None if asked.y is None else named[asked.y]
    member = 1 if asked.member is None else asked.member
    work = model.explain([asked.picture], label, member=member, notation=asked.notation or "ours")
    return work.again(title=f"{what}: {Path(asked.picture).name}", update=False)


def _of_table_model(what: str, model: TableModel, asked: Asked) -> Derivation:
    several = len(model.heads) > 1
    if asked.table is None or asked.y is not None or (asked.target is not None and not several):
        targets = f"targets {listed(model.heads)}" if several else f'target "{model.target.name}"'
        raise InputError(
            f"{what} was trained on a table and knows its columns, the {targets} too: give --table FILE --row N alone"
        )
    if asked.member is not None:
        model.network(asked.member)  # a mistake here is none of the table's
    model.head(asked.target or next(iter(model.heads)))  # nor here
    frame = _read(asked.table, model)
    row = _check_row(asked.row, frame.height)
    try:
        work = model.explain(
            frame, row, member=asked.member or 1, target=asked.target, notation=asked.notation or "ours"
        )
    except InputError as error:
        raise InputError(f"{asked.table}, row {row}: {error}") from None
    return work.again(title=f"{what}: {Path(asked.table).name}, row {row}", update=False)


def _of_array_model(what: str, model: Model, asked: Asked) -> Derivation:
    if asked.table is None:
        assert asked.x is not None
        X, y = _rows(model, asked.x, asked.y)
    else:
        (X, told), row = _table_row(asked, _inputs(model, what), None)
        y = None if told is None else _targets(model, "--target", told, 1)
        if asked.y is not None:
            y = _targets(model, "--y", asked.y, 1)
        what = f"{what}: {Path(asked.table).name}, row {row}"
    if asked.member is not None:
        model = model.member(asked.member)
    work = model.explain(X, y, notation=asked.notation or "ours")
    return work.again(title=what, update=False)


def _of_estimator(what: str, estimator: Perceptron, asked: Asked) -> Derivation:
    if asked.member is not None:
        raise InputError(f"--member is for models of tables and of arrays; {what} is an estimator")
    names = getattr(estimator, "feature_names_in_", None)
    if asked.table is None:
        assert asked.x is not None
        X: Any = rows_of("--x", asked.x, estimator.n_features_in_, "input")
        told = asked.y
    else:
        columns = None if names is None else [str(name) for name in names]
        (X, told), row = _table_row(asked, estimator.n_features_in_, columns)
        what = f"{what}: {Path(asked.table).name}, row {row}"
        told = asked.y if asked.y is not None else told
    y = None if told is None else _own_targets(estimator, told, len(X))
    if names is not None:  # scikit-learn warns of rows without the names that it saw in training
        from polars import DataFrame

        X = DataFrame(X, schema=[str(name) for name in names])
    work: Derivation = estimator.explain(X, y, notation=asked.notation or "ours")
    return work.again(title=what, update=False)


def _own_targets(estimator: Any, text: str, rows: int) -> Any:
    """Targets in the estimator's own values: labels as they were in training, or numbers."""
    classes = getattr(estimator, "classes_", None)
    values: list[Any] = []
    for part in (row.strip() for row in text.split(";")):
        try:
            numbers = [float(number) for number in part.split(",")]
        except ValueError:
            numbers = []
        if classes is not None and not isinstance(classes, list):
            values.append(_label(classes, part, numbers))
        elif numbers:
            values.append(numbers if len(numbers) > 1 else numbers[0])
        else:
            raise InputError(f'--y is "{text}"; it must be numbers')
    if len(values) != rows:
        raise InputError(
            f"--y has {len(values)} rows and --x has {rows}: give each row its target, with ; between them"
        )
    return np.array(values)


def _label(classes: Any, text: str, numbers: list[float]) -> Any:
    for label in classes.tolist():
        if str(label) == text or (len(numbers) == 1 and not isinstance(label, str) and label == numbers[0]):
            return label
    raise InputError(f'"{text}" is none of the classes: they are {listed(classes.tolist())}')


def _rows(model: Model, x: str, y: str | None) -> tuple[Any, Any]:
    """Rows and targets as they were typed."""
    X = rows_of("--x", x, _inputs(model, "the network"), "input")
    return X, None if y is None else _targets(model, "--y", y, len(X))


def _inputs(model: Model, what: str) -> int:
    shapes = model.network.input_shapes
    shape = model.network.only_input_shape
    if shape is None or len(shape) != 1:
        has = listed(f"{name} {shape}" for name, shape in shapes.items())
        raise InputError(f"{what} has the inputs {has}, which can't be typed here: use chainrule.load(...).explain")
    return shape[0]


def _targets(model: Model, option: str, text: str, rows: int) -> Any:
    """Targets as they were typed: a number for each output, or the number of a class; of several heads by name."""
    heads = model.network.heads
    if len(heads) > 1:
        return targets_by_head(option, text, rows, model.objective.heads)
    outputs = heads[0].shape[0]
    labels = model.objective.heads[0].loss.name == "cross_entropy" and all("," not in row for row in text.split(";"))
    found = rows_of(option, text, 1 if labels else outputs, "class" if labels else "output")
    if len(found) != rows:
        raise InputError(
            f"{option} has {len(found)} row{'s' * (len(found) > 1)} and --x has {rows}: give each row its target, "
            "with ; between them"
        )
    return found[:, 0] if labels else found


def _table_row(asked: Asked, n_inputs: int, names: list[str] | None) -> tuple[tuple[Any, str | None], int]:
    """The inputs (1, inputs) and the target of one row of a table, whose columns are numbers, and which row it is."""
    assert asked.table is not None
    frame = _read(asked.table)
    row = _check_row(asked.row, frame.height)
    if asked.target is not None and asked.target not in frame.columns:
        raise InputError(f'{asked.table} has no column "{asked.target}"; it has {listed(frame.columns)}')
    columns = names or [name for name in frame.columns if name != asked.target]
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError(f"{asked.table} lacks the columns {listed(missing)}")
    if len(columns) != n_inputs:
        raise InputError(
            f"{asked.table} has {len(columns)} columns of inputs ({listed(columns)}) and the model takes {n_inputs}: "
            "say with --target which column is the target, and leave out what the model wasn't trained on"
        )
    values = frame.row(row - 1, named=True)
    told = None if asked.target is None or values[asked.target] is None else str(values[asked.target])
    numbers = [_number(asked.table, row, name, values[name]) for name in columns]
    return (np.array([numbers]), told), row


def _number(table: str, row: int, column: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]  # what is no number is the error below
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise InputError(f'{table}, row {row}: column "{column}" has {value!r}, and the model takes numbers')
    return number


def _check_row(row: int | None, height: int) -> int:
    if row is None and height == 1:
        return 1
    if row is None:
        raise InputError(f"say which row, as in --row 1; the table has {height:,}")
    if not 1 <= row <= height:
        raise InputError(f"--row is {row}; the table has {height:,} rows, from 1 to {height}")
    return row


def _read(table: str, model: object = None) -> Any:
    """A table, as a table model's own was read, or as it stands."""
    from chainrule.tables.reading import read_table
    from chainrule.tables.table_model import TableModel

    return model.reader.read(table) if isinstance(model, TableModel) else read_table(table)

"""What a model of any kind says over a plane: classes with their scores, or numbers; and the data's own targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.arrays import AnyArray, Doubles, Order
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.learner import Learner
from chainrule.plots.planes import Plane, choose_names, plane_of_arrays, plane_of_points, told_fixed
from chainrule.plots.themes import named


@dataclass(frozen=True)
class Answers:
    """What a model says over a plane.

    Arguments:
        plane: the two inputs.
        classes: their names; none where the answers are numbers.
        values: the score of each class, shape (cells, classes), or the numbers, shape (cells,).
        targets: the place of each point's class among the classes, where that is known.
        target: what is answered, by name.
    """

    plane: Plane
    classes: tuple[str, ...]
    values: Doubles
    targets: Order | None
    target: str = ""


def answers_of(
    model: Any, X: Any, y: Any, columns: Sequence[Any] | None, target: str | None, reach: float | None, cells: int,
    names: Sequence[str],
) -> Answers:  # fmt: skip
    """What a model says over a plane through two of its inputs.

    Arguments:
        model, X, y, columns, target, reach, cells, names: as `plots.regions` takes them.

    Raises:
        InputError: something of them doesn't fit the model.
    """
    if hasattr(model, "encoding"):
        return _of_table(model, X, y, columns, target, cells)
    if hasattr(getattr(model, "model_", None), "encoding"):
        return _of_table_estimator(model, X, y, columns, cells)
    if isinstance(model, Learner):
        return _of_model(model, X, y, columns, target, reach, cells, names)
    if hasattr(model, "n_features_in_"):
        return _of_estimator(model, X, y, columns, reach, cells, names)
    raise InputError(f"{type(model).__name__} is no fitted model of chainrule's")


def _of_model(
    model: Any, X: Any, y: Any, columns: Any, target: str | None, reach: float | None, cells: int, names: Sequence[str]
) -> Answers:
    shape = model.network.only_input_shape
    if shape is None or len(shape) != 1:
        raise InputError("regions are drawn of a network with one input of numbers in a row")
    head = _chosen({head.head: head for head in model.objective.heads}, target, "head")
    plane, rows = plane_of_arrays(X, shape[0], columns, reach, cells, names)
    said = model.predict(rows)
    said = np.asarray(said[head.head] if isinstance(said, dict) else said, np.float64)
    told = head.head if len(model.objective.heads) > 1 else ""
    if isinstance(y, Mapping):
        y = y.get(head.head)
    if not _is_of_classes(model, head):
        if said.shape[1] > 1:
            raise InputError(f"the model gives {said.shape[1]} numbers; regions are drawn of classes, or of one number")
        return Answers(plane, (), said[:, 0], None, told)
    if said.shape[1] == 1:
        said = np.concatenate([1 - said, said], axis=1)
    elif head.loss.fuses_with == "sigmoid":
        raise InputError(f"each of the model's {said.shape[1]} outputs is a yes or no of its own; regions take one")
    targets = None
    if y is not None:
        given = np.asarray(y)
        if len(model.objective.heads) > 1:  # its labels may be missing: rows without one aren't drawn
            plane, given = _labelled(plane, given)
        if given.dtype.kind not in "biuf" or not np.isfinite(given).all():
            raise InputError("y holds what is no class: a model of arrays numbers its classes from 0")
        given = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
        targets = (given.argmax(axis=1) if given.ndim == 2 else np.round(given)).astype(np.int64)
        _check_targets(targets, plane, said.shape[1])
    return Answers(plane, tuple(str(k) for k in range(said.shape[1])), said, targets, told)


def _labelled(plane: Plane, given: AnyArray) -> tuple[Plane, AnyArray]:
    """The points of a plane whose label is there, and these labels."""
    if given.dtype.kind != "f" or len(given) != len(plane.points):
        return plane, given
    known = ~np.isnan(given.reshape(len(given), -1)).any(axis=1)
    return replace(plane, points=plane.points[known]), given[known]


def _chosen(known: Mapping[str, Any], name: str | None, what: str) -> Any:
    """What has the name; without one the only thing that there is."""
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name is None:
        raise InputError(f"the model has {len(known)} {what}s, {listed(known)}: choose one with target")
    if name not in known:
        raise InputError(f'the model has no {what} "{name}".{did_you_mean(name, known)} It has {listed(known)}')
    return known[name]


def _is_of_classes(model: Any, head: Any) -> bool:
    """By its loss, or by what the last layer makes."""
    slot = next(one.slot for one in model.network.heads if one.name == head.head)
    last = next(step for step in model.network.steps if step.output == slot)
    return head.loss.fuses_with in ("sigmoid", "softmax") or last.layer.makes in ("sigmoid", "softmax", "threshold")


def _of_estimator(
    model: Any, X: Any, y: Any, columns: Any, reach: float | None, cells: int, names: Sequence[str]
) -> Answers:
    own = [str(name) for name in getattr(model, "feature_names_in_", ())]
    plane, asked = plane_of_arrays(X, model.n_features_in_, columns, reach, cells, own or names)
    rows: Any = asked
    if own:  # scikit-learn warns of rows without the names that it saw in training
        import polars as pl

        rows = pl.DataFrame(dict(zip(own, asked.T, strict=True)))
    classes = getattr(model, "classes_", None)
    if classes is None:
        return Answers(plane, (), np.asarray(model.predict(rows), np.float64).reshape(len(rows)), None)
    if isinstance(classes, list) or (getattr(model, "out_activation_", "") == "logistic" and len(classes) > 2):
        raise InputError("the estimator gives several labels; regions take one")
    targets = None
    if y is not None:
        targets = _places(classes, y)
        _check_targets(targets, plane, len(classes))
    return Answers(plane, tuple(named(k) for k in classes), np.asarray(model.predict_proba(rows), np.float64), targets)


def _of_table(model: Any, table: Any, y: Any, columns: Any, target: str | None, cells: int) -> Answers:
    """A table's rows with two columns varied; the others are the median, or the most frequent category."""
    import polars as pl

    from chainrule.tables.column_values import as_numbers

    if table is None:
        raise InputError("give the table too: its rows are drawn, and say what is typical of the other columns")
    plan = _chosen({plan.name: plan for plan in model.targets}, target, "target")
    frame = model.reader.read(table)
    if y is not None and plan.name not in frame.columns:
        frame = frame.with_columns(pl.Series(plan.name, np.asarray(y).tolist()))
    used = [column.name for column in model.encoding.columns]
    missing = [name for name in used if name not in frame.columns]
    if missing:
        raise InputError(f"the table has no column {listed(missing)}, which the model reads")
    units: dict[str, Any] = {column.name: getattr(column, "unit", None) for column in model.encoding.columns}
    numbers = [name for name in used if units[name] in ("number", "boolean")]
    pair = choose_names(numbers, columns)
    typical: dict[str, Any] = {}
    for name in used:
        known = frame[name].drop_nulls()
        if name in numbers:
            values = as_numbers(frame[name], units[name])
            typical[name] = float(np.nanmedian(values)) if np.isfinite(values).any() else 0.0
        else:
            typical[name] = known.mode().sort()[0] if len(known) else None
    points = np.stack([as_numbers(frame[name], units[name]) for name in pair], axis=1)
    there = np.isfinite(points).all(axis=1)
    if plan.name in frame.columns:
        there &= frame[plan.name].is_not_null().to_numpy()
    frame, points = frame.filter(pl.Series(there)), points[there]
    if not len(points):
        raise InputError(f"no row of the table has numbers in both {pair[0]} and {pair[1]}")
    others = [(name, f"{one:.4g}" if isinstance(one, float) else one) for name, one in typical.items()]
    plane = plane_of_points(points, pair, cells, told_fixed(one for one in others if one[0] not in pair))
    asked: dict[str, Any] = {name: [one] * len(plane.grid) for name, one in typical.items()}
    asked |= {name: plane.grid[:, i] for i, name in enumerate(pair)}
    rows = pl.DataFrame({name: pl.Series(name, values, strict=False) for name, values in asked.items()})
    said = model.predict_proba(rows) if plan.classes else model.predict(rows)
    said = np.asarray(said[plan.name] if isinstance(said, dict) else said, np.float64)
    if not plan.classes:
        return Answers(plane, (), said, None, plan.name)
    targets = np.asarray(plan.encode(frame), np.int64) if plan.name in frame.columns else None
    return Answers(plane, tuple(named(one) for one in plan.classes), said, targets, plan.name)


def _of_table_estimator(model: Any, X: Any, y: Any, columns: Any, cells: int) -> Answers:
    """Its table model learned places of classes; the labels are its own."""
    labels = getattr(model, "classes_", None)
    if labels is None:
        return replace(_of_table(model.model_, X, y, columns, None, cells), target="")
    if y is not None:
        y = _places(labels, y)
    answers = _of_table(model.model_, X, y, columns, None, cells)
    return replace(answers, classes=tuple(named(one) for one in labels), target="")


def _places(labels: AnyArray, y: Any) -> Order:
    """Where the labels of rows stand among all labels; -1 for others."""
    places = {one: k for k, one in enumerate(labels.tolist())}
    return np.array([places.get(one, -1) for one in np.asarray(y).tolist()], np.int64)


def _check_targets(targets: Order, plane: Plane, n_classes: int) -> None:
    if targets.shape != (len(plane.points),):
        raise InputError(f"y has shape {targets.shape}; ({len(plane.points)},) would be right: one for each row of X")
    if len(targets) and not 0 <= targets.min() <= targets.max() < n_classes:
        raise InputError(f"y holds classes that the model doesn't know: it has {n_classes}")

"""Weights as knobs: the loss, and what the network says, as functions of one weight or of two.

Everything is computed by the model's engine in float64, over copies of its weights: the model stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import AnyArray, Array, Doubles
from chainrule.data import prepare_inputs, prepare_rows
from chainrule.engines.contract import Rows
from chainrule.errors import InputError, TrainingError, listed
from chainrule.explain.network.trace import DOUBLE
from chainrule.knobs.finding import Knob, knobs_of
from chainrule.knobs.trail import Trail
from chainrule.learner import Learner
from chainrule.limits import POSITIVE, Limit, check
from chainrule.plain import shortened

if TYPE_CHECKING:
    from chainrule.plots.picture import Picture

AT_ONCE = 2**22  # numbers of the copies that an engine is given at once
POINTS = {1: 121, 2: 41}  # along each knob
_POINTS = Limit(2, 10_000, whole=True)


@dataclass(frozen=True)
class Turned:
    """The loss as a function of one weight or of two, all others as they are; made by `Model.turn`.

    Arguments:
        names: of the weights.
        at: what they are now.
        values: what each is turned to, an array for each.
        loss: there, penalties included: of shape (n,) for one weight, (n, m) for two.
        trail: the way that a fit went.
        turner: asks the engine.

    >>> from chainrule import Model, Network
    >>> model = Model(Network.mlp(1, [], 1), "squared_error", dtype="float64")
    >>> model.set_parameters({"output": {"W": [[2.0]], "b": [1.0]}})
    >>> turned = model.turn("W[output,1,1]", X=[[3.0]], y=[5.0], values=[[0.0, 1.0, 2.0]])
    >>> turned.at, turned.loss.tolist(), turned.gradient
    ((2.0,), [16.0, 1.0, 4.0], (12.0,))
    >>> turned.loss_at([[1.5]]).tolist(), turned.outputs([[3.0]])[:, 0, 0].tolist(), turned.lowest
    ([0.25], [1.0, 4.0, 7.0], (1.0,))
    """

    names: tuple[str, ...]
    at: tuple[float, ...]
    values: tuple[Doubles, ...]
    loss: Doubles
    trail: Trail | None = field(default=None, repr=False)
    turner: Turner = field(kw_only=True, repr=False, compare=False)

    @property
    def loss_now(self) -> float:
        """The loss with the weights as they are."""
        return float(self.loss_at([self.at])[0])

    @property
    def gradient(self) -> tuple[float, ...]:
        """The gradient of the loss by each of the weights where they are: the slopes there.

        Raises:
            TrainingError: there is none: threshold units are in the way, or it isn't finite.
        """
        return self.turner.gradient()

    def plot(self) -> Picture:
        """The picture of it: `plots.knobs(turned)`.

        Raises:
            MissingDependencyError: matplotlib isn't installed.

        >>> from chainrule import Model, Network
        >>> model = Model(Network.mlp(1, [], 1), "squared_error")
        >>> model.turn("W[output,1,1]", X=[[1.0]], y=[2.0]).plot()
        <Picture: The loss over W[output,1,1]>
        """
        from chainrule.plots.landscapes import knobs

        return knobs(self)

    @property
    def lowest(self) -> tuple[float, ...]:
        """Where the loss is lowest, among the values that were tried."""
        if np.isnan(self.loss).all():
            return self.at
        index = np.unravel_index(int(np.nanargmin(self.loss)), self.loss.shape)
        return tuple(float(values[i]) for values, i in zip(self.values, index, strict=True))

    def loss_at(self, points: Any) -> Doubles:
        """The loss with the weights at some points, shape (points,).

        Arguments:
            points: a row for each, with a number for each weight.
        """
        return self.turner.losses(_points(points, len(self.names)))

    def outputs(self, X: Any, points: Any = None) -> Any:
        """What the network says of rows: by point, then as `predict`; by head where there are several.

        Arguments:
            X: rows; a mapping by name where the network has several inputs.
            points: a row for each, with a number for each weight; left out, every one of `values`.
        """
        everywhere = points is None
        chosen = _grid(self.values) if everywhere else _points(points, len(self.names))
        found = self.turner.outputs(X, chosen)
        shape = self.loss.shape if everywhere else (len(chosen),)
        by_head = {name: said.reshape(*shape, *said.shape[1:]) for name, said in found.items()}
        return by_head if len(by_head) > 1 else next(iter(by_head.values()))


class Turner:
    """A model's engine, asked about copies of its weights in which some numbers are others.

    Arguments:
        model: whose; it is left as it is.
        rows: what the loss is of, in float64.
        knobs: which numbers.
    """

    def __init__(self, model: Learner, rows: Rows, knobs: Sequence[Knob]):
        self.model = model
        self.rows = rows
        self.places = [knob.place for knob in knobs]
        now = model.training
        self.parameters, self.state = now.parameters[:1].astype(DOUBLE), now.state[:1].astype(DOUBLE)
        self.at = tuple(float(self.parameters[0, place]) for place in self.places)

    def _copies(self, points: Doubles) -> Iterator[tuple[Array, Array]]:
        """Weights and statistics for the points, as many at once as fit into memory."""
        size = max(1, AT_ONCE // max(1, self.parameters.size))
        for begin in range(0, len(points), size):
            part = points[begin : begin + size]
            copies = self.model.network.layout.zeros(len(part), DOUBLE)
            copies[...] = self.parameters
            copies[:, self.places] = part
            yield copies, np.repeat(self.state, len(part), axis=0)

    def losses(self, points: Doubles) -> Doubles:
        """The loss at each point."""
        engine, objective, found = self.model._engine_for(self.rows), self.model.objective, list[float]()
        with np.errstate(all="ignore"):
            for parameters, state in self._copies(points):
                sums = engine.losses(parameters, state, self.rows)
                found += [sums.loss(objective, i) for i in range(len(parameters))]
        return np.array(found)

    def outputs(self, X: Any, points: Doubles) -> dict[str, AnyArray]:
        """By head what the network says at each point of each row."""
        network = self.model.network
        inputs = prepare_inputs(network, X, DOUBLE)
        engine = self.model._engine_for(inputs)
        with np.errstate(all="ignore"):
            said = [engine.predict(parameters, state, inputs) for parameters, state in self._copies(points)]
        parts = [np.concatenate(part) for part in zip(*said, strict=True)]
        return {head.name: part for head, part in zip(network.heads, parts, strict=True)}

    def gradient(self) -> tuple[float, ...]:
        """The gradient where the weights are, as a step's without dropout would have it."""
        self.model.objective.check_trainable(self.model.network)
        now = self.model.training
        with np.errstate(all="ignore"):
            vector = self.model._engine_for(self.rows).gradients(
                self.parameters, self.state, self.rows, training=False, seed=self.model.seed, step=now.step
            ).vector[0]  # fmt: skip
        found = tuple(float(vector[place]) for place in self.places)
        if not all(map(math.isfinite, found)):
            raise TrainingError("the gradient is NaN or infinite: something overflows on the way; are inputs scaled?")
        return found


def turn(
    model: Learner, names: Sequence[str], X: Any, y: Any, sample_weight: Any = None, *,
    reach: float | None = None, points: int | None = None, values: Any = None, trail: Trail | None = None,
) -> Turned:  # fmt: skip
    """The loss as a function of one weight or two: what `Model.turn` calls."""
    rows = prepare_rows(model.network, model.objective, X, y, sample_weight, DOUBLE)
    return turn_rows(model, names, rows, reach=reach, points=points, values=values, trail=trail)


def turn_rows(
    model: Learner, names: Sequence[str], rows: Rows, *, reach: float | None = None, points: int | None = None,
    values: Any = None, trail: Trail | None = None,
) -> Turned:  # fmt: skip
    """The same for rows that are prepared, in float64."""
    if len(names) not in (1, 2):
        raise InputError(f"{len(names)} weights are named; a landscape is over one or two, as in W[hidden,1,2]")
    knobs = knobs_of(model, names, rows)
    if len({knob.place for knob in knobs}) < len(knobs):
        raise InputError(f"{knobs[0].name} is named twice: turn two different weights")
    full = tuple(knob.name for knob in knobs)
    turner = Turner(model, rows, knobs)
    if values is None:
        walked = None if trail is None else _columns(trail, full)
        tried = _spread(turner.at, reach, points, walked)
    elif reach is None and points is None:
        tried = _tried(values, full)
    else:
        raise InputError("give values, or reach and points; not both")
    loss = turner.losses(_grid(tried)).reshape([len(one) for one in tried])
    return Turned(full, turner.at, tried, loss, trail, turner=turner)


def _spread(
    at: tuple[float, ...], reach: float | None, points: int | None, walked: Doubles | None
) -> tuple[Doubles, ...]:
    """Values for each weight, around where it is."""
    if reach is not None:
        check("turn", "reach", reach, POSITIVE)
    count = POINTS[len(at)] if points is None else points
    check("turn", "points", count, _POINTS)
    return tuple(_around(one, reach, count, None if walked is None else walked[:, i]) for i, one in enumerate(at))


def _around(at: float, reach: float | None, count: int, walked: Doubles | None) -> Doubles:
    """Evenly spaced values around where a weight is, itself among them; as far as a trail went, where there is one."""
    if reach is None and walked is not None and len(walked):
        low, high = min(at, float(walked.min())), max(at, float(walked.max()))
        room = max(0.25 * (high - low), 0.5)
        return _with(at, np.linspace(low - room, high + room, count))
    far = max(2.0, 2.0 * abs(at)) if reach is None else reach
    return _with(at, np.linspace(at - far, at + far, count))


def _with(at: float, values: Doubles) -> Doubles:
    """Values with one among them: in place of the one that differs by rounding alone, or one more."""
    nearest = int(abs(values - at).argmin())
    if abs(values[nearest] - at) > 1e-6 * (values[1] - values[0]):
        return np.union1d(values, [at])
    values[nearest] = at
    return values


def _tried(values: Any, names: tuple[str, ...]) -> tuple[Doubles, ...]:
    try:
        found = tuple(np.asarray(one, DOUBLE) for one in values)
    except (TypeError, ValueError):
        found = ()
    if len(found) != len(names) or any(one.ndim != 1 or not len(one) or not np.isfinite(one).all() for one in found):
        lists = ", ".join(["[-1, 0, 1]"] * len(names))
        raise InputError(f"values are finite numbers, a list of them for each weight, as in values=[{lists}]")
    return found


def _points(points: Any, knobs: int) -> Doubles:
    try:
        found = np.asarray(points, DOUBLE)
    except (TypeError, ValueError):
        raise InputError(f"points are numbers, a row for each point: {shortened(points)} is none of that") from None
    if found.ndim != 2 or found.shape[1] != knobs:
        raise InputError(f"points have shape {found.shape}; (points, {knobs}) would be right")
    return found


def _grid(values: Sequence[Doubles]) -> Doubles:
    return np.stack(np.meshgrid(*values, indexing="ij"), axis=-1).reshape(-1, len(values))


def _columns(trail: Trail, names: tuple[str, ...]) -> Doubles:
    if not isinstance(trail, Trail):
        raise InputError(f"trail is {shortened(trail)}; it must be a chainrule.Trail that a fit was called back with")
    missing = [name for name in names if name not in trail.names]
    if missing:
        raise InputError(f"the trail has no {listed(missing)}; it recorded {listed(trail.names)}")
    return trail.values[:, [trail.names.index(name) for name in names]]

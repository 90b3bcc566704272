"""The network at work behind an estimator: made from fitted arrays, and given back as arrays.

An estimator keeps arrays and plain Python values; a `Core` is what fitting and predicting need besides. It can be made
anew at any moment, so files and worker processes never hold one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.sparse import issparse

from chainrule.arrays import Array
from chainrule.errors import InputError
from chainrule.estimators.architecture import Architecture
from chainrule.estimators.sparse import InParts
from chainrule.losses import Loss
from chainrule.model import Model
from chainrule.network import Network
from chainrule.objective import Objective
from chainrule.optimizers import OPTIMIZERS, Optimizer
from chainrule.resolve import to_form

AtRest = dict[str, Any]  # arrays and plain values


@dataclass(frozen=True)
class Settings:
    """What decides how a core computes; while it stays the same, so does the core."""

    architecture: Architecture
    losses: tuple[Loss, ...]
    optimizer: Optimizer
    penalty: float
    engine: str
    members: int
    threads: int | None


@lru_cache(maxsize=64)
def network_of(architecture: Architecture) -> Network:
    """The network of an architecture, described once."""
    return architecture.network()


class Core:
    """A model, where it stands in its training, and its best weights so far.

    `coefs` and `intercepts` are those of the first member: views into its parameters (the last ones copies, where a
    network has several heads). An `empty` one begins with zeros, and waits for weights.
    """

    def __init__(self, settings: Settings, dtype: np.dtype[Any], seed: int, *, empty: bool = False):
        architecture = settings.architecture
        network = network_of(architecture)
        self.settings = settings
        losses = dict(zip(architecture.head_names, settings.losses, strict=True))
        self.model = Model.ensemble(
            network,
            Objective(losses, convention="sklearn"),
            settings.optimizer,
            members=network.layout.zeros(settings.members, dtype) if empty else settings.members,
            l2=settings.penalty,
            seed=seed,
            dtype=dtype,
            engine=settings.engine,
            threads=settings.threads,
        )
        self.best = self.model.training.snapshot()
        self.stands_for: tuple[Any, ...] | None = None  # the estimator's parameters that it was last made ready for
        self._bind()

    def _bind(self) -> None:
        self._weights, self._biases = self._views(self.model.training.parameters[0])
        last = len(self.settings.architecture.hidden_names)
        self.coefs = [*self._weights[:last], _joined(self._weights[last:])]
        self.intercepts = [*self._biases[:last], _joined(self._biases[last:])]
        self._shapes = [W.shape for W in self.coefs], [b.shape for b in self.intercepts]

    def _views(self, parameters: Array) -> tuple[list[Array], list[Array]]:
        """Weights and biases of the dense layers as views into one member's vector, those of the heads last."""
        architecture = self.settings.architecture
        named = self.model.network.layout.named(parameters)
        layers = [named[name] for name in (*architecture.hidden_names, *architecture.head_names)]
        return [layer["W"] for layer in layers], [layer["b"] for layer in layers]

    def start(self, drawn: Sequence[tuple[Sequence[Any], Sequence[Any]]]) -> None:
        """Begin with weights and biases of each member."""
        for parameters, (coefs, intercepts) in zip(self.model.training.parameters, drawn, strict=True):
            weights, biases = self._views(parameters)
            _place(coefs, self._shapes[0], weights)
            _place(intercepts, self._shapes[1], biases)
        self.refresh()
        self.keep_best()

    def fits(self, coefs: Sequence[Any], intercepts: Sequence[Any]) -> bool:
        """Whether these arrays have the shapes of its weights and biases."""
        return [np.shape(W) for W in coefs] == self._shapes[0] and [np.shape(b) for b in intercepts] == self._shapes[1]

    def place(self, coefs: Sequence[Any], intercepts: Sequence[Any]) -> None:
        """Take weights and biases of the first member as they are now: their owner may have assigned others."""
        _place(coefs, self._shapes[0], self._weights)
        _place(intercepts, self._shapes[1], self._biases)
        self.refresh()

    def refresh(self) -> None:
        """Make `coefs` and `intercepts` say what the parameters are now."""
        if len(self.settings.architecture.heads) > 1:
            self._bind()

    def take(self, other: AtRest) -> None:
        """Go on from another core's arrays, as far as they fit."""
        training = self.model.training
        for name, array in (("parameters", training.parameters), ("state", training.state)):
            if other[name].shape == array.shape:
                array[...] = other[name]
                getattr(self.best, name)[...] = other[f"best_{name}"]
        training.step = training.memory_from = other["step"]
        training.epoch = other["epoch"]
        self.refresh()

    def take_optimizer(self, other: AtRest) -> None:
        """Go on with what another core's optimizer remembers, if it is of the same kind."""
        training = self.model.training
        if other["optimizer_name"] == self.model.optimizer.name and other["slots"].shape == training.slots.shape:
            training.slots[...] = other["slots"]
            training.first_step, training.memory_from = other["first_step"], other.get("memory_from", 0)
            training.plateau = dict(other["plateau"])

    def at_rest(self) -> AtRest:
        """Everything that training changed, as arrays and plain values."""
        training, optimizer = self.model.training, self.model.optimizer
        return {
            "parameters": training.parameters.copy(), "state": training.state.copy(), "slots": training.slots.copy(),
            "best_parameters": self.best.parameters.copy(), "best_state": self.best.state.copy(),
            "step": training.step, "first_step": training.first_step, "memory_from": training.memory_from,
            "epoch": training.epoch,
            "plateau": dict(training.plateau), "seed": self.model.seed, "optimizer_name": optimizer.name,
            "optimizer": to_form(optimizer) if type(optimizer) in OPTIMIZERS.values() else None,
        }  # fmt: skip

    def keep_best(self) -> None:
        """Remember the weights as they are now."""
        self.best = self.model.training.snapshot()

    def restore_best(self) -> None:
        """Bring back the weights that were kept."""
        self.model.training.restore(self.best)
        self.refresh()

    def outputs(self, X: Any) -> tuple[Array, ...]:
        """What every member says, an array (members, rows, units) for each head; a sparse X a few rows at a time."""
        training, engine = self.model.training, self.model._engine
        if issparse(X):
            return InParts(engine).predict(training.parameters, training.state, (X.tocsr(),))
        rows = np.require(X, self.model.dtype, ["C", "A"])
        return engine.predict(training.parameters, training.state, (rows,))


def _joined(arrays: list[Array]) -> Array:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=-1)


def _place(given: Sequence[Any], shapes: Sequence[Any], views: list[Array]) -> None:
    """Write given arrays into the views, the last one split among the heads."""
    if len(given) != len(shapes):
        raise InputError(f"there are {len(given)} arrays of weights for {len(shapes)} layers")
    for i, (array, shape) in enumerate(zip(given, shapes, strict=True)):
        if array is views[i]:
            continue  # the parameters themselves
        if np.shape(array) != shape:
            raise InputError(f"the weights of layer {i + 1} have shape {np.shape(array)}; {shape} would be right")
        parts = [views[i]] if i < len(shapes) - 1 else views[i:]
        begin = 0
        for part in parts:
            end = begin + part.shape[-1]
            part[...] = array if len(parts) == 1 else np.asarray(array)[..., begin:end]
            begin = end

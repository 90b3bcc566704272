"""The model at work behind an estimator: made from fitted arrays, and given back as arrays.

An estimator keeps arrays and plain Python values; a `FittedModel` is what fitting and predicting need besides. It can
be made anew at any moment, so files and worker processes never hold one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.sparse import issparse

from chainrule.arrays import Array
from chainrule.engines.contract import Engine
from chainrule.errors import InputError
from chainrule.estimators.architecture import Architecture
from chainrule.estimators.sparse import in_parts
from chainrule.losses import Loss
from chainrule.model import Model
from chainrule.network import Network
from chainrule.objective import Objective
from chainrule.optimizers import OPTIMIZERS, Optimizer
from chainrule.resolve import to_form
from chainrule.training.state import Snapshot, TrainingState

AtRest = dict[str, Any]  # arrays and plain values
_ARRAYS = ("parameters", "state", "slots")
_COUNTERS = {"step": 0, "first_step": 0, "memory_from": 0, "epoch": 0, "steps_per_epoch": 1, "total_steps": 1}  # least


@dataclass(frozen=True)
class ModelSettings:
    """What decides how a model computes; while it stays the same, so does the model."""

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


class FittedModel(Model):
    """A model that takes sparse rows, shows its weights as scikit-learn's lists, and remembers its best ones.

    `coefs` and `intercepts` are those of the first member: views into its parameters (the last ones copies, where a
    network has several heads). `stands_for` is the estimator's activation that it was last made ready for.
    """

    settings: ModelSettings
    best: Snapshot
    stands_for: Any

    @classmethod
    def of(cls, settings: ModelSettings, dtype: np.dtype[Any], seed: int, *, empty: bool = False) -> FittedModel:
        """A new one; if `empty` it begins with zeros, and waits for weights."""
        architecture = settings.architecture
        network = network_of(architecture)
        losses = dict(zip(architecture.head_names, settings.losses, strict=True))
        model = cls.ensemble(
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
        model.settings, model.stands_for = settings, None
        model.keep_best()
        model._bind()
        return model

    def _bind(self) -> None:
        self._weights, self._biases = self._views(self.training.parameters[0])
        last = len(self.settings.architecture.hidden_names)
        self.coefs = [*self._weights[:last], _joined(self._weights[last:])]
        self.intercepts = [*self._biases[:last], _joined(self._biases[last:])]
        self._shapes = [W.shape for W in self.coefs], [b.shape for b in self.intercepts]

    def _views(self, parameters: Array) -> tuple[list[Array], list[Array]]:
        """Weights and biases of the dense layers as views into one member's vector, those of the heads last."""
        architecture = self.settings.architecture
        named = self.network.layout.named(parameters)
        layers = [named[name] for name in (*architecture.hidden_names, *architecture.head_names)]
        return [layer["W"] for layer in layers], [layer["b"] for layer in layers]

    def start(self, drawn: Sequence[tuple[Sequence[Any], Sequence[Any]]]) -> None:
        """Begin with weights and biases of each member."""
        for parameters, (coefs, intercepts) in zip(self.training.parameters, drawn, strict=True):
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

    def at_rest(self) -> AtRest:
        """Everything that training changed, as arrays and plain values."""
        training, optimizer = self.training, self.optimizer
        return {
            **{name: getattr(training, name).copy() for name in _ARRAYS},
            **{name: getattr(training, name) for name in _COUNTERS},
            "best_parameters": self.best.parameters.copy(), "best_state": self.best.state.copy(),
            "plateau": dict(training.plateau), "seed": self.seed, "optimizer_name": optimizer.name,
            "optimizer": to_form(optimizer) if type(optimizer) in OPTIMIZERS.values() else None,
        }  # fmt: skip

    def go_on_from(self, rest: AtRest) -> None:
        """Stand where another was `at_rest`: its weights as far as they fit, its optimizer's memory if of one kind."""
        stood = {name: rest.get(name, least) for name, least in _COUNTERS.items()} | {"plateau": rest["plateau"]}
        other = TrainingState(*(rest[name] for name in _ARRAYS), **stood)
        self.training.take_over(other, optimizer=rest["optimizer_name"] == self.optimizer.name)
        if rest["parameters"].shape == self.best.parameters.shape and rest["state"].shape == self.best.state.shape:
            self.best.take(rest["best_parameters"], rest["best_state"])
        self.refresh()

    def keep_best(self) -> None:
        """Remember the weights as they are now."""
        self.best = self.training.snapshot()

    def restore_best(self) -> None:
        """Bring back the weights that were kept."""
        self.training.restore(self.best)
        self.refresh()

    def as_inputs(self, X: Any) -> tuple[Any]:
        """Rows as `outputs` takes them; sparse ones stay so, and are made dense a few at a time."""
        return (X.tocsr() if issparse(X) else np.require(X, self.dtype, ["C", "A"]),)

    def _engine_for(self, *rows: Any) -> Engine:
        return in_parts(super()._engine_for(*rows), rows)


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

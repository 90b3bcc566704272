"""A model as tensors and JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.arrays import AnyArray, Array
from chainrule.engines.contract import Sums
from chainrule.errors import FileError, InputError
from chainrule.layers import Shape
from chainrule.losses import LOSSES, MissingLoss
from chainrule.metrics import METRICS, Metric
from chainrule.network import Network
from chainrule.objective import Objective
from chainrule.optimizers import Optimizer, get_optimizer
from chainrule.parameters import Layout
from chainrule.resolve import to_form
from chainrule.training.history import History
from chainrule.training.state import Snapshot, TrainingState

Tensors = dict[str, AnyArray]
_COUNTERS = (
    "step", "epoch", "batch", "first_step", "first_epoch", "memory_from", "seconds", "rate", "memories", "plateau",
)  # fmt: skip
_SNAPSHOTS = ("best", "latest", "epoch_start")


def losses_form(objective: Objective) -> dict[str, Any]:
    """Each head's loss in JSON form; one of the user's own is code, and only its title is kept."""
    forms: dict[str, Any] = {}
    for head in objective.heads:
        own = type(head.loss) not in LOSSES.values()
        title = getattr(head.loss, "title", type(head.loss).__name__)
        forms[head.head] = {"name": "custom", "title": title} if own else to_form(head.loss)
    return forms


def loss_of(form: Any) -> Any:
    """What `Objective.of` takes for a head from its saved form."""
    if isinstance(form, Mapping) and form.get("name") == "custom":
        return MissingLoss(form["title"])
    return form


def metrics_form(metrics: Mapping[str, tuple[Metric, ...]]) -> dict[str, list[str]]:
    """The names of chainrule's own metrics, by head."""
    return {head: [m.name for m in those if METRICS.get(m.name) is m] for head, those in metrics.items()}


def save_training(
    network: Network, optimizer: Optimizer, training: TrainingState, *, whole: bool
) -> tuple[Tensors, dict[str, Any]]:
    """Tensors and JSON of a training state; only parameters, state and history unless the whole of it is wanted.

    Raises `InputError` for a network or an optimizer with parts of the user's own: files hold no code, so nobody
    could load them again.
    """
    _check_loadable(network, optimizer)
    tensors = {
        **_tensors("parameters", network.layout, training.parameters),
        **_tensors("state", network.state_layout, training.state),
    }
    form: dict[str, Any] = {"history": training.history.to_dict()}
    if not whole:
        return tensors, form
    for i, name in enumerate(optimizer.slot_names):
        tensors.update(_tensors(f"slots.{name}", network.layout, training.slots[:, i]))
    for name in _SNAPSHOTS:
        snapshot: Snapshot | None = getattr(training, name)
        if snapshot is not None:
            tensors.update(_tensors(f"{name}.parameters", network.layout, snapshot.parameters))
            tensors.update(_tensors(f"{name}.state", network.state_layout, snapshot.state))
    form["training"] = {name: getattr(training, name) for name in _COUNTERS}
    form["training"]["snapshots"] = [name for name in _SNAPSHOTS if getattr(training, name) is not None]
    if training.partial is not None:
        sums = training.partial
        form["training"]["partial"] = {
            "losses": sums.losses.tolist(), "weights": sums.weights.tolist(), "penalties": sums.penalties.tolist(),
            "steps": sums.steps,
        }  # fmt: skip
    return tensors, form


def load_training(
    network: Network, optimizer: Optimizer, training: TrainingState, tensors: Tensors, form: Mapping[str, Any]
) -> None:
    """Fill a fresh training state from tensors and JSON; the inverse of `save_training`."""
    _fill(network.layout, training.parameters, tensors, "parameters")
    _fill(network.state_layout, training.state, tensors, "state")
    training.history = History.from_dict(form["history"])
    saved = form.get("training")
    if saved is None:
        return
    for name in _COUNTERS:
        setattr(training, name, saved.get(name, 0) if name == "memory_from" else saved[name])  # older files lack it
    for i, name in enumerate(optimizer.slot_names):
        _fill(network.layout, training.slots[:, i], tensors, f"slots.{name}")
    for name in _SNAPSHOTS:
        if name not in saved["snapshots"]:
            continue
        snapshot = training.snapshot()
        _fill(network.layout, snapshot.parameters, tensors, f"{name}.parameters")
        _fill(network.state_layout, snapshot.state, tensors, f"{name}.state")
        setattr(training, name, snapshot)
    if "partial" in saved:
        sums = saved["partial"]
        training.partial = Sums(
            np.array(sums["losses"]), np.array(sums["weights"]), np.array(sums["penalties"]), sums["steps"]
        )


def _tensors(prefix: str, layout: Layout, vectors: Array) -> Tensors:
    """Named arrays of the vectors; of several members with their axis in front."""
    return {
        f"{prefix}/{span.key}": vectors[:, span.slice].reshape(_shape(span.shape, len(vectors)))
        for span in layout.spans
    }


def _shape(shape: Shape, members: int) -> Shape:
    return shape if members == 1 else (members, *shape)


def _fill(layout: Layout, vectors: Array, tensors: Tensors, prefix: str) -> None:
    for span in layout.spans:
        key, shape = f"{prefix}/{span.key}", _shape(span.shape, len(vectors))
        array = tensors.get(key)
        if array is None or array.shape != shape or array.dtype != vectors.dtype:
            found = "isn't there" if array is None else f"is {array.dtype} of shape {array.shape}"
            raise FileError(f'the file is damaged: the tensor "{key}", {vectors.dtype} of shape {shape}, {found}')
        vectors[:, span.slice] = array.reshape(len(vectors), -1)


def _check_loadable(network: Network, optimizer: Optimizer) -> None:
    try:
        same = Network.from_dict(network.to_dict()) == network and get_optimizer(to_form(optimizer)) == optimizer
        why = "it isn't the same when it is read again"
    except (InputError, TypeError) as error:
        same, why = False, str(error).partition(". ")[0]
    if not same:
        raise InputError(
            f"the model can't be saved: files hold no code, and a part of it is none of chainrule's own ({why}). "
            "Save its parameters, and make the model anew from your code"
        )


def damaged(error: Exception) -> FileError:
    """The error for a description that can't be understood."""
    reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return FileError(f"the file's description of the model is damaged: {reason}")

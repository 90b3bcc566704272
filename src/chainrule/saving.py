"""A model as tensors and JSON, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule import forms
from chainrule.arrays import AnyArray, Array, is_finite
from chainrule.container import TIMES
from chainrule.engines.contract import Sums
from chainrule.errors import FileError, InputError, listed
from chainrule.layers import Shape
from chainrule.limits import COUNT, NOT_NEGATIVE, Limit, check
from chainrule.losses import LOSSES, MissingLoss
from chainrule.metrics import METRICS, Metric
from chainrule.network import Network
from chainrule.objective import NetworkObjective
from chainrule.optimizers import Optimizer, get_optimizer
from chainrule.parameters import Layout
from chainrule.plain import shortened
from chainrule.resolve import to_form
from chainrule.training.history import History
from chainrule.training.state import Snapshot, TrainingState

Tensors = dict[str, AnyArray]
_COUNTERS = ("step", "epoch", "batch", "first_step", "first_epoch", "memory_from", "steps_per_epoch", "total_steps")
_LACKING = {"memory_from": 0, "steps_per_epoch": 1, "total_steps": 1}  # in older files, and the least in newer ones
_COUNTER = Limit(0, 2**53, whole=True)
_MOMENTS = ("latest", "epoch_start")  # snapshots that aren't of a stopping rule
_COMPARING = {"best", "best_epoch"}  # what rules that compare epochs remember
PLATEAUS: tuple[set[str], ...] = (set(), {"scale"}, {"best", "waited", "scale"})
_LARGEST_ROW = 2**30  # numbers that one row may take on its way through a network


def losses_form(objective: NetworkObjective) -> dict[str, Any]:
    """Each head's loss in JSON form; one of the user's own is code, and only its title is kept."""
    forms: dict[str, Any] = {}
    for head in objective.heads:
        own = type(head.loss) not in LOSSES.values()
        title = getattr(head.loss, "title", type(head.loss).__name__)
        forms[head.head] = {"name": "custom", "title": title} if own else to_form(head.loss)
    return forms


def loss_of(form: Any) -> Any:
    """What `Objective` takes for a head from its saved form."""
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

    Raises `InputError` for a network or an optimizer with parts of the user's own (files hold no code, so nobody
    could load them again), and for a rule that remembers what JSON has no form for.
    """
    _check_loadable(network, optimizer)
    histories = [training.history, *training.other_histories]
    written = [history.to_tensors() for history in histories]
    times = [record.seconds for history in histories for record in history] + [training.seconds] * whole
    tensors = {
        **_tensors("parameters", network.layout, training.parameters),
        **_tensors("state", network.state_layout, training.state),
        **{
            f"{_history(i)}/{name}": column
            for i, (columns, _) in enumerate(written)
            for name, column in columns.items()
        },
        TIMES: np.array([times, [-seconds for seconds in times]], np.float64),
    }
    form: dict[str, Any] = {"history": written[0][1]}
    if training.other_histories:
        form["other_histories"] = [said for _, said in written[1:]]
    if not whole:
        return tensors, form
    for i, name in enumerate(optimizer.slot_names):
        tensors.update(_tensors(f"slots.{name}", network.layout, training.slots[:, i]))
    _check_memories(training)
    snapshots = _snapshots(training)
    for name, snapshot in snapshots.items():
        tensors.update(_tensors(f"{name}.parameters", network.layout, snapshot.parameters))
        tensors.update(_tensors(f"{name}.state", network.state_layout, snapshot.state))
    form["training"] = {name: getattr(training, name) for name in (*_COUNTERS, "rate", "memories", "plateau")}
    form["training"]["snapshots"] = list(snapshots)
    if training.partial is not None:
        sums = training.partial
        form["training"]["partial"] = {
            "losses": sums.losses.tolist(), "weights": sums.weights.tolist(), "penalties": sums.penalties.tolist(),
            "steps": sums.steps,
        }  # fmt: skip
    return tensors, form


def check_sizes(network: Network, members: object, dtype: object, tensors: Tensors) -> None:
    """Raise `FileError` unless the tensors of a network's parameters and state are there, before anything is made.

    A description can ask for any size; a file holds what it holds.
    """
    check("the file", "members", members, COUNT)
    assert isinstance(members, int)
    if not (network.layout.spans or network.state_layout.spans):
        check("the file", "members", members, Limit(1, 1))  # nothing says how many there are
    if sum(math.prod(slot.shape) for slot in network.program.slots) > _LARGEST_ROW:
        raise FileError(f"the file is damaged: one row of its network takes more than {_LARGEST_ROW:,} numbers")
    for prefix, layout in (("parameters", network.layout), ("state", network.state_layout)):
        for span in layout.spans:
            _find(tensors, f"{prefix}/{span.key}", _shape(span.shape, members), np.dtype(dtype))  # type: ignore[call-overload]


def load_training(
    network: Network, optimizer: Optimizer, training: TrainingState, tensors: Tensors, form: Mapping[str, Any]
) -> None:
    """Fill a fresh training state from tensors and JSON; the inverse of `save_training`."""
    _fill_both(network, training, tensors, "")
    saved = form.get("training")
    times = tensors[TIMES][0]
    if not (times >= 0).all():
        raise FileError("the file is damaged: a time is negative or no number")
    said = [form["history"], *form.get("other_histories", ())]
    if len(said) not in (1, len(training.parameters)):
        raise FileError(f"the file is damaged: {len(said)} histories of {len(training.parameters)} members")
    histories = _read_histories(tensors, times if saved is None else times[:-1], said)
    training.history, training.other_histories = histories[0], histories[1:]
    if saved is None:
        return
    training.seconds = float(times[-1])
    _load_counters(training, saved, len(network.heads))
    for i, name in enumerate(optimizer.slot_names):
        _fill(network.layout, training.slots[:, i], tensors, f"slots.{name}")
    for name in saved["snapshots"]:
        rules = _rules_of(training, name)
        snapshot = training.snapshot()
        _fill_both(network, snapshot, tensors, f"{name}.")
        if name in _MOMENTS:
            setattr(training, name, snapshot)
        else:
            training.bests |= dict.fromkeys(rules, snapshot)


def _history(member: int) -> str:
    """The beginning of the names of a history's tensors; the first has them to itself where members have one."""
    return f"history.{member}" if member else "history"


def _read_histories(tensors: Tensors, seconds: AnyArray, forms: list[Any]) -> list[History]:
    """Histories from their tensors; `seconds` has the epochs of all, one history after the other."""
    histories = []
    for i, form in enumerate(forms):
        prefix = f"{_history(i)}/"
        columns = {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
        own, seconds = np.split(seconds, [len(columns["epoch"])])
        histories.append(History.from_tensors(columns, own, form))
    if len(seconds):
        raise FileError("the file is damaged: it has times of epochs that its histories don't know")
    return histories


def _snapshots(training: TrainingState) -> dict[str, Snapshot]:
    """Those that there are, by the names that files have for them."""
    there = {name: getattr(training, name) for name in _MOMENTS}
    bests = {f"best.{rule}": best for rule, best in training.bests.items()}
    return {name: snapshot for name, snapshot in there.items() if snapshot is not None} | bests


def _rules_of(training: TrainingState, name: Any) -> list[int]:
    """Whose best weights a snapshot holds, by its name in a file; older files have one for all rules."""
    watching = [rule for rule, memory in enumerate(training.memories) if "best_epoch" in memory]
    rules = watching if name == "best" else [i for i in range(len(training.memories)) if name == f"best.{i}"]
    if not rules and name not in _MOMENTS:
        raise FileError(f"the file is damaged: no stopping rule has the weights {shortened(name)}")
    return rules


def _load_counters(training: TrainingState, saved: Mapping[str, Any], heads: int) -> None:
    for name in _COUNTERS:
        value = saved.get(name, _LACKING[name]) if name in _LACKING else saved[name]
        check("the file", name, value, Limit(_LACKING.get(name, 0), 2**53, whole=True))
        setattr(training, name, value)
    for first, last in (("first_step", "step"), ("memory_from", "step"), ("first_epoch", "epoch")):
        check("the file", first, getattr(training, first), Limit(0, getattr(training, last), whole=True))
    check("the file", "rate", saved["rate"], NOT_NEGATIVE)
    training.rate = saved["rate"]
    training.memories = [_memory(memory) for memory in saved["memories"]]
    training.plateau = remembered("plateau", saved["plateau"], PLATEAUS)
    if "partial" in saved:
        training.partial = _sums(saved["partial"], len(training.parameters), heads)


def _memory(memory: Mapping[str, Any]) -> dict[str, Any]:
    """What a stopping rule remembers; one of the user's own may remember anything."""
    return remembered("memories", memory, (_COMPARING,)) if set(memory) == _COMPARING else dict(memory.items())


def _check_memories(training: TrainingState) -> None:
    """Raise `InputError` where a stopping rule's memory wouldn't be the same when it is read again."""
    for rule, memory in enumerate(training.memories):
        for name, value in memory.items():
            if not (isinstance(name, str) and _is_json(value)):
                raise InputError(
                    f"stopping rule {rule + 1} remembers {shortened(name)}: {shortened(value)}, which can't be saved: "
                    "keep numbers, texts, lists and dicts with names in its memory, or save without training=True"
                )


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_json(one) for name, one in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, (bool, int, float, str, np.bool, np.integer, np.floating))


def remembered(kind: str, memory: Mapping[str, Any], known: tuple[set[str], ...]) -> dict[str, Any]:
    """What a rule or a schedule remembers: the names that it knows, each with a number."""
    if set(memory) not in known:
        raise FileError(f"the file is damaged: {kind} has {listed(memory)}")
    numbers = {name: forms.number(value) for name, value in memory.items()}
    if not 0 <= numbers.get("scale", 1.0) < math.inf:
        raise FileError(f"the file is damaged: {kind} multiplies rates by {numbers['scale']}")
    return dict(memory)


def _sums(form: Mapping[str, Any], members: int, heads: int) -> Sums:
    check("the file", "steps", form["steps"], _COUNTER)
    sums = Sums.zeros(members, heads)
    for name in ("losses", "weights", "penalties"):
        given = np.array(form[name], np.float64)
        if given.shape != getattr(sums, name).shape:
            raise FileError(f"the file is damaged: {name} of an unfinished epoch has shape {given.shape}")
        setattr(sums, name, given)
    sums.steps = form["steps"]
    return sums


def _tensors(prefix: str, layout: Layout, vectors: Array) -> Tensors:
    """Named arrays of the vectors; of several members with their axis in front."""
    return {
        f"{prefix}/{span.key}": vectors[:, span.slice].reshape(_shape(span.shape, len(vectors)))
        for span in layout.spans
    }


def _shape(shape: Shape, members: int) -> Shape:
    return shape if members == 1 else (members, *shape)


def _fill_both(network: Network, into: Snapshot | TrainingState, tensors: Tensors, prefix: str) -> None:
    """Parameters and running statistics, which are numbers that a network can have."""
    _fill(network.layout, into.parameters, tensors, f"{prefix}parameters")
    _fill(network.state_layout, into.state, tensors, f"{prefix}state")
    if not (is_finite(into.parameters) and is_finite(into.state)):
        raise FileError("the file is damaged: a parameter or a running statistic is NaN or infinite")
    span = network.state_layout.first_too_small(into.state)
    if span is not None:
        raise FileError(f"the file is damaged: a number in {prefix}state/{span.key} is below {span.least:g}")


def _fill(layout: Layout, vectors: Array, tensors: Tensors, prefix: str) -> None:
    for span in layout.spans:
        array = _find(tensors, f"{prefix}/{span.key}", _shape(span.shape, len(vectors)), vectors.dtype)
        vectors[:, span.slice] = array.reshape(len(vectors), -1)


def _find(tensors: Tensors, key: str, shape: Shape, dtype: np.dtype[Any]) -> AnyArray:
    array = tensors.get(key)
    if array is None or array.shape != shape or array.dtype != dtype:
        found = "isn't there" if array is None else f"is {array.dtype} of shape {array.shape}"
        raise FileError(f'the file is damaged: the tensor "{key}", {dtype} of shape {shape}, {found}')
    return array


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
    return FileError(f"the file's description of the model is damaged: {shortened(reason, 500)}")

"""Several networks of one description, trained side by side, each on rows of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from chainrule.arrays import Array
from chainrule.augment import Augment
from chainrule.compiled import core
from chainrule.data import prepare_rows
from chainrule.engines.contract import Rows
from chainrule.errors import DivergenceError, InputError, counted
from chainrule.folds import Part, checked_part, fold_parts, random_parts
from chainrule.learner import Learner
from chainrule.limits import COUNT, POSITIVE, THREADS, check
from chainrule.model import Model
from chainrule.plain import shortened
from chainrule.training.batches import resolve_batch_size
from chainrule.training.history import History
from chainrule.training.interrupt import Halt, interruptible
from chainrule.training.progress import ProgressBar, wanted
from chainrule.training.stopping import Stop

M = TypeVar("M", bound=Learner)
_LOOK = 0.05  # seconds
_logger = logging.getLogger("chainrule")


@dataclass(frozen=True, eq=False)
class Members:
    """Networks that were trained side by side.

    Arguments:
        model: all that stand, as one model whose predictions are their mean.
        parts: the rows of each.
        out_of_fold: for each row the mean of what those networks say of it that didn't train on it, shape
            (rows, outputs), NaN where there is none; by head where the network has several.
        left_out: the numbers (from 0) of those that diverged, with the error, and of those that there was no time for.

    >>> import numpy as np
    >>> from chainrule import Model, Network
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> members = fit_members(Model(Network.mlp(1, [8], 1), "squared_error"), X, X**2, members=4, epochs=5)
    >>> members.model.members, len(members.histories), members.out_of_fold.shape
    (4, 4, (40, 1))
    """

    model: Model
    parts: tuple[Part, ...]
    out_of_fold: Any
    left_out: Mapping[int, DivergenceError | None]

    @property
    def histories(self) -> list[History]:
        """What happened in the training of each that stands."""
        return self.model.histories


def fit_members(
    model: Model,
    X: Any,
    y: Any,
    *,
    members: int = 8,
    folds: int | None = None,
    validation: float | None = None,
    groups: Any = None,
    stratify: Any = None,
    sample_weight: Any = None,
    parts: Sequence[Part | tuple[Any, Any]] | None = None,
    epochs: int = 100,
    batch_size: int | str = "auto",
    stop: Stop | Sequence[Stop] = (),
    callbacks: Any = (),
    clip_norm: float | None = None,
    augment: Augment | None = None,
    initialize: bool = False,
    time_limit: float | None = None,
    threads: int | None = None,
    progress: bool | str = "auto",
) -> Members:
    """Train several networks of a model's description, each with a seed, held-out rows and a best epoch of its own.

    Member i is, bit for bit, what `Model(..., seed=seed + i)` makes of its rows alone, however many threads there are.
    One that diverges is left out, with a warning. Ctrl-C and the time limit end all of them, each with its best weights
    so far.

    Arguments:
        model: says what each is; it stays as it is.
        X, y: rows and targets, as for `Model.fit`.
        members: how many networks.
        folds: into how many parts the rows are dealt, one of which each member leaves out; as many as members when left
            out.
        validation: each member leaves out a fraction of the rows, drawn by itself, in place of a fold; 0 leaves out
            none.
        groups: a label for each row: rows of one group are left out together.
        stratify: a label for each row, such as its class: each part has every class in proportion.
        sample_weight: as for `Model.fit`.
        parts: for each member the numbers of the rows that it trains on, and of those that it leaves out; in place of
            `members`, `folds`, `validation`, `groups` and `stratify`.
        epochs, batch_size, stop, clip_norm, augment: as for `Model.fit`, for each member.
        callbacks: as for `Model.fit`; they are called at the epochs of each member, from its thread.
        initialize: whether each member's starting weights look at its rows first, as by `Model.initialize_from`.
        time_limit: seconds that all may take together.
        threads: how many members are trained at a time; as many as there are processors when left out.
        progress: a bar on standard error, as for `Model.fit`.

    Raises:
        InputError: an argument can't be used.
        DivergenceError: all members diverged.

    >>> import numpy as np
    >>> from chainrule import EarlyStopping, Model, Network
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> model = Model(Network.mlp(1, [8], 1), "squared_error")
    >>> trained = fit_members(model, X, X**2, members=3, epochs=50, stop=EarlyStopping(5))
    >>> trained.model.predict(X).shape, [len(part.held_out) for part in trained.parts]
    ((40, 1), [14, 13, 13])
    """
    if not isinstance(model, Model):
        raise InputError(f"model is {shortened(model)}; it must be a chainrule.Model, which says what each member is")
    check("fit_members", "members", members, COUNT)
    if threads is not None:
        check("fit_members", "threads", threads, THREADS)
    if model.optimizer.full_batch and (clip_norm is not None or batch_size not in ("auto", "full")):
        raise InputError("L-BFGS takes all rows and whole gradients: leave batch_size and clip_norm out")
    rows = prepare_rows(model.network, model.objective, X, y, sample_weight, model.dtype)
    if parts is None:
        parts = _parts(len(rows), members, folds, validation, labels=stratify, groups=groups, seed=model.seed)
    checked = [checked_part(part, len(rows)) for part in parts]
    if not checked:
        raise InputError("parts has none: give the rows of one member at least")
    given = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    workers = min(threads or processors(), len(checked))
    own = threads if len(checked) == 1 else max(1, (threads or processors()) // workers)
    learners = [model.anew(seed=(model.seed + i) % 2**64, threads=own) for i in range(len(checked))]
    bar = [ProgressBar(runs=len(checked))] if wanted(progress) else []
    fit = {
        "epochs": epochs, "stop": stop, "callbacks": [*given, *bar], "clip_norm": clip_norm,
        "augment": augment, "initialize": initialize,
    }  # fmt: skip
    left_out = train_members(learners, rows, checked, batch_size, workers=workers, time_limit=time_limit, **fit)
    standing = [i for i in range(len(checked)) if i not in left_out]
    outputs = _out_of_fold([learners[i] for i in standing], [checked[i] for i in standing], rows)
    heads = model.network.heads
    named = outputs[0] if len(heads) == 1 else dict(zip((head.name for head in heads), outputs, strict=True))
    return Members(joined([learners[i] for i in standing]), tuple(checked), named, left_out)


def _parts(n_rows: int, members: int, folds: int | None, validation: float | None, **chosen: Any) -> list[Part]:
    if validation is not None:
        if folds is not None:
            raise InputError("give folds or validation, not both: a member leaves out one fold, or a part of its own")
        return random_parts(n_rows, members, validation, **chosen)
    if members == 1:
        raise InputError("one member leaves out no fold: say which part of the rows, as in validation=0.2")
    return fold_parts(n_rows, members, members if folds is None else folds, **chosen)


def train_members(
    learners: Sequence[Learner],
    rows: Rows,
    parts: Sequence[Part],
    batch_size: int | str = "auto",
    *,
    workers: int,
    time_limit: float | None = None,
    **fit: Any,
) -> dict[int, DivergenceError | None]:
    """Train learners in threads, each on its part of the rows; those that don't stand, and why.

    Arguments:
        learners: of one network each.
        rows, parts: all rows, and which of them each learns from and leaves out.
        batch_size: as for `Model.fit`.
        workers: how many are trained at a time.
        time_limit: seconds for all.
        fit: what `fit_rows` is told besides.
    """
    if time_limit is not None:
        check("fit_members", "time_limit", time_limit, POSITIVE)

    def fit_one(i: int, halt: Halt) -> None:
        learner, part = learners[i], parts[i]
        held_out = rows.take(part.held_out) if len(part.held_out) else None
        own = rows.take(part.train)
        size = resolve_batch_size("full" if learner.optimizer.full_batch else batch_size, len(own))
        learner.fit_rows(own, batch_size=size, validation=held_out, halt=halt, **fit)

    with _few_threads(learners[0]):
        left_out = side_by_side(fit_one, len(learners), workers=workers, time_limit=time_limit)
    diverged = [error for error in left_out.values() if error is not None]
    if diverged:
        _logger.warning("%s of %s diverged and is left out: %s", counted(len(diverged), "member"), len(learners),
                        diverged[0])  # fmt: skip
    return left_out


def side_by_side(
    fit: Callable[[int, Halt], None], count: int, *, workers: int, time_limit: float | None = None
) -> dict[int, DivergenceError | None]:
    """Fit several in threads; those that are left out, with the error where they diverged, None for want of time.

    Arguments:
        fit: of the member with this number, from 0; it stops when the `Halt` says so.
        count: how many there are.
        workers: how many are trained at a time.
        time_limit: seconds for all.

    Raises:
        DivergenceError: all of them diverged.
    """
    with interruptible() as ctrl_c:
        halt = Halt(ctrl_c, time_limit)

        def trained(i: int) -> bool | DivergenceError:
            """Whether there was time; the error of one that diverged."""
            if i and halt.reason is not None:
                return False
            try:
                fit(i, halt)
            except DivergenceError as error:
                return error
            except BaseException:
                halt.pressed = True  # a mistake in one is the end of all
                raise
            return True

        with ThreadPoolExecutor(workers, "chainrule") as pool:
            futures = [pool.submit(trained, i) for i in range(count)]
            while wait(futures, timeout=_LOOK).not_done:
                pass  # between the waits Ctrl-C is noticed, whichever thread the system tells of it
        results = [future.result() for future in futures]
    left_out = {i: None if result is False else result for i, result in enumerate(results) if result is not True}
    diverged = [error for error in left_out.values() if error is not None]
    if len(left_out) == count:
        raise diverged[0]
    return left_out


def joined(learners: Sequence[M]) -> M:
    """One with the parameters of all as its members; its history is the first one's, and it has the others' beside.

    It begins anew where steps and epochs are counted: its members may have done more or fewer.
    """
    first = learners[0]
    if len(learners) == 1:
        return first
    together = first.anew(members=np.concatenate([learner.training.parameters for learner in learners]))
    take_over_all(together, learners)
    return together


def take_over_all(together: Learner, learners: Sequence[Learner]) -> None:
    """Have one with as many members stand where these stand, as the one that `joined` makes does."""
    now = together.training
    now.parameters[...] = np.concatenate([learner.training.parameters for learner in learners])
    now.state[...] = np.concatenate([learner.training.state for learner in learners])
    longest = max((learner.training for learner in learners), key=lambda training: training.step)
    now.step = now.memory_from = longest.step
    now.steps_per_epoch, now.total_steps = longest.steps_per_epoch, longest.total_steps
    now.epoch = max(learner.training.epoch for learner in learners)
    now.history, *now.other_histories = (learner.history for learner in learners)


def _out_of_fold(learners: Sequence[Learner], parts: Sequence[Part], rows: Rows) -> list[Array]:
    """For each head and row the mean of what those say that left it out; NaN where none did."""
    sums: list[Array] = [np.zeros((len(rows), *head.shape)) for head in learners[0].network.heads]
    counts = np.zeros(len(rows))
    for learner, part in zip(learners, parts, strict=True):
        if len(part.held_out):
            counts[part.held_out] += 1
            for total, said in zip(sums, learner.outputs(rows.take(part.held_out).inputs), strict=True):
                total[part.held_out] += said[0]
    with np.errstate(invalid="ignore"):
        return [total / counts.reshape(-1, *[1] * (total.ndim - 1)) for total in sums]


def processors() -> int:
    """How many threads compute at a time here."""
    native = core()
    if native is not None:
        return int(native.available_threads())
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _few_threads(learner: Learner) -> AbstractContextManager[Any]:
    """L-BFGS limits the threads of NumPy's libraries while it runs; several at once would forget what they found."""
    if not learner.optimizer.full_batch:
        return nullcontext()
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)

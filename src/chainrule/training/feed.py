"""What an engine's steps are fed with: the rows as they are, or augmented ones that a thread prepares ahead."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, NamedTuple

import numpy as np

from chainrule.arrays import Order
from chainrule.augment import Augment
from chainrule.engines.contract import Rows
from chainrule.training.batches import epoch_order, rows_used
from chainrule.training.run import Run

_NUMBERS: Final = 1 << 20  # of a part that is prepared ahead, so that parts stay small


class Part(NamedTuple):
    """Rows for some steps of an epoch, and the order in which they are taken, (members, n)."""

    data: Rows
    order: Order
    steps: int


class Feed:
    """The rows of a fit, part by part: as many steps as are asked for, or fewer where the rows are prepared."""

    def __init__(self, run: Run):
        self.run = run
        self._order: tuple[int, Order] | None = None

    def order(self) -> Order:
        """The row numbers of the epoch at hand, (members, n)."""
        epoch = self.run.state.epoch
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, order_of(self.run, epoch)
        return self._order[1]

    def part(self, first: int, steps: int) -> Part:
        """Rows for steps of the epoch at hand from step `first` on."""
        size = self.run.plan.batch_size
        return Part(self.run.plan.data, self.order()[:, first * size : (first + steps) * size], steps)


class AugmentedFeed(Feed):
    """Rows that are augmented: while the engine does the steps of one part, a thread prepares the next.

    What is drawn depends on the epoch and the place in it, so no result depends on how an epoch is cut into parts.
    """

    def __init__(self, run: Run, augment: Augment, pool: ThreadPoolExecutor):
        super().__init__(run)
        self._augment = augment
        self._pool = pool
        self._ahead: tuple[int, int, Future[Part]] | None = None  # epoch, first step, rows
        self._now: tuple[int, int, Part] | None = None
        plan = run.plan
        numbers = sum(x[:1].size for x in plan.data.inputs) * plan.batch_size * len(run.state.parameters)
        self._steps = max(1, _NUMBERS // max(numbers, 1))

    def part(self, first: int, steps: int) -> Part:
        """Rows for at most so many steps of the epoch at hand from step `first` on."""
        epoch, size = self.run.state.epoch, self.run.plan.batch_size
        if self._now is None or self._now[0] != epoch or not 0 <= first - self._now[1] < self._now[2].steps:
            self._now = epoch, first, self._prepared(epoch, first)
            self._look_ahead(epoch, first + self._now[2].steps)
        _, begin, part = self._now
        done, steps = first - begin, min(steps, begin + part.steps - first)
        return Part(part.data, part.order[:, done * size : (done + steps) * size], steps)

    def _prepared(self, epoch: int, first: int) -> Part:
        """A part that the thread has prepared, or else prepared now."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[:2] == (epoch, first):
            return ahead[2].result()
        return self._prepare(epoch, first, self.order())

    def _look_ahead(self, epoch: int, first: int) -> None:
        """Have the thread prepare what comes next, in this epoch or in the one after it."""
        plan, order = self.run.plan, self.order()
        if first * plan.batch_size >= order.shape[1]:
            epoch, first = epoch + 1, 0
            if epoch - self.run.state.first_epoch >= plan.epochs or callable(plan.shuffle):
                return  # a function of the user's own is asked when its epoch begins
            self._ahead = epoch, first, self._pool.submit(lambda: self._prepare(epoch, 0, order_of(self.run, epoch)))
        else:
            self._ahead = epoch, first, self._pool.submit(self._prepare, epoch, first, order)

    def _prepare(self, epoch: int, first: int, order: Order) -> Part:
        plan = self.run.plan
        begin = first * plan.batch_size
        wanted = order[:, begin : begin + self._steps * plan.batch_size]
        with np.errstate(all="ignore"):  # what isn't finite diverges, and is said then
            made = [
                self._augment.rows(
                    plan.data, own, plan.engine.objective.heads, batch_size=plan.batch_size, seed=plan.seed,
                    epoch=epoch, member=member, first=begin,
                )
                for member, own in enumerate(wanted)
            ]  # fmt: skip
        return Part(
            _together(made), np.arange(wanted.size).reshape(wanted.shape), -(-wanted.shape[1] // plan.batch_size)
        )


def order_of(run: Run, epoch: int) -> Order:
    """The row numbers of an epoch for each member, without a last batch that is too small."""
    plan = run.plan
    order = epoch_order(len(plan.data), plan.shuffle, plan.seed, epoch, len(run.state.parameters))
    return order[:, : rows_used(order.shape[1], plan.batch_size, plan.engine.network.least_rows)]


@contextmanager
def feed(run: Run) -> Iterator[Feed]:
    """What feeds a run; its thread, where it has one, ends with it."""
    augment = run.plan.augment
    if augment is None:
        yield Feed(run)
        return
    with ThreadPoolExecutor(1, "chainrule augments") as pool:
        yield AugmentedFeed(run, augment, pool)


def _together(parts: list[Rows]) -> Rows:
    """The rows of several members, one after the other."""
    if len(parts) == 1:
        return parts[0]
    weights = [None if own[0] is None else np.concatenate(own) for own in zip(*(p.weights for p in parts), strict=True)]
    return Rows(
        tuple(np.concatenate(own) for own in zip(*(p.inputs for p in parts), strict=True)),
        tuple(np.concatenate(own) for own in zip(*(p.targets for p in parts), strict=True)),
        tuple(weights),
    )

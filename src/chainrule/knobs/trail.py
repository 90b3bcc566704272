"""The way that a fit goes: a callback that records where some weights are."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Doubles
from chainrule.errors import InputError
from chainrule.explain.network.trace import DOUBLE
from chainrule.knobs.finding import Knob, knobs_of
from chainrule.plain import shortened
from chainrule.training.history import EpochRecord
from chainrule.training.run import Callback, Run


class Trail(Callback):
    """Records where weights are, from the start of a fit and after each of its steps or epochs.

    `Model.turn(..., trail=trail)` puts the way into the landscape. Of several members it is the first one's.

    Arguments:
        names: of the weights, such as `"W[hidden,1,2]"`.
        every: `"step"` or `"epoch"`; after every step costs time.

    Raises:
        InputError: no name is given, or `every` is something else; when the fit begins: there is no such weight.

    >>> from chainrule import Model, Network
    >>> trail = Trail("W[output,1,1]", "b[output,1]")
    >>> model = Model(Network.mlp(1, [], 1), "squared_error", "sgd")
    >>> history = model.fit([[1.0], [2.0]], [3.0, 5.0], epochs=10, callbacks=trail)
    >>> trail.values.shape, trail.names
    ((11, 2), ('W[output,1,1]', 'b[output,1]'))
    """

    def __init__(self, *names: str, every: str = "step"):
        if not names:
            raise InputError('a Trail records weights by name, as in Trail("W[hidden,1,2]", "b[output,1]")')
        if not isinstance(every, str) or every not in ("step", "epoch"):
            raise InputError(f'every is {shortened(every)!r}; it must be "step" or "epoch"')
        self.asked = names
        self.every = every
        self._knobs: list[Knob] = []
        self._seen: list[Doubles] = []

    @property
    def names(self) -> tuple[str, ...]:
        """The weights' names, in full once a fit has begun."""
        return tuple(knob.name for knob in self._knobs) or self.asked

    @property
    def values(self) -> Doubles:
        """Where they were: a row before the first step and one after each, a column for each weight."""
        return np.array(self._seen, dtype=DOUBLE).reshape(len(self._seen), len(self.asked))

    @property
    def watches_steps(self) -> bool:
        """Only if every step is recorded."""
        return self.every == "step"

    def on_start(self, run: Run) -> None:
        """Before the first step.

        Arguments:
            run: the fit.
        """
        self._knobs = knobs_of(run.model, self.asked, run.plan.data)
        self._seen = []
        self._look(run)

    def on_step(self, run: Run) -> bool | None:
        """After a step.

        Arguments:
            run: the fit.
        """
        if self.every == "step":
            self._look(run)
        return None

    def on_epoch(self, run: Run, record: EpochRecord) -> bool | None:
        """After an epoch.

        Arguments:
            run: the fit.
            record: what the epoch measured.
        """
        if self.every == "epoch":
            self._look(run)
        return None

    def _look(self, run: Run) -> None:
        self._seen.append(run.state.parameters[0, [knob.place for knob in self._knobs]].astype(DOUBLE))

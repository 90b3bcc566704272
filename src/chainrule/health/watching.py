"""A doctor at the bedside: a callback that has steps measured while a model trains, and says afterwards how it went."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.engines.contract import Rows
from chainrule.engines.vitals import ROWS, Vitals
from chainrule.errors import InputError
from chainrule.health.diagnosing import diagnose_run
from chainrule.health.report import Diagnosis
from chainrule.limits import COUNT, check
from chainrule.training.run import Callback, Run

USUAL = 20  # steps between two that are measured, in a long fit
SAMPLES = 40  # in a short one
MOMENT = 20_000  # rows, in all epochs: a fit so short that nobody waits for it


class Doctor(Callback):
    """Has training measured while it goes on, layer by layer; `diagnosis()` says afterwards what is wrong with it.

    Every so many steps the engine measures, on the first 256 rows of the batch, the gradient's length before clipping,
    how far weights go in a step, dead and saturated units, how far activations spread, and the gradient's noise. No
    number of the training changes. Every 20th step costs about 2 % of the time. A fit of fewer than 800 steps is looked
    at more often, but where it takes longer than a moment at every fifth or tenth step at most. Where several networks
    train side by side, each in a fit of its own, the doctor watches the first.

    Arguments:
        every: how many steps lie between; left out, 20, or fewer in a short fit.

    Raises:
        InputError: every isn't a whole number of at least 1.

    >>> import numpy as np
    >>> from chainrule import SGD, Model, Network
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 4)); y = X[:, 0] - X[:, 1] * X[:, 2]
    >>> doctor = Doctor()
    >>> history = Model(Network.mlp(4, [16], 1), "mse", SGD(1e-7)).fit(X, y, epochs=20, callbacks=doctor)
    >>> sorted(doctor.diagnosis().codes)
    ['rate-too-low']
    """

    def __init__(self, every: int | None = None):
        if every is not None:
            check("Doctor", "every", every, COUNT)
        self.every = every
        self._interval = every or USUAL
        self._run: Run | None = None
        self._start: tuple[Array, Array] | None = None
        self._vitals: list[Vitals] = []
        self._known: Diagnosis | None = None
        self._fits = 0  # under way
        self._lock = Lock()

    @property
    def measures_every(self) -> int:
        """How many steps lie between those that are measured."""
        return self._interval

    @property
    def vitals(self) -> Vitals | None:
        """What was measured so far; None before the first steps."""
        return Vitals.joined(self._vitals) if self._vitals else None

    def on_start(self, run: Run) -> None:
        """Remember where the fit begins, and how often to look."""
        with self._lock:
            self._fits += 1
            if self._fits > 1:
                return  # of several networks side by side it watches the first
            self._run = run
        state = run.state
        steps, batch = run.plan.epochs * run.plan.steps_per_epoch, run.plan.batch_size
        least = 1 if steps * batch < MOMENT else USUAL // 2 if batch < ROWS else USUAL // 4
        self._interval = self.every or int(np.clip(steps // SAMPLES, least, USUAL))
        self._vitals, self._known = [], None
        self._start = state.parameters[:1].copy(), state.state[:1].copy()

    def on_vitals(self, run: Run, vitals: Vitals) -> None:
        """Keep what was measured."""
        if run is self._run and len(vitals.steps):
            self._vitals.append(vitals)

    def on_exit(self) -> None:
        """A fit is over."""
        with self._lock:
            self._fits -= 1

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the lock: copies begin here."""
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = Lock()

    def diagnosis(self, validation: tuple[Any, ...] | None = None) -> Diagnosis:
        """What is wrong with the last fit, as far as it can be seen; short trainings on copies are part of looking.

        Arguments:
            validation: rows held out as (X, y), where the fit had none.

        Raises:
            InputError: there was no fit with this doctor among its callbacks.
        """
        run = self._run
        if run is None or self._start is None:
            raise InputError("the doctor hasn't seen a fit: hand it in, model.fit(X, y, callbacks=[doctor])")
        held: Rows | None = run.plan.validation
        if held is None and validation is not None:
            held = run.model._rows(*validation)
        elif self._known is not None:
            return self._known
        plan = run.plan
        self._known = diagnose_run(
            run.model, plan.data, held, start=self._start, vitals=self.vitals, batch_size=plan.batch_size,
            epochs=plan.epochs, clip_norm=plan.clip_norm,
        )  # fmt: skip
        return self._known

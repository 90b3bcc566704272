"""A diagnosis made: the evidence put together, and every rule asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from chainrule.arrays import Array
from chainrule.engines.contract import Rows
from chainrule.engines.vitals import Vitals
from chainrule.errors import InputError
from chainrule.health import of_rates, of_rows, of_signals
from chainrule.health.ailment import Finding
from chainrule.health.evidence import Evidence, short_training
from chainrule.health.report import Diagnosis
from chainrule.training.batches import resolve_batch_size
from chainrule.training.run import Callback, Run

PROBE: Final = 200  # steps of a short training on a copy
_EPOCHS: Final = 40  # of it, at most
# In the order in which findings are said: what causes others comes first.
RULES: Final[tuple[Callable[[Evidence], Iterator[Finding]], ...]] = (
    of_rows.unscaled, of_rows.leak, of_signals.exploding, of_signals.dead, of_signals.saturated, of_signals.vanishing,
    of_rates.too_high, of_rows.constant, of_rows.overfitting,
)  # fmt: skip


def diagnose(
    model: Any, rows: Rows, validation: Rows | None, *, probe: bool = True, names: Sequence[str] = (),
    told: Callable[[str], None] = lambda what: None,
) -> Diagnosis:  # fmt: skip
    """What is wrong with a model as it is: of its last fit where it had one, else of a short training of a copy.

    The start of a fit is drawn again from the model's seed. `told` hears what is being looked at.
    """
    if not len(rows):
        raise InputError("a diagnosis needs rows: X has none")
    model.objective.check_trainable(model.network)
    state, history = model.training, model.history
    fitted = bool(history.epochs) or history.stopped_by == "diverged"
    n, steps = len(rows), _steps_per_epoch(model)
    batch = -(-n // steps) if fitted and 1 <= steps <= n else resolve_batch_size("auto", n)
    batch = (
        n if model.optimizer.full_batch else max(batch, min(n, max(s.layer.least_rows for s in model.network.steps)))
    )
    fresh = model.anew().training if fitted else state
    start = fresh.parameters[:1].copy(), fresh.state[:1].copy()
    ends = state.parameters[:1].copy(), state.state[:1].copy()
    epochs = len(history.epochs) if history.epochs and history.stopped_by != "diverged" else _EPOCHS
    evidence = Evidence(model, rows, validation, *start, *ends, history, None, batch, epochs, names=names)
    if probe and not model.optimizer.full_batch:
        told("a short training of a copy")
        watch = _Watch()
        copy = short_training(evidence, PROBE, watch)
        evidence.vitals = Vitals.joined(watch.seen) if watch.seen else None
        evidence.probed = True
        if not fitted:
            evidence.end, evidence.end_state = copy.training.parameters[:1].copy(), copy.training.state[:1].copy()
            evidence.history = copy.history
    return _ask(evidence, rates=probe, told=told)


def _steps_per_epoch(model: Any) -> int:
    """Of the last fit: by its records, as a file may hold no more."""
    state, records = model.training, model.history.epochs
    if len(records) < 2:
        return int(state.steps_per_epoch)
    return max(int((records[-1].step - records[0].step) // (len(records) - 1)), 1)


def diagnose_run(
    model: Any, rows: Rows, validation: Rows | None, *, start: tuple[Array, Array], vitals: Vitals | None,
    batch_size: int, epochs: int, clip_norm: float | None,
) -> Diagnosis:  # fmt: skip
    """What is wrong with a fit that was watched."""
    state = model.training
    ends = state.parameters[:1].copy(), state.state[:1].copy()
    evidence = Evidence(
        model, rows, validation, *start, *ends, model.history, vitals, batch_size, epochs, clip_norm
    )  # fmt: skip
    return _ask(evidence, rates=True)


def _ask(evidence: Evidence, *, rates: bool, told: Callable[[str], None] = lambda what: None) -> Diagnosis:
    findings: list[Finding] = []
    with np.errstate(all="ignore"):
        for rule in RULES:
            told(rule.__name__.replace("_", " "))
            if rates or rule is not of_rates.too_high:
                findings += rule(evidence)
        if any(finding.code == "rate-too-high" for finding in findings):  # that is why numbers exploded on the way
            findings = [f for f in findings if f.code != "exploding" or "growth" in f.evidence]
        structural = {finding.code for finding in findings} - {"leak", "overfitting"}
        if rates and not structural:  # numbers that don't come through look like a low rate
            told("lower and higher rates")
            findings += of_rates.too_low(evidence)
    return Diagnosis(findings, evidence)


class _Watch(Callback):
    """Measures every fifth step of a short training."""

    measures_every = 5

    def __init__(self) -> None:
        self.seen: list[Vitals] = []

    def on_vitals(self, run: Run, vitals: Vitals) -> None:
        if len(vitals.steps):
            self.seen.append(vitals)

"""Rules about learning rates: what another one would have done is tried, on a copy, in a few steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from chainrule.health.ailment import Finding
from chainrule.health.evidence import Evidence, middle, try_rate

STEPS: Final = 200  # of a trial
LOWER: Final = (0.1, 0.01, 0.001)
HIGHER: Final = (10.0, 100.0, 1e3, 1e4, 1e5, 1e6)
NEARLY: Final = 0.9  # of the most that any rate learns: the nearest rate that does is taken
USUAL: Final = 1e-3  # a step over the weights, by long experience
WORTH: Final = 0.1  # of the loss: less isn't worth a finding


def too_high(evidence: Evidence) -> Iterator[Finding]:
    """A lower rate, from the same start and in no more steps, learns at least twice as much."""
    if evidence.model.optimizer.full_batch or not np.isfinite(evidence.first_loss):
        return
    here = evidence.learned_in_all
    if here > 1 / 2:
        return
    most = max(try_rate(evidence, factor, STEPS) for factor in LOWER)
    best = next(factor for factor in LOWER if evidence.tried[factor] >= min(NEARLY * most, most))
    there = evidence.tried[best]
    if not (there > WORTH and there > 2 * max(here, 0) and there > here + WORTH):
        return
    rate = _rate(evidence)
    update = _update(evidence)
    how = (
        "the loss became NaN or infinite" if evidence.diverged
        else f"{max(here, 0):.0%} of the loss is gone" if here > 0
        else f"the loss is {evidence.last_loss:.3g}, no less than the "
        f"{min(evidence.first_loss, evidence.baseline):.3g} that is reached without learning"
    )  # fmt: skip
    step = f"; a step changes the weights by {update:.0%} of their size" if update > 0.01 else ""
    yield Finding(
        "rate-too-high",
        f"at the rate {rate:.3g} {how}{step}. A rate of {rate * best:.3g}, tried on a copy, takes {there:.0%} of it "
        f"away in {STEPS} steps or fewer",
        f"Take a learning rate of about {rate * best:.1g}.",
        None,
        {"rate": rate, "learned": float(max(here, -1e9)), "better rate": rate * best, "learned there": there,
         "update over weights": update},
    )  # fmt: skip


def too_low(evidence: Evidence) -> Iterator[Finding]:
    """Steps are small beside the weights, and a higher rate, from the same start, learns four times as much."""
    if evidence.model.optimizer.full_batch or evidence.diverged or not np.isfinite(evidence.last_loss):
        return
    here, update = evidence.learned_in_all, _update(evidence)
    if here > 1 / 4 or update > USUAL / 2:
        return  # where steps are of the usual size there were too few of them
    before = -np.inf
    for factor in HIGHER:
        learned = try_rate(evidence, factor, STEPS)
        if learned < before - WORTH:
            break  # it goes downhill from here
        before = learned
    tried = [factor for factor in HIGHER if factor in evidence.tried]
    most = max(evidence.tried[factor] for factor in tried)
    best = next(factor for factor in tried if evidence.tried[factor] >= min(NEARLY * most, most))
    there = evidence.tried[best]
    if not (there > WORTH and there > 4 * max(here, 0) and there > here + WORTH):
        return
    rate = _rate(evidence)
    yield Finding(
        "rate-too-low",
        f"at the rate {rate:.3g} {_share(here)} of the loss is gone; a step changes the weights by "
        f"{update:.1g} of their size (a thousandth is usual). A rate of {rate * best:.3g}, tried on a copy, takes "
        f"{there:.0%} of it away in {STEPS} steps or fewer",
        f"Take a learning rate of about {rate * best:.1g}.",
        None,
        {"rate": rate, "learned": here, "better rate": rate * best, "learned there": there,
         "update over weights": update},
    )  # fmt: skip


def _share(learned: float) -> str:
    return f"only {learned:.1%}" if learned > 0.0005 else "nothing"


def _rate(evidence: Evidence) -> float:
    """The rate that the schedule is built on."""
    return float(evidence.model.optimizer.schedule.rate)


def _update(evidence: Evidence) -> float:
    """The median update-to-weight ratio over samples and layers."""
    known = 0.0 if evidence.vitals is None else middle(evidence.vitals.of("update"))
    return known if np.isfinite(known) else 0.0

"""Schedules: their formulas, against PyTorch's where it has them, and as training uses them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import registered
from hypothesis import given
from hypothesis import strategies as st
from registered import nothing_missing

from chainrule import (
    SGD,
    Constant,
    Cosine,
    CosLog4,
    Exponential,
    FlatCosine,
    Input,
    InputError,
    InverseScaling,
    Model,
    Network,
    OneCycle,
    ReduceOnPlateau,
    StepDecay,
)  # fmt: skip
from chainrule.layers import Dense
from chainrule.resolve import to_form
from chainrule.schedules import SCHEDULES, Schedule, get_schedule


def rates(schedule: Schedule, steps_per_epoch: int, epochs: int) -> np.ndarray:
    total = steps_per_epoch * epochs
    return schedule.rates(np.arange(total), steps_per_epoch, total)


# rise T = 4 steps up, from 1/4 in step 0 to 1 in step 3; then down to 1/4/8 in step 7
ONE_CYCLE = [1 - 0.75 * (1 + math.cos(math.pi * t / 3)) / 2 for t in range(3)]
ONE_CYCLE += [1 / 32 + (1 - 1 / 32) * (1 + math.cos(math.pi * t / 4)) / 2 for t in range(5)]
# schedule, its rates over four epochs of two steps
BY_HAND: list[tuple[Schedule, list[float]]] = [
    (Constant(0.5), [0.5] * 8),
    (StepDecay(1.0, every=2, factor=0.5), [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]),
    (StepDecay(1.0, every=2**63), [1] * 8),
    (StepDecay(1.0, every=10**400), [1] * 8),
    (Exponential(1.0, factor=0.5), [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]),
    (InverseScaling(1.0, power=1.0), [1, 1, 1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 4, 1 / 4]),
    (InverseScaling(2.0), [2, 2, 2 / math.sqrt(2), 2 / math.sqrt(2), 2 / math.sqrt(3), 2 / math.sqrt(3), 1, 1]),
    (Cosine(1.0), [(1 + math.cos(math.pi * t / 8)) / 2 for t in range(8)]),
    (
        Cosine(1.0, warmup_epochs=1.5, minimum=0.2),
        [1 / 3, 2 / 3, 1, *(0.2 + 0.4 * (1 + math.cos(math.pi * t / 5)) for t in range(5))],
    ),
    (FlatCosine(1.0), [1, 1, 1, 1, *((1 + math.cos(math.pi * t / 4)) / 2 for t in range(4))]),
    (
        FlatCosine(1.0, flat=0.3, minimum=0.2),  # flat for 2.4 of 8 steps
        [1, 1, 1, *(0.2 + 0.4 * (1 + math.cos(math.pi * (t - 2.4) / 5.6)) for t in range(3, 8))],
    ),
    (CosLog4(2.0), [1 - math.cos(2 * math.pi * math.log2(1 + 15 * t / 8)) for t in range(8)]),
    (ReduceOnPlateau(0.3), [0.3] * 8),
    (OneCycle(1.0, rise=0.5, start_divisor=4, end_divisor=8), ONE_CYCLE),
]


@pytest.mark.parametrize(("schedule", "expected"), BY_HAND, ids=[row[0].name for row in BY_HAND])
def test_formulas_over_four_epochs_of_two_steps(schedule: Schedule, expected: list[float]) -> None:
    np.testing.assert_allclose(rates(schedule, 2, 4), expected, rtol=1e-14)


def test_coslog4_is_zero_where_a_cycle_begins() -> None:
    """1 + 15 t / T is 1, 2, 4, 8 and 16 there; in between it reaches the rate, at the roots of their products."""
    zero, peak = np.array([0, 1, 3, 7, 15]), np.array([(2**0.5 * 2**k - 1) for k in range(4)])
    np.testing.assert_allclose(CosLog4(0.1).rates(zero, 1, 15), 0, atol=1e-15)
    np.testing.assert_allclose(CosLog4(0.1).rates(peak, 1, 15), 0.1, rtol=1e-14)


def test_every_schedule_is_worked_by_hand() -> None:
    nothing_missing({row[0].name for row in BY_HAND}, SCHEDULES, "BY_HAND of tests/test_schedules.py")


@given(
    schedule=st.sampled_from(registered.SCHEDULES),
    epochs=st.integers(1, 30),
    per=st.integers(1, 9),
    cut=st.integers(0, 270),
)
def test_rates_depend_on_the_step_alone(schedule: Schedule, epochs: int, per: int, cut: int) -> None:
    """A resumed run asks for a later part: it must be that part of the whole. All are positive and at most the rate."""
    total = epochs * per
    whole = rates(schedule, per, epochs)
    cut = min(cut, total)
    np.testing.assert_array_equal(schedule.rates(np.arange(cut, total), per, total), whole[cut:])
    assert (whole >= 0).all()
    assert (whole <= 0.1 * (1 + 1e-12)).all()
    assert whole.dtype == np.float64


@given(total=st.integers(1, 60), rise=st.floats(0.0, 0.99), start=st.floats(1.5, 50), end=st.floats(1.5, 1e4))
def test_one_cycle_begins_peaks_and_ends_where_it_says(total: int, rise: float, start: float, end: float) -> None:
    found = rates(OneCycle(0.1, rise=rise, start_divisor=start, end_divisor=end), 1, total)
    low = 0.1 / start
    assert found[-1] == pytest.approx(low / end, rel=1e-9), "the last step has the last rate"
    if rise * total > 1 and total > 1:
        assert found[0] == pytest.approx(low, rel=1e-12)
    top = rise * total - 1
    if top >= 0 and top == int(top) and top < total - 1:
        assert found[int(top)] == pytest.approx(0.1, rel=1e-12)
    assert found.max() <= 0.1 * (1 + 1e-12)


@pytest.fixture(scope="module")
def schedulers() -> Any:
    return pytest.importorskip("torch").optim.lr_scheduler


class TestAgainstTorch:
    def theirs(self, make: Callable[[Any], Any], n: int, feed: list[float] | None = None) -> list[float]:
        """The learning rate before each of n calls of the scheduler."""
        torch = pytest.importorskip("torch")
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        scheduler = make(optimizer)
        found = []
        for i in range(n):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if i < n - 1 or feed:
                scheduler.step(*([feed[i]] if feed else []))
        return found

    @pytest.mark.parametrize(("every", "factor"), [(1, 0.5), (3, 0.1), (40, 0.5)])
    def test_step(self, every: int, factor: float, schedulers: Any) -> None:
        theirs = self.theirs(lambda o: schedulers.StepLR(o, step_size=every, gamma=factor), 20)
        np.testing.assert_allclose(rates(StepDecay(0.1, every, factor), 3, 20)[::3], theirs, rtol=1e-13)

    def test_exponential(self, schedulers: Any) -> None:
        theirs = self.theirs(lambda o: schedulers.ExponentialLR(o, gamma=0.9), 20)
        np.testing.assert_allclose(rates(Exponential(0.1, 0.9), 3, 20)[1::3], theirs, rtol=1e-13)

    @pytest.mark.parametrize("minimum", [0.0, 0.03])
    def test_cosine(self, minimum: float, schedulers: Any) -> None:
        theirs = self.theirs(lambda o: schedulers.CosineAnnealingLR(o, T_max=60, eta_min=minimum), 60)
        np.testing.assert_allclose(
            rates(Cosine(0.1, minimum=minimum), 3, 20), theirs, rtol=1e-11
        )  # theirs is recursive

    # PyTorch divides by zero where the rise has no step: rise * total = 1
    @pytest.mark.parametrize(
        ("rise", "total"),
        [(r, n) for r in (0.25, 0.3, 0.5, 0.95) for n in (1, 2, 3, 10, 60) if r * n != 1],
    )
    def test_one_cycle(self, rise: float, total: int, schedulers: Any) -> None:
        theirs = self.theirs(
            lambda o: schedulers.OneCycleLR(
                o, 0.1, total_steps=total, pct_start=rise, div_factor=5, final_div_factor=100, cycle_momentum=False
            ),
            total,
        )
        ours = rates(OneCycle(0.1, rise=rise, start_divisor=5, end_divisor=100), 1, total)
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-15)

    @pytest.mark.parametrize(
        ("patience", "threshold", "minimum"), [(0, 0.0, 0.0), (2, 1e-4, 0.0), (2, 0.2, 0.004), (1, 0.5, 0.0)]
    )
    def test_plateau(self, patience: int, threshold: float, minimum: float, schedulers: Any) -> None:
        losses = [5, 4, 4, 3.9, 3.99, 3.9, 3.9, 3.9, 2, 2, 2, 2, 2, 2, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9]
        theirs = self.theirs(
            lambda o: schedulers.ReduceLROnPlateau(
                o, factor=0.5, patience=patience, threshold=threshold, min_lr=minimum
            ),
            len(losses),
            losses,
        )
        schedule = ReduceOnPlateau(0.1, factor=0.5, patience=patience, threshold=threshold, minimum=minimum)
        state, ours = {}, []
        for loss in losses:
            ours.append(0.1 * state.get("scale", 1.0))
            state = schedule.observe(state, loss)
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)


class TestInTraining:
    """A loss whose gradient is always 1: the weight falls by exactly the rates of its steps."""

    def run(self, schedule: Schedule, engine: str, epochs: int = 4, **options: Any) -> tuple[Model, np.ndarray]:
        network = Network([Input(1), Dense(1, bias=False, initializer="zeros", name="d")])
        model = Model(network, "absolute_error", SGD(schedule), dtype="float64", engine=engine)
        weights: list[float] = []
        model.fit(
            np.ones((6, 1)), np.full(6, -1e3), epochs=epochs, batch_size=2,
            callbacks=lambda record: weights.append(model.parameters["d"]["W"].item()), **options,
        )  # fmt: skip
        return model, np.array(weights)

    @pytest.mark.parametrize("schedule", registered.SCHEDULES, ids=registered.label)
    def test_every_step_has_its_rate(self, schedule: Schedule, engine: str) -> None:
        model, weights = self.run(schedule, engine)
        expected = rates(schedule, 3, 4)
        np.testing.assert_allclose(weights, -np.cumsum(expected)[2::3], rtol=1e-13)
        assert model.history["learning_rate"] == pytest.approx(expected[2::3].tolist(), rel=1e-15)

    def test_plateaus_count_from_the_validation_loss(self, engine: str) -> None:
        """The training loss falls all the time; that of the validation row, whose target is above, rises."""
        schedule = ReduceOnPlateau(0.1, factor=0.5, patience=1)
        model, _ = self.run(schedule, engine, epochs=6, validation=(np.ones((1, 1)), np.array([1e3])))
        assert model.history["learning_rate"] == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.05, 0.025], rel=1e-14)
        without, _ = self.run(schedule, engine, epochs=6)
        assert without.history["learning_rate"] == [0.1] * 6

    def test_a_second_fit_begins_its_schedule_anew(self, engine: str) -> None:
        schedule = Exponential(0.1, factor=0.5)
        model, _ = self.run(schedule, engine, epochs=2)
        history = model.fit(np.ones((6, 1)), np.full(6, -1e3), epochs=2, batch_size=2)
        assert history["learning_rate"] == pytest.approx([0.1, 0.05])


@pytest.mark.parametrize("schedule", registered.SCHEDULES, ids=registered.label)
def test_json_forms_lead_back(schedule: Schedule) -> None:
    assert get_schedule(to_form(schedule)) == schedule
    assert schedule.formula


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(0), "Constant: rate is 0; it must be a number above 0"),
        (lambda: StepDecay(0.1, every=0), "StepDecay: every is 0; it must be a whole number"),
        (lambda: StepDecay(0.1, factor=0), "StepDecay: factor is 0"),
        (lambda: Exponential(0.1, factor=-1), "Exponential: factor is -1"),
        (lambda: InverseScaling(0.1, power=-1), "InverseScaling: power is -1"),
        (lambda: Cosine(0.1, warmup_epochs=-1), "Cosine: warmup_epochs is -1"),
        (lambda: FlatCosine(0.1, flat=1), r"FlatCosine: flat is 1; it must be a number in \[0, 1\)"),
        (lambda: CosLog4(-1), "CosLog4: rate is -1"),
        (lambda: OneCycle(0.1, rise=1), r"OneCycle: rise is 1; it must be a number in \[0, 1\)"),
        (lambda: OneCycle(0.1, start_divisor=0), "OneCycle: start_divisor is 0"),
        (lambda: ReduceOnPlateau(0.1, factor=1), r"ReduceOnPlateau: factor is 1; it must be a number in \(0, 1\)"),
        (lambda: ReduceOnPlateau(0.1, patience=-1), "ReduceOnPlateau: patience is -1"),
        (lambda: get_schedule({"name": "cosin", "rate": 1}), 'there is no schedule "cosin". Did you mean "cosine"'),
        (lambda: get_schedule(True), "schedule is True"),
    ],
)  # fmt: skip
def test_errors_say_what_would_be_right(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()

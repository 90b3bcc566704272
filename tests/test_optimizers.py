"""Optimizers: first steps by hand, conventions, limits, JSON forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import registered
from registered import nothing_missing

from chainrule import LBFGS, SGD, AdaGrad, Adam, AdamW, Constant, Cosine, InputError, RMSProp
from chainrule.optimizers import OPTIMIZERS, Optimizer, get_optimizer
from chainrule.resolve import to_form


def steps(optimizer: Optimizer, gradients: list[float], rate: float = 0.1, start: float = 1.0) -> list[float]:
    """The weight after each of some steps with given gradients."""
    w, slots = np.array([start]), np.zeros((len(optimizer.slot_names), 1))
    optimizer.start(slots)
    found = []
    for t, g in enumerate(gradients, 1):
        optimizer.update(w, np.array([g]), slots, rate, t)
        found.append(w.item())
    return found


# optimizer, gradients, the weight after each step: by hand, from 1 with rate 0.1
BY_HAND: list[tuple[Optimizer, list[float], list[float]]] = [
    (SGD(), [2, -1], [0.8, 0.9]),
    (SGD(weight_decay=0.5), [2], [1 - 0.1 * 2.5]),
    (SGD(momentum=0.5), [2, -1], [0.8, 0.8]),  # v = 2, then 1 - 1 = 0
    (SGD(momentum=0.5, dampening=0.5), [2, -1], [0.8, 0.8 - 0.1 * 0.5]),  # v = 2, then 1 - 0.5
    (SGD(momentum=0.5, nesterov=True), [2, -1], [1 - 0.1 * 3, 0.7 - 0.1 * (-1 + 0.5 * 0)]),
    (SGD(momentum=0.5, convention="sklearn"), [2, -1], [0.8, 0.8]),
    (SGD(momentum=0.5, nesterov=True, convention="sklearn"), [2, -1], [0.7, 0.8]),
    (AdaGrad(epsilon=1e-300), [2, 2], [0.9, 0.9 - 0.1 / math.sqrt(2)]),
    (AdaGrad(epsilon=1.0), [2], [1 - 0.1 * 2 / 3]),
    (AdaGrad(initial_accumulator=12.0, epsilon=1e-300), [2], [1 - 0.1 * 2 / 4]),
    (AdaGrad(rate_decay=1.0, epsilon=1e-300), [2, 2], [0.9, 0.9 - 0.05 / math.sqrt(2)]),
    (RMSProp(rho=0.75, epsilon=1e-300), [2], [1 - 0.1 * 2 / 1]),  # s = 0.25 * 4
    (RMSProp(rho=0.75, epsilon=1.0), [2], [0.9]),
    (RMSProp(rho=0.75, epsilon=1e-300, momentum=0.5), [2, 0], [0.8, 0.8 - 0.1 * 1]),
    (RMSProp(rho=0.5, epsilon=1e-300, centered=True), [2], [1 - 0.1 * 2 / 1]),  # s - m^2 = 2 - 1
    (Adam(epsilon=1e-300), [2, 2], [0.9, 0.8]),  # corrected means of a constant are the constant
    (Adam(epsilon=1.0), [2], [1 - 0.1 * 2 / 3]),
    (Adam(beta1=0.0, beta2=0.0, epsilon=1.0, convention="sklearn"), [2], [1 - 0.1 * 2 / 3]),
    (Adam(beta1=0.0, beta2=0.75, epsilon=1.0, convention="sklearn"), [2], [1 - 0.1 * 0.5 * 2 / 2]),
    (Adam(beta2=0.5, beta1=0.0, epsilon=1e-300, amsgrad=True), [2, 0], [0.9, 0.9]),
    (Adam(epsilon=1e-300, weight_decay=1.0), [-1], [1.0 - 0.1 * 0]),  # the decayed gradient is 0: 0 / epsilon
    (AdamW(epsilon=1e-300, weight_decay=1.0), [2], [0.9 - 0.1]),  # the decay acts on the weight
]


@pytest.mark.parametrize(
    ("optimizer", "gradients", "weights"), BY_HAND, ids=[f"{row[0].name}-{i}" for i, row in enumerate(BY_HAND)]
)
def test_by_hand(optimizer: Optimizer, gradients: list[float], weights: list[float]) -> None:
    np.testing.assert_allclose(steps(optimizer, gradients), weights, rtol=1e-14)


def test_every_optimizer_is_worked_by_hand() -> None:
    """But L-BFGS, whose steps are SciPy's: `training/test_lbfgs.py` holds them against SciPy."""
    nothing_missing({row[0].name for row in BY_HAND} | {"lbfgs"}, OPTIMIZERS, "BY_HAND of tests/test_optimizers.py")


def test_conventions_of_momentum_differ_when_the_rate_changes() -> None:
    """PyTorch multiplies the whole velocity by the present rate; scikit-learn keeps old steps at their old rate."""
    for convention, expected in (
        ("torch", 1 - 0.1 * 2 - 1.0 * (0.5 * 2 + 2)),
        ("sklearn", 1 - 0.2 - (0.5 * 0.2 + 2.0)),
    ):
        optimizer = SGD(momentum=0.5, convention=convention)
        w, slots = np.array([1.0]), np.zeros((1, 1))
        optimizer.update(w, np.array([2.0]), slots, 0.1, 1)
        optimizer.update(w, np.array([2.0]), slots, 1.0, 2)
        assert w.item() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", registered.STEPWISE, ids=repr)
def test_gradients_are_left_alone_and_precision_stays(optimizer: Optimizer, dtype: str) -> None:
    w, g = np.ones(4, dtype), np.full(4, 2, dtype)
    slots = np.zeros((len(optimizer.slot_names), 4), dtype)
    optimizer.start(slots)
    optimizer.update(w, g, slots, 0.1, 1)
    assert (g == 2).all()
    assert w.dtype == slots.dtype == dtype
    assert (w != 1).all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_names_and_json_forms_lead_back(name: str) -> None:
    optimizer = get_optimizer(name)
    assert optimizer.name == name
    assert get_optimizer(to_form(optimizer)) == optimizer
    assert optimizer.formula
    assert optimizer.full_batch == (name == "lbfgs")


def test_json_form_keeps_options_and_the_schedule() -> None:
    for optimizer in (
        SGD(0.5, momentum=0.9, nesterov=True), Adam(Cosine(0.01, minimum=1e-5), convention="sklearn"),
        RMSProp(Constant(0.1), centered=True), LBFGS(memory=5),
    ):  # fmt: skip
        assert get_optimizer(to_form(optimizer)) == optimizer


def test_a_rate_is_a_constant_schedule() -> None:
    assert Adam(0.25).schedule == Constant(0.25)
    assert Adam(Cosine(0.25)).schedule == Cosine(0.25)
    assert Adam({"name": "cosine", "rate": 0.25}).schedule == Cosine(0.25)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: get_optimizer("adan"), 'there is no optimizer "adan". Did you mean "adam"'),
        (lambda: get_optimizer(0.1), "optimizer is 0.1; it must be a name"),
        (lambda: Adam(0), "learning_rate is 0; it must be a number above 0 or a schedule"),
        (lambda: Adam(-1.0), "learning_rate is -1.0"),
        (lambda: Adam("fast"), r"learning_rate is 'fast'; it must be a number or a schedule such as Cosine\(0.01\)"),
        (lambda: Adam(None), "schedule is None"),
        (lambda: Adam(beta1=1), r"Adam: beta1 is 1; it must be a number in \[0, 1\)"),
        (lambda: AdamW(beta2=-0.1), "AdamW: beta2 is -0.1"),
        (lambda: Adam(epsilon=0), "Adam: epsilon is 0; it must be a number of at least 2.22507e-308"),
        (lambda: Adam(weight_decay=-1), "Adam: weight_decay is -1; it must be a number of at least 0"),
        (lambda: Adam(convention="keras"), 'Adam: convention is \'keras\'; it must be "torch" or "sklearn"'),
        (lambda: Adam(amsgrad=True, convention="sklearn"), 'amsgrad exists in the convention "torch" only'),
        (lambda: SGD(momentum=1.1), r"SGD: momentum is 1.1; it must be a number in \[0, 1\]"),
        (lambda: SGD(nesterov=True), "SGD: nesterov needs a momentum above 0 and no dampening"),
        (lambda: SGD(momentum=0.9, nesterov=True, dampening=0.1), "nesterov needs a momentum above 0 and no dampening"),
        (
            lambda: SGD(momentum=0.9, dampening=0.1, convention="sklearn"),
            'dampening exists in the convention "torch" only',
        ),
        (lambda: SGD(convention="x"), "SGD: convention is 'x'"),
        (lambda: AdaGrad(rate_decay=-1), "AdaGrad: rate_decay is -1"),
        (lambda: RMSProp(rho=1), "RMSProp: rho is 1"),
        (lambda: LBFGS(memory=0), r"LBFGS: memory is 0; it must be a whole number in \[1, 1000\]"),
        (lambda: get_optimizer({"name": "lbfgs", "learning_rate": 1}), 'optimizer "lbfgs" takes'),
    ],
)
def test_errors_say_what_would_be_right(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("optimizer", [Adam, AdaGrad, RMSProp])
@pytest.mark.parametrize("epsilon", [0.0, 1e-320])
def test_an_epsilon_that_would_be_flushed_to_zero_is_refused(optimizer: type[Optimizer], epsilon: float) -> None:
    with pytest.raises(InputError, match=r"epsilon is (0.0|1e-320); it must be a number of at least 2.22507e-308"):
        optimizer(epsilon=epsilon)

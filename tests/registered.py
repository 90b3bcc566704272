"""What the general tests go through: instances of everything that is registered, asked of the registries themselves.

A new activation, loss, optimizer, schedule or initializer is in every general test by being in its table; one with
options needs an instance here that sets them, a layer a small network around it. `test_registered.py` says what is
missing, and shows that a wrong one is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, replace
from itertools import cycle, product
from typing import Any

import numpy as np
import pytest
from pairwise import pairwise

from chainrule import activations, initializers, layers, losses, metrics, optimizers, schedules
from chainrule.activations import ActivationFunction
from chainrule.engines import choose
from chainrule.initializers import Initializer
from chainrule.layers import (
    Activation,
    Add,
    BatchNorm,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    EmbeddingSum,
    Flatten,
    Input,
    Layer,
    Mix,
    OneHot,
    PiecewiseLinear,
    Scale,
    Value,
)
from chainrule.losses import BinaryCrossEntropy, CrossEntropy, Huber, Loss, Quantile
from chainrule.metrics import Metric
from chainrule.optimizers import LBFGS, SGD, AdaGrad, Adam, AdamW, Optimizer, RMSProp
from chainrule.schedules import Schedule

# Instances of what has options: together they set each of them to something other than its default.
SET: dict[type, tuple[Any, ...]] = {
    activations.LeakyReLU: (activations.LeakyReLU(slope=0.2),),
    activations.ELU: (activations.ELU(alpha=1.3),),
    activations.GELU: (activations.GELU(), activations.GELU(approximate=True)),
    Huber: (Huber(delta=0.7),),
    Quantile: (Quantile(level=0.3),),
    BinaryCrossEntropy: (BinaryCrossEntropy(), BinaryCrossEntropy(label_smoothing=0.1)),
    CrossEntropy: (CrossEntropy(), CrossEntropy(label_smoothing=0.1)),
    SGD: (
        SGD(0.05), SGD(0.05, momentum=0.9), SGD(0.05, momentum=0.9, dampening=0.3),
        SGD(0.02, momentum=0.8, nesterov=True, weight_decay=0.1), SGD(0.05, momentum=0.9, convention="sklearn"),
        SGD(0.05, momentum=0.9, nesterov=True, convention="sklearn"),
    ),
    AdaGrad: (
        AdaGrad(0.1), AdaGrad(0.1, epsilon=0.01, rate_decay=0.05, initial_accumulator=0.3, weight_decay=0.1),
    ),
    RMSProp: (
        RMSProp(0.02, rho=0.9, epsilon=1e-3), RMSProp(0.01, momentum=0.5, centered=True, weight_decay=0.1),
    ),
    Adam: (
        Adam(0.02), Adam(0.02, beta1=0.7, beta2=0.9, epsilon=1e-3, weight_decay=0.1),
        Adam(0.02, beta2=0.5, amsgrad=True), Adam(0.02, convention="sklearn"),
    ),
    AdamW: (
        AdamW(0.02), AdamW(0.02, beta1=0.8, beta2=0.9, epsilon=1e-4, weight_decay=0.3, amsgrad=True),
        AdamW(0.02, convention="sklearn"), AdamW(0.02, weight_decay=schedules.FlatCosine(0.3, flat=0.2)),
    ),
    LBFGS: (LBFGS(memory=5, gradient_tolerance=1e-7, loss_tolerance=1e-10, max_evaluations=500),),
    schedules.Constant: (schedules.Constant(0.1),),
    schedules.StepDecay: (schedules.StepDecay(0.1, every=3, factor=0.5),),
    schedules.Exponential: (schedules.Exponential(0.1, factor=0.9),),
    schedules.InverseScaling: (schedules.InverseScaling(0.1, power=0.7),),
    schedules.Cosine: (schedules.Cosine(0.1), schedules.Cosine(0.1, warmup_epochs=1.5, minimum=0.01)),
    schedules.FlatCosine: (schedules.FlatCosine(0.1), schedules.FlatCosine(0.1, flat=0.7, minimum=0.01)),
    schedules.CosLog4: (schedules.CosLog4(0.1),),
    schedules.OneCycle: (schedules.OneCycle(0.1), schedules.OneCycle(0.1, rise=0.4, start_divisor=5, end_divisor=100)),
    schedules.ReduceOnPlateau: (
        schedules.ReduceOnPlateau(0.1, factor=0.5, patience=3, threshold=0.05, minimum=0.01),
    ),
    initializers.Uniform: (initializers.Uniform(-0.3, 0.3),),
    initializers.Normal: (initializers.Normal(0.2),),
    initializers.Constant: (initializers.Constant(0.5),),
    initializers.Orthogonal: (initializers.Orthogonal(1.5),),
    Input: (Input((3, 2)), Input(2, dtype="integer")),
    Dense: (
        Dense(3, activation="tanh", bias_initializer=initializers.Constant(0.5)),
        Dense(3, l1=0.01, l2=0.02, penalize_bias=True, trainable=False),
        Dense(2, bias=False, initializer="he_normal"),
        Dense(2, rate_factor=0.5, decay_factor=2.0, bias_rate_factor=0.1, bias_decay_factor=0.0),
    ),
    Activation: (Activation("tanh"),),
    BatchNorm: (BatchNorm(momentum=0.3, epsilon=1e-3, trainable=False),),
    Dropout: (Dropout(0.3), Dropout(schedules.FlatCosine(0.3, flat=0.2))),
    OneHot: (OneHot(3, first=1),),
    Embedding: (
        Embedding((3, 2), 4, initializers.Normal(0.2), l1=0.01, l2=0.02, trainable=False),
        Embedding(3, 2, rate_factor=0.5, decay_factor=0.0),
    ),
    EmbeddingSum: (
        EmbeddingSum((3, 2), 4, "zeros", l1=0.01, l2=0.02, trainable=False),
        EmbeddingSum(3, 2, rate_factor=0.5, decay_factor=0.0),
    ),
    PiecewiseLinear: (
        PiecewiseLinear(((-1, 0, 0.7), (), (-0.5, 1)), 3, "he_normal", l1=0.01, l2=0.02, trainable=False),
        PiecewiseLinear(((-1, 0), (0, 1)), 3, rate_factor=0.5, decay_factor=0.0),
    ),
    Mix: (Mix(trainable=False, rate_factor=0.5, decay_factor=0.0),),
    Scale: (Scale(trainable=False, rate_factor=0.5, decay_factor=0.0),),
}  # fmt: skip


def _pieces(x: Value) -> Value:
    """Numbers behind one piecewise-linear layer and before another: of some inputs, constant ones among them."""
    return Add()(x, PiecewiseLinear(((-1, 0.3, 1), (5,), (-0.2, 0.4)), 3)(x))


# A small network around each layer, from vectors of 3: parameters before and behind it, and the activation too.
AROUND: dict[str, Callable[[Value, ActivationFunction], Value]] = {
    "Dense": lambda x, f: Dense(3, activation=f)(Dense(2)(x)),
    "Activation": lambda x, f: Activation(f)(Dense(3)(x)),
    "Scale": lambda x, f: Activation(f)(Scale()(Dense(3)(Scale()(x)))),
    "BatchNorm": lambda x, f: Activation(f)(BatchNorm()(Dense(3)(x))),
    "Dropout": lambda x, f: Dropout(0.3)(Dense(4, activation=f)(x)),
    "OneHot": lambda x, f: Activation(f)(Dense(3)(OneHot(3, first=1)(x))),
    "Embedding": lambda x, f: Activation(f)(Dense(3)(Embedding((4, 3), 2)(x))),
    "EmbeddingSum": lambda x, f: Activation(f)(Add()(EmbeddingSum((4, 3), 3)(x), EmbeddingSum((4, 3), 3)(x))),
    "PiecewiseLinear": lambda x, f: Activation(f)(PiecewiseLinear(((-1, 0, 0.5, 2),) * 3, 3)(_pieces(x))),
    "Flatten": lambda x, f: Flatten()(Dense(3, activation=f)(Flatten()(x))),
    "Add": lambda x, f: Add()(first := Dense(3, activation=f)(x), Dense(3)(first), first),
    "Mix": lambda x, f: Mix()(z := Dense(3)(x), Mix()(Activation(f)(z), x)),
    "Concatenate": lambda x, f: Concatenate()(first := Dense(2, activation=f)(x), x, Dense(1)(first)),
}
CODES = Input(2, dtype="integer", name="x")
INPUTS = {  # where it isn't Input(3)
    "Flatten": Input((3, 1), name="x"), "OneHot": CODES, "Embedding": CODES, "EmbeddingSum": CODES,
}  # fmt: skip

# Where an activation or its derivative jumps: there finite differences mean nothing.
KINKS = {"relu": (0.0,), "leaky_relu": (0.0,), "elu": (0.0,), "selu": (0.0,)}
# The same for a loss, of the difference `h - y`.
LOSS_KINKS: dict[str, Callable[[Any], tuple[float, ...]]] = {
    "absolute_error": lambda loss: (0.0,),
    "quantile": lambda loss: (0.0,),
    "huber": lambda loss: (-loss.delta, loss.delta),
}


def loss_kinks(loss: Loss) -> tuple[float, ...]:
    """Where a loss or its gradient jumps, as differences `h - y`."""
    return LOSS_KINKS[loss.name](loss) if loss.name in LOSS_KINKS else ()


def instances(registry: Mapping[str, type]) -> tuple[Any, ...]:
    """One or more instances of every class of a table; none of one that can't be made without being told how."""
    found: list[Any] = []
    for cls in registry.values():
        needed = [field for field in fields(cls) if field.init and field.default is field.default_factory is MISSING]
        found += SET.get(cls, () if needed else (cls(),))
    return tuple(found)


ACTIVATIONS: tuple[ActivationFunction, ...] = tuple(f for f in instances(activations.ACTIVATIONS) if f.trainable)
LOSSES: tuple[Loss, ...] = instances(losses.LOSSES)
OPTIMIZERS: tuple[Optimizer, ...] = instances(optimizers.OPTIMIZERS)
STEPWISE = tuple(one for one in OPTIMIZERS if not one.full_batch)  # what takes a step for each batch
SCHEDULES: tuple[Schedule, ...] = instances(schedules.SCHEDULES)
SCHEDULED = tuple(  # every optimizer and every schedule
    replace(optimizer, learning_rate=schedule) for optimizer, schedule in zip(STEPWISE, cycle(SCHEDULES))
)
INITIALIZERS: tuple[Initializer, ...] = instances(initializers.INITIALIZERS)
LAYERS: tuple[Layer, ...] = instances(layers.LAYERS)
METRICS: tuple[Metric, ...] = tuple(metrics.METRICS.values())
ENGINES = tuple(name for name, engine in choose.ENGINES.items() if engine.missing() is None)  # that this machine has
needs_native = pytest.mark.skipif("native" not in ENGINES, reason=str(choose.ENGINES["native"].missing()))
LAYER_NAMES = tuple(name for name in layers.LAYERS if name != "Input")


def label(thing: Any) -> str | None:
    """A short name for a test's id: `adam`, and `adam*2` for the third instance of several."""
    if isinstance(thing, (str, bool)):
        return None  # pytest knows how to show these
    name = thing.name if isinstance(thing, Metric) else getattr(type(thing), "name", "") or type(thing).__name__
    made = SET.get(type(thing), ())
    place = made.index(thing) if thing in made else 0
    return f"{name}*{place}" if place else name


def unset(cls: type) -> list[str]:
    """The options of a class that no instance sets to something other than their defaults."""
    made = SET.get(cls, ())
    options = [field for field in fields(cls) if field.init and field.name != "name"]
    return [one.name for one in options if not any(getattr(thing, one.name) != one.default for thing in made)]


def nothing_missing(covered: Iterable[str], registry: Iterable[str], where: str) -> None:
    """Say in a sentence what a table of the tests lacks, or has too much."""
    covered, registry = set(covered), set(registry)
    missing, unknown = registry - covered, covered - registry
    assert not missing, f"{', '.join(sorted(missing))}: registered, but not in {where}"
    assert not unknown, f"{', '.join(sorted(unknown))}: in {where}, but not registered"


# The outputs that a loss is defined for, from its own words.
RANGES = {"any number": (-np.inf, np.inf), "positive numbers": (0.0, np.inf), "probabilities": (0.0, 1.0)}


def outputs_for(loss: Loss) -> tuple[ActivationFunction, ...]:
    """The activations that may stand before a loss: those whose values it is defined for."""
    low, high = RANGES[loss.reads]
    z = np.linspace(-30, 30, 61)[:, None] * np.array([1.0, 0.5])
    return tuple(f for f in ACTIVATIONS if low < f.value(z).min() and f.value(z).max() <= high)


def usual_output(loss: Loss) -> str:
    """The output activation that most people put before a loss: the one it is computed together with."""
    return loss.fuses_with or "linear"


def heads() -> list[tuple[Loss, ActivationFunction, bool, str]]:
    """Every output activation before every loss that is defined for it, computed together or apart, on every engine.

    All four ways where the two are computed together: each engine has formulas of its own for them. Elsewhere `fuse`
    says nothing, and pairs will do.
    """
    pairs = [(loss, output) for loss in LOSSES for output in outputs_for(loss)]
    together = [pair for pair in pairs if pair[0].fuses_with == pair[1].name]
    apart = [pair for pair in pairs if pair not in together]
    cases = [*product(together, [True, False], ENGINES), *pairwise(apart, [True, False], ENGINES)]
    return [(loss, output, fuse, engine) for (loss, output), fuse, engine in cases]

"""Everything registered is in every general test, and a wrong one doesn't pass them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import problems
import pytest
import registered
import strategies
from registered import label, nothing_missing

import chainrule as cr
from chainrule.activations import ACTIVATIONS, ActivationFunction
from chainrule.initializers import INITIALIZERS, Initializer
from chainrule.layers import LAYERS
from chainrule.losses import LOSSES, Loss
from chainrule.metrics import METRICS
from chainrule.optimizers import OPTIMIZERS, Optimizer
from chainrule.resolve import to_form
from chainrule.schedules import SCHEDULES, Schedule

ROOT = Path(__file__).parent.parent
REGISTRIES: dict[str, Mapping[str, type]] = {
    "activation": ACTIVATIONS,
    "initializer": INITIALIZERS,
    "layer": LAYERS,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}
CLASSES = [(kind, name) for kind, registry in REGISTRIES.items() for name in registry]


@pytest.mark.parametrize(("kind", "name"), CLASSES)
def test_every_option_is_set_by_an_instance(kind: str, name: str) -> None:
    missing = registered.unset(REGISTRIES[kind][name])
    assert not missing, (
        f'{kind} "{name}": no instance in SET of tests/registered.py sets {", ".join(missing)} to something other than '
        "the default, so no general test computes with it"
    )


def test_every_layer_has_a_network_around_it_and_is_in_generated_graphs() -> None:
    nothing_missing({"Input", *registered.AROUND}, LAYERS, "AROUND of tests/registered.py")
    nothing_missing({"Input", *strategies.KINDS}, LAYERS, "KINDS of tests/strategies.py")


def test_tables_name_nothing_that_isnt_there() -> None:
    assert set(registered.SET) <= {cls for registry in REGISTRIES.values() for cls in registry.values()}
    assert set(registered.KINKS) <= set(ACTIVATIONS)
    assert set(registered.LOSS_KINKS) <= set(LOSSES)
    assert set(registered.INPUTS) <= set(LAYERS)
    assert {loss.reads for loss in LOSSES.values()} <= set(registered.RANGES)


def test_pytorch_is_asked_about_each() -> None:
    pytest.importorskip("torch")
    oracle = pytest.importorskip("torch_oracle")
    trainable = {f.name for f in registered.ACTIVATIONS}
    nothing_missing(oracle.ACTIVATIONS, trainable, "ACTIVATIONS of tests/torch_oracle.py")
    nothing_missing(oracle.LOSSES, LOSSES, "LOSSES of tests/torch_oracle.py")
    nothing_missing({"Input", *oracle.LAYERS}, LAYERS, "LAYERS of tests/torch_oracle.py")


def model_with(thing: Any) -> cr.Model:
    """A model that holds it."""
    layers = [cr.Input(3), cr.Dense(4, activation=thing if isinstance(thing, ActivationFunction) else "tanh")]
    layers += [cr.Dense(2, initializer=thing if isinstance(thing, Initializer) else "auto")]
    loss = thing if isinstance(thing, Loss) else "squared_error"
    if isinstance(thing, Loss):
        layers.append(cr.Activation(registered.usual_output(thing)))
    network = problems.network_with(thing, ACTIVATIONS["tanh"](), "linear") if isinstance(thing, str) else None
    optimizer = cr.SGD(thing) if isinstance(thing, Schedule) else thing if isinstance(thing, Optimizer) else "sgd"
    metrics = [thing.name] if isinstance(thing, cr.Metric) else []
    return cr.Model(network or cr.Network(layers), loss, optimizer, metrics=metrics, dtype="float64", seed=3)


THINGS = [
    *registered.ACTIVATIONS, *registered.LOSSES, *registered.OPTIMIZERS, *registered.SCHEDULES,
    *registered.INITIALIZERS, *registered.LAYER_NAMES, *registered.METRICS,
]  # fmt: skip


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: f"{type(thing).__mro__[1].__name__} {label(thing)}")
def test_saved_trained_and_loaded_it_goes_on_as_it_would_have(thing: Any, tmp_path: Path) -> None:
    model = model_with(thing)
    rng = np.random.default_rng(0)
    X = problems.inputs_for(model.network, 6, rng)
    y = problems.targets_for(model.objective.heads[0].loss, 6, 2, rng)
    model.fit(X, y, epochs=2, batch_size=3 if not model.optimizer.full_batch else "auto")
    model.save(tmp_path / "model.safetensors", training=True)
    found = cr.load(tmp_path / "model.safetensors")
    assert found.network == model.network
    assert to_form(found.optimizer) == to_form(model.optimizer)
    assert to_form(found.objective.heads[0].loss) == to_form(model.objective.heads[0].loss)
    for one in (model, found):
        one.fit(X, y, epochs=4, batch_size=3 if not model.optimizer.full_batch else "auto", resume=True)
    np.testing.assert_array_equal(found.predict(X), model.predict(X))
    assert found.evaluate(X, y) == model.evaluate(X, y)


@pytest.mark.parametrize(("kind", "name"), [*CLASSES, *(("metric", name) for name in METRICS)])
def test_the_reference_has_its_row(kind: str, name: str) -> None:
    page = (ROOT / "docs" / "reference" / "formulas.md").read_text(encoding="utf-8")
    assert f"\n| {name} |" in page, f'{kind} "{name}" is not in docs/reference/formulas.md: run `make docs`'


# A plugin that registers what is wrong, before the tests are collected.
WRONG = '''
from dataclasses import dataclass

import numpy as np

import chainrule.layers as layers
from chainrule.activations import ACTIVATIONS, ActivationFunction
from chainrule.initializers import INITIALIZERS, Initializer
from chainrule.losses import LOSSES, Loss
from chainrule.metrics import METRICS, Metric
from chainrule.optimizers import OPTIMIZERS, Optimizer
from chainrule.schedules import SCHEDULES, Schedule


@dataclass(frozen=True)
class Wrong(ActivationFunction):
    """A bent line whose derivative forgets the bend, and whose formula is another one."""

    name, formula, derivative_formula, needs = "wrong", "h = z + z^2", "dh/dz = 1", "z"

    def value(self, z):
        return z + 0.1 * z * z

    def derivative(self, kept):
        return np.ones_like(kept)


@dataclass(frozen=True)
class WrongLoss(Loss):
    """The squared error with the gradient of half of it."""

    name, formula, gradient_formula = "wrong", "L = sum_j (h_j - y_j)^2", "dL/dh_j = h_j - y_j"

    def rows(self, target, output):
        return ((output - target) ** 2).sum(axis=1)

    def gradient(self, target, output):
        return output - target


@dataclass(frozen=True)
class WrongOptimizer(Optimizer):
    """It climbs, and forgets its option when it is shown."""

    weight_decay: float = 0.0
    name, formula = "wrong", "w = w + rate g"

    def update(self, w, g, slots, rate, t):
        g *= rate
        w += g

    def step_formula(self, t):
        return "w+ = w - rate g"


@dataclass(frozen=True)
class WrongSchedule(Schedule):
    """Rates above the rate."""

    name, formula = "wrong", "rate"

    def rates(self, steps, steps_per_epoch, total_steps):
        return self.rate * (1.0 + np.arange(len(steps)))


@dataclass(frozen=True)
class WrongInitializer(Initializer):
    """It draws nothing."""

    name, formula = "wrong", "W = 0"

    def draw(self, shape, stream):
        return np.zeros(shape)


class Wrongly(layers.Flatten):
    """A layer of no network."""


ACTIVATIONS["wrong"], LOSSES["wrong"], OPTIMIZERS["wrong"] = Wrong, WrongLoss, WrongOptimizer
SCHEDULES["wrong"], INITIALIZERS["wrong"], layers.LAYERS["Wrongly"] = WrongSchedule, WrongInitializer, Wrongly
METRICS["wrong"] = Metric("wrong", lambda y, h, w: 0.0, True, "0")
'''

# the general tests that must refuse what
REFUSING = {
    "test_gradients.py::test_every_layer_activation_and_loss": "wrong",
    "test_gradients.py::test_every_output_activation_and_loss": "wrong",
    "test_activations.py::test_derivatives_are_the_slopes": "wrong",
    "test_activations.py::test_every_activation_is_held_against_its_definition": "",
    "test_losses.py::test_gradients_are_the_slopes": "wrong",
    "explain/test_derivation.py::test_everything_registered_is_explained": "wrong",
    "test_losses.py::test_every_loss_is_worked_by_hand": "",
    "test_optimizers.py::test_gradients_are_left_alone_and_precision_stays": "Wrong",
    "test_optimizers.py::test_every_optimizer_is_worked_by_hand": "",
    "test_schedules.py::test_every_schedule_is_worked_by_hand": "",
    "test_initializers.py::test_every_initializer_is_held_against_its_distribution": "",
    "test_metrics.py::test_every_metric_is_held_against_scikit_learn": "",
    "test_registered.py::test_every_option_is_set_by_an_instance": "optimizer-wrong",
    "test_registered.py::test_every_layer_has_a_network_around_it_and_is_in_generated_graphs": "",
    "test_registered.py::test_the_reference_has_its_row": "activation-wrong",
}


@pytest.mark.slow
def test_what_is_wrong_is_refused_though_nobody_wrote_a_test_for_it(tmp_path: Path) -> None:
    """In a process of its own: an activation, a loss and so on are registered, and the tests are told nothing else."""
    (tmp_path / "wrong_things.py").write_text(WRONG, encoding="utf-8")
    program = f"import sys, pytest; sys.path.insert(0, {str(tmp_path)!r}); sys.exit(pytest.main())"
    tests = [str(ROOT / "tests" / name) for name in REFUSING]
    # of the cases that are in order there is nothing to hear
    chosen = " or ".join(sorted({which or test.partition("::")[2] for test, which in REFUSING.items()}))
    run = subprocess.run(
        [sys.executable, "-c", program, "-q", "-p", "wrong_things", "-p", "no:cacheprovider", "--tb=no", "-k", chosen,
         *tests],
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=300,
    )  # fmt: skip
    failed = [line for line in run.stdout.splitlines() if line.startswith("FAILED")]
    for test, which in REFUSING.items():
        assert any(test in line and which in line for line in failed), f"{test} lets it pass:\n{run.stdout}{run.stderr}"

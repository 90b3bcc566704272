"""scikit-learn's own tests of its two estimators, run against ours: the installed file, with our names in it.

Every test of that file is one of this module. `NOT_OURS` says which are left out, and why.
"""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from sklearn import neural_network

import chainrule as cr

NOT_OURS = {
    "test_gradient": "it calls the private _loss_grad_lbfgs with buffers of its own; tests/test_gradients.py compares "
    "ours with central differences, and test_ecosystem.py does so through `gradients`",
}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def load(monkeypatch: pytest.MonkeyPatch) -> ModuleType | None:
    """Their test file as a module of its own, in which our estimators have their names."""
    spec = find_spec("sklearn.neural_network.tests.test_mlp")
    if spec is None or spec.loader is None:
        return None  # a scikit-learn without its tests
    for name in ("MLPClassifier", "MLPRegressor"):
        monkeypatch.setattr(neural_network, name, getattr(cr, name))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def those_of(module: ModuleType | None) -> dict[str, Any]:
    found = {name: test for name, test in vars(module).items() if name.startswith("test_")} if module else {}
    return {
        name: pytest.mark.skip(reason=NOT_OURS[name])(test) if name in NOT_OURS else test
        for name, test in found.items()
    }


with pytest.MonkeyPatch.context() as patch:
    THEIRS = load(patch)
globals().update(those_of(THEIRS))


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Many of them leave `random_state` out: NumPy's global stream decides."""
    np.random.seed(0)  # noqa: NPY002  # scikit-learn's own stream


@pytest.fixture
def global_random_seed() -> int:
    """scikit-learn's fixture of this name."""
    return 0


def test_they_are_there_and_about_ours() -> None:
    if THEIRS is None:
        pytest.skip("this scikit-learn comes without its tests")
    assert THEIRS.MLPClassifier is cr.MLPClassifier
    assert THEIRS.MLPRegressor is cr.MLPRegressor
    assert neural_network.MLPClassifier is not cr.MLPClassifier
    assert set(NOT_OURS) <= set(vars(THEIRS))
    assert len(those_of(THEIRS)) > 30

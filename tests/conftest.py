"""What all tests share: the engines, the Hypothesis profile, and random numbers whose seed a failure prints."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from chainrule.engines.choose import native_missing

collect_ignore = ["torch_oracle.py"]  # no tests: what imports it skips where PyTorch is missing
ENGINES = ["reference"] if native_missing() else ["reference", "native"]
SEED = pytest.StashKey[int]()

# Generating a network takes longer than Hypothesis thinks data should; that is no fault of the test.
settings.register_profile(
    "chainrule",
    deadline=None,
    print_blob=True,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("chainrule")


@pytest.fixture(params=ENGINES, scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """The name of each engine that this machine has: tests of behaviour run once with each."""
    return request.param


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers: from CHAINRULE_TEST_SEED where it is set, always the same in CI, fresh ones otherwise."""
    given = os.environ.get("CHAINRULE_TEST_SEED", "0" if "CI" in os.environ else "")
    seed = int(given) if given else secrets.randbits(32)
    request.node.stash[SEED] = seed
    return np.random.default_rng(seed)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed and SEED in item.stash:
        report.sections.append(("random numbers", f"CHAINRULE_TEST_SEED={item.stash[SEED]} draws the same numbers"))
    return report

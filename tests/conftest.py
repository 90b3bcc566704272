"""What all tests share: the engines, the Hypothesis profile, and random numbers whose seed a failure prints.

`make test` runs several processes, one for each core. Libraries that bring threads of their own get one in each of them
(before they are loaded: they ask once); tests of our own threads say how many they want.
"""

from __future__ import annotations

import gc
import os

if "PYTEST_XDIST_WORKER" in os.environ:
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ.setdefault(variable, "1")

import re
import secrets
import signal
from collections.abc import Iterator

import numpy as np
import pytest
from alone import turn
from generated import TIMES, USUAL
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import none
from registered import ENGINES

collect_ignore = ["torch_oracle.py", "fuzz/oracle.py"]  # no tests: what imports them skips where PyTorch is missing
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start what runs in the background; tests press Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
SEED = pytest.StashKey[int]()

# Generating a network takes longer than Hypothesis thinks data should; that is no fault of the test.
settings.register_profile(
    "chainrule",
    max_examples=round(TIMES * USUAL),
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


@pytest.fixture(autouse=True)
def _turn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Several processes take turns where one of their tests is marked `alone`; their folders lie in a common one."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    with turn(tmp_path_factory.getbasetemp().parent, alone=request.node.get_closest_marker("alone") is not None):
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Processes share tests out by their names, so a name must be the same in each of them."""
    for item in items:
        if re.search(r" at 0x[0-9a-f]+", item.nodeid):
            raise pytest.UsageError(f"{item.nodeid}: the name holds an address in memory; give its parameters ids")


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the garbage collector needn't look at it again and again."""
    # Hypothesis looks once at who refers to NumPy's random numbers, and doesn't see those that are frozen: before it.
    settings(max_examples=1, database=None)(given(none())(lambda _: None))()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed and SEED in item.stash:
        report.sections.append(("random numbers", f"CHAINRULE_TEST_SEED={item.stash[SEED]} draws the same numbers"))
    return report

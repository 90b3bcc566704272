"""The native core among threads, signals, processors and missing pieces."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from problems import classes
from registered import needs_native

import chainrule
from chainrule import Model, Network

pytestmark = needs_native
NETWORK = Network.mlp(20, [64, 64], 3, output="softmax")

LONG_EPOCH = """
import sys, time
import numpy as np
from chainrule import Callback, Model, Network
class Ready(Callback):
    def on_start(self, run):
        print("ready", flush=True)
rows = np.random.default_rng(0).normal(size=(2_000_000, 20)).astype("float32")
model = Model(Network.mlp(20, [128, 128], 3, output="softmax"), "cross_entropy", engine="native")
start = model.training.parameters.copy()
labels = np.zeros(len(rows), dtype=np.int64)
history = model.fit(rows, labels, epochs=2, callbacks=[Ready()], progress=False)
changed = bool((model.training.parameters != start).any())
print(time.time(), history.stopped_by, len(history), model.training.batch > 0, changed)
"""


@pytest.mark.slow
@pytest.mark.alone
def test_ctrl_c_ends_a_long_epoch_within_100_ms() -> None:
    delays = []
    for _ in range(3):  # a busy machine may be late once
        with subprocess.Popen([sys.executable, "-c", LONG_EPOCH], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(1)
            pressed = time.time()
            process.send_signal(signal.SIGINT)
            ended, *said = process.stdout.read().split()
        assert said == ["interrupted", "0", "True", "True"]
        assert process.returncode == 0
        delays.append(float(ended) - pressed)
        if delays[-1] < 0.1:
            return
    pytest.fail(f"took {delays} seconds")


LONG_CALLS = """
import os, signal, sys, threading, time
import numpy as np
from chainrule import Model, Network
from chainrule.engines.contract import Rows

rows = np.random.default_rng(0).normal(size=(1_000_000, 20)).astype("float32")
data = Rows((rows,), (np.zeros(len(rows), dtype=np.int64),), (None,))
mlp = Network.mlp(20, [512, 512], 3, output="softmax")

def delay(call):
    pressed = []
    def press():
        pressed.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)
    timer = threading.Timer(0.1, press)
    timer.start()
    try:
        if getattr(call(), "stopped_by", "") != "interrupted":
            return "was over before" if not pressed else "went on"
    except KeyboardInterrupt:
        pass
    finally:
        timer.cancel()
    return time.perf_counter() - pressed[0]

def calls(optimizer):
    model = Model(mlp, "cross_entropy", optimizer, engine="native")
    engine, p, s = model._engine, model.training.parameters, model.training.state
    labels = data.targets[0]
    return {
        "predict": lambda: engine.predict(p, s, (rows,)),
        "losses": lambda: engine.losses(p, s, data),
        "gradients": lambda: engine.gradients(p, s, data, training=True, seed=0, step=0),
        "a full batch": lambda: model.fit(rows, labels, batch_size="full", epochs=9, progress=False),
        "L-BFGS": lambda: model.fit(rows, labels, batch_size="auto", epochs=9, progress=False),
        "validation": lambda: model.fit(rows[:9], labels[:9], validation=(rows, labels), progress=False),
    }

name = sys.argv[1]
print(min(delay(calls("lbfgs" if name == "L-BFGS" else "adam")[name]) for _ in range(2)))
"""


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("call", ["predict", "losses", "gradients", "a full batch", "L-BFGS", "validation"])
def test_ctrl_c_ends_every_long_call_within_100_ms(call: str) -> None:
    done = subprocess.run([sys.executable, "-c", LONG_CALLS, call], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.1


@pytest.mark.alone
def test_other_threads_go_on_while_the_core_works() -> None:
    rows, labels = classes(20_000, 20, 3)
    model = Model(NETWORK, "cross_entropy", engine="native")
    counted, over = 0, threading.Event()

    def count() -> None:
        nonlocal counted
        while not over.wait(0.001):
            counted += 1

    other = threading.Thread(target=count)
    other.start()
    begun = time.perf_counter()
    model.fit(rows, labels, epochs=20, batch_size="full", progress=False)
    seconds = time.perf_counter() - begun
    over.set()
    other.join()
    assert counted > 50 * seconds  # it would be one or two for each of the 20 calls


def test_threads_that_train_at_once_do_not_disturb_each_other() -> None:
    rows, labels = classes(2000, 20, 3)

    def train(seed: int, threads: int | None = None) -> Model:
        model = Model(NETWORK, "cross_entropy", seed=seed, threads=threads)
        model.fit(rows, labels, epochs=3, batch_size=100, progress=False)
        return model

    alone = [train(seed) for seed in range(8)]
    together: list[Model | None] = [None] * 8

    def run(seed: int) -> None:
        together[seed] = train(seed, threads=2 if seed % 2 else None)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        assert other is not None
        np.testing.assert_array_equal(one.training.parameters, other.training.parameters)
        np.testing.assert_array_equal(one.predict(rows), other.predict(rows))


def test_one_model_asked_by_several_threads() -> None:
    rows, _ = classes(500, 20, 3)
    model = Model(NETWORK, "cross_entropy", dtype="float64")
    wanted = model.predict(rows)
    wrong = []

    def ask() -> None:
        for i in range(200):
            n = i % 7 + 1
            if not np.array_equal(model.predict(rows[:n]), wanted[:n]):
                wrong.append(i)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_fork_after_training_can_train() -> None:
    """The pool's threads do not live on in a child process; it makes its own."""
    program = """
import os, warnings
import numpy as np
from chainrule import Model, Network
warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)  # that is what this is about
rows = np.random.default_rng(0).normal(size=(400, 20)).astype("float32")
def train():
    model = Model(Network.mlp(20, [64, 64], 3), "squared_error", threads=2)
    model.fit(rows, rows[:, :3], epochs=2, batch_size=200, progress=False)
    return model.training.parameters
first = train()
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(train(), first) else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert _said(program) == "0"


DAEMON = """
import threading, time
import numpy as np
from chainrule import Model, Network
begun = threading.Event()
model = Model(Network.mlp(20, [256, 256], 2), "squared_error", engine="native")
X = np.zeros((5000, 20))
def train():
    model.fit(X, X[:, :2], epochs=10_000, callbacks=lambda record: begun.set(), progress=False)
threading.Thread(target=train, daemon=True).start()
begun.wait()
print("over")
"""


def test_the_end_of_python_says_nothing_of_daemons_that_still_train() -> None:
    """They hold what they will never give back; nanobind would call that leaked."""
    assert _said(DAEMON) == "over"


@pytest.mark.parametrize("name", ["avx512", "avx2", "baseline"])
def test_a_variable_forces_an_instruction_set(name: str) -> None:
    from chainrule import _native

    if name not in _native.instruction_sets():
        pytest.skip(f"this processor has no {name}")
    program = "from chainrule import _native; print(_native.instruction_set())"
    assert _said(program, CHAINRULE_ISA=name) == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "CHAINRULE_ISA",
            r"CHAINRULE_ISA is 'nonsense', .* instruction set .* it may be (\w+, )*baseline, or",
        ),
        ("CHAINRULE_THREADS", "CHAINRULE_THREADS is 'nonsense'; it must be a whole number"),
    ],
)
def test_a_setting_that_means_nothing_is_an_error(name: str, message: str) -> None:
    """Whoever asks: a model of any engine that could use the core, and the command line without a traceback."""
    environment = {**os.environ, name: "nonsense"}
    program = "import chainrule as cr; cr.Model(cr.Network.mlp(2, [], 1), 'squared_error')"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert re.search(f"chainrule.errors.EngineError: {message}", run.stderr), run.stderr
    program = "from chainrule.cli.app import run; run()"
    told = subprocess.run(
        [sys.executable, "-c", program, "info"], capture_output=True, text=True, check=False, env=environment
    )
    assert told.returncode != 0
    assert "Traceback" not in told.stderr
    assert re.search(message, " ".join(told.stderr.split())), told.stderr


def test_a_variable_limits_the_threads() -> None:
    assert _said("from chainrule import _native; print(_native.available_threads())", CHAINRULE_THREADS="1") == "1"


WHICH = """
import logging, numpy as np
logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
from chainrule import Model, Network
for _ in range(2):
    model = Model(Network.mlp(2, [3], 1), "squared_error")
    model.fit(np.eye(2), [0, 1], epochs=1, progress=False)
print(model.engine_)
"""


def test_a_variable_switches_the_core_off() -> None:
    assert _said(WHICH, CHAINRULE_NATIVE="0") == "reference (CHAINRULE_NATIVE=0 switches the native core off)"


def test_without_the_core_the_first_fit_says_so_once() -> None:
    """A None in sys.modules is how Python itself marks a module that can't be had."""
    program = "import sys; sys.modules['chainrule._native'] = None\n" + WHICH
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("reference (the native core isn't there: no C++ compiler was found")
    assert done.stderr.count("WARNING chainrule: training with the reference engine, in NumPy") == 1


def test_the_stub_is_what_the_module_says() -> None:
    """`python -m nanobind.stubgen -m chainrule._native -o src/chainrule/_native.pyi` writes it."""
    stubgen = pytest.importorskip("nanobind.stubgen")
    from chainrule import _native

    generator = stubgen.StubGen(_native)
    generator.put(_native)
    written = (Path(chainrule.__file__).parent / "_native.pyi").read_text(encoding="utf-8")
    assert _bare(written) == _bare(generator.get())


def _bare(text: str) -> list[str]:
    """The words of a stub: how they are wrapped is the formatter's business."""
    return re.sub(r",(?=\s*[)\]])|[\s\"']+", " ", text).split()


def _said(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.strip()

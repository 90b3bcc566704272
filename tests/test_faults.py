"""Kills, full disks and folders that can't be written: no file is lost, and none is left behind."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from problems import regression

import chainrule as cr
from chainrule import atomic

KILLS = 50

# Each child saves, or trains and saves after every epoch, until it is killed at a random moment.
KILLED = """
import os, random, signal, sys, time
import numpy as np, chainrule as cr
what, kills = sys.argv[1], int(sys.argv[2])
chance = random.Random(int(sys.argv[3]))
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 20)).astype("float32")

def model():
    return cr.Model(cr.Network.mlp(20, [100, 100], 1), "squared_error", engine="reference")

def work(made, door):
    os.write(door, b"x")
    if what == "save":
        while True:
            made.save("m.safetensors", training=True)
    if os.path.exists("m.safetensors"):
        made = cr.load("m.safetensors", engine="reference")
    made.fit(X, X[:, 0], epochs=10_000, batch_size=100, resume=True, progress=False,
             callbacks=[cr.Checkpoint("m.safetensors")])

whole = model()
if what == "save":
    whole.save("m.safetensors", training=True)
loads = 0
for kill in range(kills):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        work(whole, writing)
    os.read(reading, 1)
    time.sleep(chance.uniform(0, 0.3))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reading), os.close(writing)
    if os.path.exists("m.safetensors"):
        found = cr.load("m.safetensors", engine="reference")
        loads += 1
        if what == "save":
            assert found.training.parameters.tobytes() == whole.training.parameters.tobytes()
left = [name for name in os.listdir() if name != "m.safetensors"]
print(loads, len(left), found.training.epoch)
"""


def run(program: str, folder: Path, *arguments: object) -> list[str]:
    """What a program says that runs in a folder."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.slow
def test_kills_while_saving(tmp_path: Path) -> None:
    loads, left, _ = run(KILLED, tmp_path, "save", KILLS, 1)
    assert int(loads) == KILLS
    assert int(left) <= 1  # between getting its name and taking the place of the old one, a moment
    cr.load(tmp_path / "m.safetensors").save(tmp_path / "m.safetensors")
    assert os.listdir(tmp_path) == ["m.safetensors"]


@pytest.mark.slow
def test_kills_while_training_with_checkpoints(tmp_path: Path) -> None:
    """Each goes on from the last checkpoint; what was reached at the end is what one run without a kill reaches."""
    loads, left, epochs = map(int, run(KILLED, tmp_path, "fit", KILLS, 2))
    assert loads
    assert left <= 1
    X = np.random.default_rng(0).normal(size=(300, 20)).astype("float32")
    model = cr.Model(cr.Network.mlp(20, [100, 100], 1), "squared_error", engine="reference")
    model.fit(X, X[:, 0], epochs=epochs, batch_size=100, progress=False)
    killed = cr.load(tmp_path / "m.safetensors", engine="reference")
    assert killed.training.parameters.tobytes() == model.training.parameters.tobytes()
    assert killed.history["loss"] == model.history["loss"]
    killed.save(tmp_path / "m.safetensors")
    assert os.listdir(tmp_path) == ["m.safetensors"]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a model in it."""
    folder = tmp_path / "models"
    folder.mkdir()
    model = cr.Model(cr.Network.mlp(3, [4], 1), "squared_error", seed=1)
    model.fit(*regression(), epochs=2)
    model.save(folder / "m.safetensors")
    folder.chmod(0o755)
    return folder


LARGER = """
import sys, chainrule as cr
model = cr.Model(cr.Network.mlp(300, [300], 1), "squared_error")
try:
    model.save("m.safetensors", training=True)
except cr.FileError as error:
    print(error)
else:
    print("saved")
"""
LIMITED = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))" + LARGER


@pytest.mark.parametrize("way", ["_by_link", "_by_name"])
def test_a_file_that_may_not_grow_so_large(way: str, saved: Path) -> None:
    """As a full disk: the write fails in the middle."""
    before = (saved / "m.safetensors").read_bytes()
    program = LIMITED
    if way == "_by_name":
        program = "from chainrule import atomic; atomic._by_link = lambda *_: False\n" + program
    assert " ".join(run(program, saved)) == "can't save to m.safetensors: File too large"
    assert (saved / "m.safetensors").read_bytes() == before
    assert os.listdir(saved) == ["m.safetensors"]


def test_a_full_disk(saved: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None or _call(mount, "-t", "tmpfs", "-o", "size=200k", "none", disk):
        pytest.skip("nothing can be mounted here; RLIMIT_FSIZE stands for it")
    try:
        shutil.copy(saved / "m.safetensors", disk)
        before = (disk / "m.safetensors").read_bytes()
        assert " ".join(run(LARGER, disk)) == "can't save to m.safetensors: No space left on device"
        assert (disk / "m.safetensors").read_bytes() == before
        assert os.listdir(disk) == ["m.safetensors"]
    finally:
        _call("umount", disk)


def test_a_folder_that_may_not_be_written(saved: Path) -> None:
    """Root may write everywhere, so it becomes somebody else for this."""
    if os.geteuid() == 0:
        for folder in (saved, *saved.parents):
            if not os.stat(folder).st_mode & 1:
                folder.chmod(os.stat(folder).st_mode | 0o555)
    saved.chmod(0o555)
    before = (saved / "m.safetensors").read_bytes()
    program = "import os\nif os.geteuid() == 0: os.setuid(65534)\n" + LARGER.replace("import sys, ", "import ")
    try:
        said = run("import sys, chainrule.model, safetensors.numpy\n" + program, saved)
    finally:
        saved.chmod(0o755)
    assert " ".join(said) == "can't save to m.safetensors: Permission denied"
    assert (saved / "m.safetensors").read_bytes() == before
    assert os.listdir(saved) == ["m.safetensors"]


def test_a_limit_is_no_reason_to_leave_something(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, with a name: what was begun is taken away."""
    monkeypatch.setattr(atomic, "_by_link", lambda *_: False)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(cr.FileError, match="File too large"):
            atomic.replace(saved / "m.safetensors", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(saved) == ["m.safetensors"]


def _call(*command: object) -> int:
    return subprocess.run([str(one) for one in command], capture_output=True, check=False).returncode

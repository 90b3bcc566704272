"""Files given as MODEL that are none: each command says so, with exit status 2."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import chainrule as cr
from chainrule import container


@pytest.fixture(params=["predict", "evaluate"])
def complaint(request, run, penguins):
    """The message of the command for a model file."""
    return lambda path: run(request.param, path, penguins).complaint


def test_missing(complaint, model):
    assert complaint("specie.safetensors") == (
        'there is no file specie.safetensors. Did you mean "species.safetensors"?'
    )
    assert complaint("nowhere/m.safetensors") == "there is no file nowhere/m.safetensors."
    assert complaint(".") == ". is a folder, not a file"
    assert complaint("/dev/null") == "/dev/null is a device or a pipe, not a file"
    assert "File name too long" in complaint("m" * 300)


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 9, 100, 0.5, -1])
def test_truncated(complaint, model, kept):
    whole = Path(model).read_bytes()
    length = int(kept * len(whole)) if isinstance(kept, float) else kept
    Path(model).write_bytes(whole[:length])
    assert complaint(model).startswith("species.safetensors is no model, or only a part of one (")


def test_damaged(complaint, model):
    whole = bytearray(Path(model).read_bytes())
    whole[-5] ^= 4
    Path(model).write_bytes(whole)
    assert complaint(model) == (
        "species.safetensors is damaged: it isn't as chainrule wrote it. Take another copy, or train again"
    )


def test_not_ours(complaint, penguins):
    Path(penguins).rename("penguins.safetensors")
    says = "penguins.safetensors is no model, or only a part of one ("
    assert complaint("penguins.safetensors").startswith(says)
    save_file({"x": np.zeros(3)}, "theirs.safetensors")
    assert (
        complaint("theirs.safetensors") == "theirs.safetensors is a .safetensors file, but was not written by chainrule"
    )
    save_file({"x": np.zeros(3)}, "theirs.safetensors", metadata={"format": "pt"})
    assert "was not written by chainrule" in complaint("theirs.safetensors")


def test_newer_than_this_version(complaint):
    header = {"format": container.FORMAT + 1, "version": "9.1.0", "anything": "else"}
    save_file({}, "new.safetensors", metadata={"chainrule": json.dumps(header)})
    assert complaint("new.safetensors") == (
        f"new.safetensors was written by chainrule 9.1.0, in file format {container.FORMAT + 1}; "
        f"this version reads up to {container.FORMAT}: upgrade chainrule"
    )


def test_of_another_kind(complaint):
    container.write("w.safetensors", container.Contents("worksheet", {}, {}), "0.1.0")
    assert complaint("w.safetensors") == 'w.safetensors holds a "worksheet", which this version doesn\'t know'


def test_without_a_table(complaint):
    cr.Model(cr.Network.mlp(2, [], 1), "squared_error").save("net.safetensors")
    assert complaint("net.safetensors") == (
        "net.safetensors holds a network that was trained on arrays, not on a table: it doesn't know what columns "
        "mean. Use it from Python: chainrule.load(path).predict(X)"
    )

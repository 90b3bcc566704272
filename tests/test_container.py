"""The container: all or nothing when it writes, and never in doubt about what it reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save

from chainrule import container
from chainrule.container import Contents
from chainrule.errors import FileError

CONTENTS = Contents(
    "model",
    {"text": "é ☃ \ud800", "numbers": [1, 2.5, -0.0, 1e300], "nothing": None, "nested": {"a": [True, {}]}},
    {
        "w": np.arange(6, dtype=np.float32).reshape(2, 3),
        "d": np.array([np.nan, np.inf, -0.0, 5e-324]),
        "empty": np.zeros((0, 3)),
        "scalar": np.array(7, dtype=np.int64),
        "flags": np.array([True, False]),
    },
)


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def same(first: Contents, second: Contents) -> bool:
    tensors = zip(sorted(first.tensors.items()), sorted(second.tensors.items()), strict=True)
    return (first.kind, first.form) == (second.kind, second.form) and all(
        (name, a.dtype, a.shape, a.tobytes()) == (other, b.dtype, b.shape, b.tobytes())
        for (name, a), (other, b) in tensors
    )


def signed(header: Any) -> bytes:
    """A file with any header, its checksum right where it is one that can have it."""
    if isinstance(header, dict):
        header = json.dumps(header | {"sha256": container._checksum(header, {})})
    return save({}, metadata={"chainrule": header})


def place_of_times(data: bytes) -> tuple[int, int]:
    """Where in a file the tensor of measured times lies."""
    length = int.from_bytes(data[:8], "little")
    begin, end = json.loads(data[8 : 8 + length])["times"]["data_offsets"]
    return 8 + length + begin, 8 + length + end


def without_times(path: str) -> bytes:
    data = Path(path).read_bytes()
    begin, end = place_of_times(data)
    return data[:begin] + data[end:]


def test_round_trip():
    container.write("a.safetensors", CONTENTS, "0.1.0")
    assert same(container.read("a.safetensors"), CONTENTS)
    container.write("empty.safetensors", Contents("model", {}, {}), "0.1.0")
    assert container.read(Path("empty.safetensors")) == Contents("model", {}, {})


def test_arrays_in_any_order_of_memory():
    w = np.arange(12.0).reshape(3, 4)
    container.write("a.safetensors", Contents("model", {}, {"t": w.T, "s": w[:, ::2], "f": np.asfortranarray(w)}), "1")
    read = container.read("a.safetensors").tensors
    for name, expected in {"t": w.T, "s": w[:, ::2], "f": w}.items():
        np.testing.assert_array_equal(read[name], expected)


def test_numbers_of_numpy_become_those_of_json():
    form = {"a": np.float32(0.5), "b": np.int64(3), "c": np.bool_(True), "d": np.float64(2.5)}
    container.write("a.safetensors", Contents("model", form, {}), "0.1.0")
    assert container.read("a.safetensors").form == {"a": 0.5, "b": 3, "c": True, "d": 2.5}
    with pytest.raises(TypeError, match="can't be written as JSON"):
        container.write("a.safetensors", Contents("model", {"a": object()}, {}), "0.1.0")


def test_the_file_is_plain_safetensors():
    container.write("a.safetensors", CONTENTS, "0.1.0")
    with safe_open("a.safetensors", framework="np") as file:
        header = json.loads(file.metadata()["chainrule"])
        np.testing.assert_array_equal(file.get_tensor("w"), CONTENTS.tensors["w"])
    assert (header["format"], header["kind"], header["version"]) == (container.FORMAT, "model", "0.1.0")
    assert header["form"] == CONTENTS.form


def test_the_same_contents_make_the_same_bytes():
    for name in "abcdef":
        container.write(name, CONTENTS, "0.1.0")
    assert len({Path(name).read_bytes() for name in "abcdef"}) == 1


class TestReading:
    def test_what_is_not_there(self):
        container.write("penguins.safetensors", CONTENTS, "0.1.0")
        with pytest.raises(FileError, match=r'^there is no file penguin\.safetensors\. Did you mean "penguins'):
            container.read("penguin.safetensors")
        for path, message in {
            "nowhere/a": r"^there is no file nowhere/a\.$",
            ".": "is a folder, not a file",
            "/dev/null": "is a device or a pipe",
            "a" * 300: "File name too long",
            "~nobody-of-this-name/a": "can't be read",
        }.items():
            with pytest.raises(FileError, match=message):
                container.read(path)
        with pytest.raises(FileError):
            container.read("a\0b")

    @pytest.mark.skipif(not Path("/proc/self/mem").is_file(), reason="needs /proc")
    def test_what_cannot_be_read(self):
        with pytest.raises(FileError, match=r"/proc/self/mem (can't be read|is no model)"):
            container.read("/proc/self/mem")

    def test_what_is_not_ours(self):
        Path("text").write_text("species,island\n" * 100, encoding="utf-8")
        with pytest.raises(FileError, match=r"^text is no model, or only a part of one \("):
            container.read("text")
        Path("theirs").write_bytes(save({"w": np.zeros(2)}, metadata={"format": "pt"}))
        with pytest.raises(FileError, match="was not written by chainrule"):
            container.read("theirs")

    def test_types_that_numpy_has_not(self):
        """A file of PyTorch's in bfloat16 isn't ours; one that says it is ours, is damaged."""
        for metadata, message in (({}, "not written by chainrule"), ({"chainrule": '{"format": 1}'}, "is damaged")):
            tensors = {"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}
            header = json.dumps({"__metadata__": metadata, **tensors}).encode()
            Path("bf16").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 4)
            with pytest.raises(FileError, match=message):
                container.read("bf16")

    @pytest.mark.parametrize(
        "header",
        [
            "", "{", "[]", "null", "1", '"text"', "{}", "NaN", "[" * 100_000, {"format": "1"}, {"format": None},
            {"format": 0}, {"format": -1}, {"format": 1.5}, {"format": True}, {"format": [1]}, {"format": 1},
            {"format": 1, "kind": "model"}, {"format": 1, "form": {}},
        ],
        ids=lambda header: str(header)[:30],
    )  # fmt: skip
    def test_damaged_headers(self, header):
        Path("a").write_bytes(signed(header))
        with pytest.raises(FileError, match=r"^a is damaged: it isn't as chainrule wrote it"):
            container.read("a")

    def test_a_wrong_checksum(self):
        header = {"format": container.FORMAT, "kind": "model", "form": {"a": 1}}
        tensors = {"w": np.zeros(2)}
        right = {"sha256": container._checksum(header, tensors)}
        cases: list[tuple[dict[str, Any], dict[str, np.ndarray]]] = [
            (header, tensors),
            (header | {"sha256": "0" * 64}, tensors),
            (header | {"form": {"a": 2}} | right, tensors),
            (header | right, {"w": np.zeros(2, dtype=np.int64)}),
            (header | right, {"w": np.zeros((1, 2))}),
            (header | right, {"v": np.zeros(2)}),
            (header | right, {"w": np.zeros(2), "v": np.zeros(0)}),
        ]
        for said, arrays in cases:
            Path("a").write_bytes(save(arrays, metadata={"chainrule": json.dumps(said)}))
            with pytest.raises(FileError, match="is damaged"):
                container.read("a")
        Path("a").write_bytes(save(tensors, metadata={"chainrule": json.dumps(header | right, indent=1)}))
        assert container.read("a").form == {"a": 1}

    def test_every_flipped_byte_and_every_length_is_noticed(self):
        """A file is read as it was written, or not at all."""
        container.write("a", Contents("model", {"n": [1, 2]}, {"w": np.arange(4, dtype=np.float32)}), "0.1.0")
        whole = Path("a").read_bytes()
        expected = container.read("a")
        for i in range(len(whole)):
            for mask in (0x01, 0x20, 0x80):
                damaged = bytearray(whole)
                damaged[i] ^= mask
                _read_or_refused(bytes(damaged), expected)
        for length in range(len(whole)):
            with pytest.raises(FileError):
                _read_or_refused(whole[:length], None)
        for extra in (b"\0", b"x" * 100):
            with pytest.raises(FileError):
                _read_or_refused(whole + extra, None)


def _read_or_refused(data: bytes, expected: Contents | None) -> None:
    Path("b").write_bytes(data)
    try:
        found = container.read("b")
    except FileError:
        if expected is None:
            raise
    else:
        assert expected is not None
        assert same(found, expected)


class TestFormats:
    def test_newer_files_are_refused_by_name(self):
        """Also where its checksum, or anything besides the format, is made in another way."""
        header = json.dumps({"format": container.FORMAT + 1, "version": "3.0.0"})
        Path("a").write_bytes(save({}, metadata={"chainrule": header}))
        with pytest.raises(FileError) as caught:
            container.read("a")
        assert str(caught.value) == (
            f"a was written by chainrule 3.0.0, in file format {container.FORMAT + 1}; "
            f"this version reads up to {container.FORMAT}: upgrade chainrule"
        )

    def test_old_files_go_through_each_upgrade(self, monkeypatch):
        monkeypatch.setattr(container, "FORMAT", 1)
        container.write("a", Contents("model", {"units": 3}, {"w": np.ones(2)}), "0.1.0")
        monkeypatch.setattr(container, "FORMAT", 3)
        monkeypatch.setitem(container.UPGRADES, 1, lambda _, form, tensors: ({"size": form["units"]}, tensors))
        monkeypatch.setitem(
            container.UPGRADES, 2, lambda kind, form, tensors: ({"sizes": [form["size"]]}, tensors | {kind: np.ones(1)})
        )
        read = container.read("a")
        assert read.form == {"sizes": [3]}
        np.testing.assert_array_equal(read.tensors["w"], np.ones(2))
        assert set(read.tensors) == {"w", "model"}
        container.write("b", Contents("model", {"sizes": [4]}, {}), "0.3.0")
        assert container.read("b").form == {"sizes": [4]}

    def test_an_upgrade_that_cannot_be_made(self, monkeypatch):
        container.write("a", Contents("model", {}, {}), "0.1.0")
        step = container.FORMAT
        monkeypatch.setattr(container, "FORMAT", step + 1)
        with pytest.raises(FileError, match="is damaged"):
            container.read("a")
        monkeypatch.setitem(container.UPGRADES, step, lambda _, form, tensors: (form["nothing of this name"], tensors))
        with pytest.raises(FileError, match="is damaged"):
            container.read("a")


class TestTimes:
    """They are measured, so they are out of the checksum; and still no damage to them stays unseen."""

    @pytest.fixture
    def contents(self) -> Contents:
        return Contents("model", {}, {"w": np.ones(2), "times": np.array([[0.25, 1.5], [-0.25, -1.5]])})

    def test_nothing_but_the_times_differs(self, contents):
        container.write("a", contents, "1")
        others = Contents("model", {}, contents.tensors | {"times": contents.tensors["times"] * 3})
        container.write("b", others, "1")
        assert without_times("a") == without_times("b")
        assert Path("a").read_bytes() != Path("b").read_bytes()
        assert same(container.read("b"), others)

    def test_times_that_do_not_agree_are_damage(self, contents):
        container.write("a", contents, "1")
        whole = Path("a").read_bytes()
        begin, end = place_of_times(whole)
        for i in range(begin, end):
            for bit in range(8):
                damaged = bytearray(whole)
                damaged[i] ^= 1 << bit
                Path("a").write_bytes(damaged)
                with pytest.raises(FileError, match="is damaged"):
                    container.read("a")
        for times in (np.ones(3), np.ones((2, 3), np.float32), np.full((2, 1), np.nan), np.ones((3, 2))):
            container.write("a", Contents("model", {}, {"times": times}), "1")
            with pytest.raises(FileError, match="is damaged"):
                container.read("a")

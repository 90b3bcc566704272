"""`chainrule params`, the weight calculator, and `chainrule info`."""

from __future__ import annotations

import platform
from itertools import pairwise

import pytest

import chainrule as cr


def test_params_by_layer(run):
    result = run("params", "5-4-3-2-1")
    assert (result.status, result.err) == (0, "")
    assert [line.split() for line in result.out.splitlines()] == [
        ["layer", "arithmetic", "weights", "biases", "total"],
        ["─" * 48],
        ["hidden_1", "5", "x", "4", "+", "4", "20", "4", "24"],
        ["hidden_2", "4", "x", "3", "+", "3", "12", "3", "15"],
        ["hidden_3", "3", "x", "2", "+", "2", "6", "2", "8"],
        ["output", "2", "x", "1", "+", "1", "2", "1", "3"],
        [],
        ["all", "40", "10", "50"],
        ["without", "biases", "40,", "with", "biases", "50"],
    ]


def test_params_json(run):
    assert run("params", "784-100-10", "--json").json == {
        "network": "784-100-10",
        "layers": [
            {"layer": "hidden", "weights": 78_400, "biases": 100, "total": 78_500},
            {"layer": "output", "weights": 1_000, "biases": 10, "total": 1_010},
        ],
        "weights": 79_400,
        "biases": 110,
        "total": 79_510,
    }


@pytest.mark.parametrize("text", ["2-1", "5,4,3", "5-4-3-2-1", "1-" * 30 + "1", f"{10**25}-{10**25}"])
def test_params_of_any_network(run, text):
    sizes = [int(n) for n in text.replace(",", "-").split("-")]
    report = run("params", text, "--json").json
    assert report["weights"] == sum(a * b for a, b in pairwise(sizes))
    assert report["total"] == report["weights"] + sum(sizes[1:])
    assert f"with biases {report['total']:,}" in run("params", text).out


@pytest.mark.parametrize("text", ["5", "", "5-", "5-0-1", "5-x", "5x4", "4.5-2", "5--4", "[red]-2"])
def test_params_of_no_network(run, text):
    assert run("params", text).complaint == (
        f'"{text}" is no network; give the sizes of at least two layers, as in 5-4-3-2-1'
    )


def test_info(run):
    result = run("info")
    assert (result.status, result.err) == (0, "")
    said = {line[:16].strip(): line[16:].strip() for line in result.out.splitlines()}
    assert said["chainrule"] == cr.__version__
    assert said["python"] == platform.python_version()
    assert "engine reference" in result.out
    assert "engine native" in result.out
    for library in ("numpy", "safetensors", "polars", "typer"):
        assert said[library][0].isdigit()


def test_info_json(run):
    report = run("info", "--json").json
    assert report["chainrule"] == cr.__version__
    assert set(report["engines"]) == {"reference", "native", "auto"}
    assert report["cores"] >= 1
    assert report["processor"]


def test_a_library_that_is_not_there(run, monkeypatch):
    monkeypatch.setattr("chainrule.cli.info.LIBRARIES", ("no-such-library",))
    assert run("info", "--json").json["libraries"] == {"no-such-library": "not installed"}


def test_version(run):
    assert run("--version").out == f"chainrule {cr.__version__}\n"

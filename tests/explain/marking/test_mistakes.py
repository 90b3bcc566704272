"""Every mistake that marking knows, made once by hand: its code is the first diagnosis."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from chainrule import SGD, Adam, Dense, Input, Model, Network
from chainrule.explain.derivation import Derivation
from chainrule.explain.marking.diagnosis import CATALOGUE
from chainrule.explain.marking.mistakes import special_layers


def two_two_one(loss: object = "binary_cross_entropy", y: float = 1.0, **options: object) -> Derivation:
    """The lecture's step: x = (0.5, 0.8), two sigmoid units, one sigmoid output."""
    net = Network.mlp(2, [2], 1, activation="sigmoid", output="sigmoid")
    model = Model(net, loss, **{"optimizer": SGD(0.1), "dtype": "float64", **options})
    model.set_parameters(
        {"hidden": {"W": [[0.2, 0.4], [0.3, 0.7]], "b": [0.1, 0.2]}, "output": {"W": [[0.5], [0.6]], "b": [0.3]}}
    )
    return model.explain([0.5, 0.8], y)


def two_two_two() -> Derivation:
    """The practice problem: half squared error, two outputs, rate 0.5."""
    net = Network.mlp(2, [2], 2, activation="sigmoid", output="sigmoid")
    model = Model(net, "half_squared_error", SGD(0.5), dtype="float64")
    model.set_parameters(
        {
            "hidden": {"W": [[0.15, 0.25], [0.20, 0.30]], "b": [0.35] * 2},
            "output": {"W": [[0.40, 0.50], [0.45, 0.55]], "b": [0.60] * 2},
        }
    )
    return model.explain([0.05, 0.10], [0.01, 0.99])


def three_rows() -> Derivation:
    model = Model(Network.mlp(1, [], 1), "squared_error", SGD(0.1), dtype="float64")
    model.set_parameters({"output": {"W": [[0.7]], "b": [0.2]}})
    return model.explain([[1.0], [2.0], [-1.0]], [1.0, 0.5, 2.0])


def three_classes() -> Derivation:
    net = Network([Input(2), Dense(3, activation="softmax", name="output")])
    model = Model(net, "cross_entropy", SGD(0.1), dtype="float64")
    model.set_parameters({"output": {"W": [[0.3, 0.8, 1.1], [0.5, 0.2, 0.4]], "b": [0.1, 0.2, 0.3]}})
    return model.explain([1.0, 2.0], 2)


def with_adam(epsilon: float = 0.1) -> Derivation:
    return two_two_one(optimizer=Adam(0.05, epsilon=epsilon))


Value = Callable[[str], float]
LOG10 = math.log(10)
CASES: list[tuple[str, Callable[[], Derivation], str, Callable[[Value], float]]] = [
    ("sign-flipped", two_two_one, "z[hidden,1]", lambda v: -0.44),
    ("sign-flipped", two_two_one, "dL/dW[hidden,2,2]", lambda v: -0.8 * v("dL/dz[hidden,2]")),
    ("activation-missing", two_two_one, "h[hidden,1]", lambda v: 0.44),
    ("pre-activation-used", two_two_one, "z[output,1]", lambda v: 0.5 * 0.44 + 0.6 * 0.96 + 0.3),
    ("bias-missing", two_two_one, "z[hidden,2]", lambda v: 0.4 * 0.5 + 0.7 * 0.8),
    ("input-missing", two_two_one, "dL/dW[hidden,1,1]", lambda v: v("dL/dz[hidden,1]")),
    ("weights-transposed", two_two_one, "z[hidden,1]", lambda v: 0.2 * 0.5 + 0.4 * 0.8 + 0.1),
    ("weights-transposed", two_two_two, "dL/dh[hidden,1]",
     lambda v: v("dL/dz[output,1]") * 0.40 + v("dL/dz[output,2]") * 0.45),
    ("delta-for-output-gradient", two_two_one, "dL/dh[output,1]", lambda v: v("dL/dz[output,1]")),
    ("output-gradient-for-delta", two_two_one, "dL/dz[output,1]", lambda v: v("dL/dh[output,1]")),
    ("activation-derivative-missing", two_two_one, "dL/dz[hidden,1]", lambda v: v("dL/dh[hidden,1]")),
    ("activation-derivative-repeated", two_two_one, "dL/dz[hidden,1]",
     lambda v: v("dL/dh[hidden,1]") * v("dh/dz[hidden,1]") ** 2),
    ("activation-derivative-at-z", two_two_one, "dL/dz[hidden,1]", lambda v: v("dL/dh[hidden,1]") * 0.44 * (1 - 0.44)),
    ("path-missing", two_two_two, "dL/dh[hidden,1]", lambda v: v("dL/dz[output,1]") * 0.40),
    ("path-missing", two_two_one, "dL/dx[2]", lambda v: v("dL/dz[hidden,2]") * 0.7),
    ("updated-weight-used", two_two_one, "dL/dh[hidden,1]", lambda v: v("dL/dz[output,1]") * v("W+[output,1,1]")),
    ("target-output-swapped", lambda: two_two_one(y=0.2), "loss[1]",
     lambda v: -(v("h[output,1]") * math.log(0.2) + (1 - v("h[output,1]")) * math.log(0.8))),
    ("log-base", two_two_one, "loss[1]", lambda v: v("loss[1]") / LOG10),
    ("log-base", two_two_one, "L", lambda v: v("L") / math.log(2)),
    ("factor-two", two_two_two, "loss[1]", lambda v: 2 * v("loss[1]")),
    ("factor-two", two_two_two, "dL/dh[output,2]", lambda v: 2 * v("dL/dh[output,2]")),
    ("mean-sum-confused", three_rows, "L", lambda v: 3 * v("L")),
    ("mean-sum-confused", three_rows, "dL/dW[output,1,1]", lambda v: 3 * v("dL/dW[output,1,1]")),
    ("penalty-missing", lambda: two_two_one(l2=0.05), "L", lambda v: v("loss[1]")),
    ("penalty-missing", lambda: two_two_one(l1=0.02), "dL/dW[hidden,1,1]", lambda v: v("dL/dz[hidden,1]") * 0.5),
    ("softmax-without-exp", three_classes, "h[output,2]",
     lambda v: v("z[output,2]") / sum(v(f"z[output,{j}]") for j in (1, 2, 3))),
    ("learning-rate-missing", two_two_one, "W+[output,1,1]", lambda v: 0.5 - v("dL/dW[output,1,1]")),
    ("gradient-ascent", two_two_one, "b+[output,1]", lambda v: 0.3 + 0.1 * v("dL/db[output,1]")),
    ("bias-correction-missing", with_adam, "W+[output,1,1]",
     lambda v: 0.5 - 0.05 * 0.1 * (g := v("dL/dW[output,1,1]")) / (math.sqrt(0.001 * g * g) + 0.1)),
    ("epsilon-inside-root", with_adam, "W+[output,1,1]",
     lambda v: 0.5 - 0.05 * (g := v("dL/dW[output,1,1]")) / math.sqrt(g * g + 0.1)),
    ("other-loss", two_two_one, "loss[1]", lambda v: (v("h[output,1]") - 1) ** 2),
    ("other-loss", two_two_one, "dL/dh[output,1]", lambda v: 2 * (v("h[output,1]") - 1)),
    ("arithmetic", two_two_one, "z[hidden,1]", lambda v: 0.4533),
]  # fmt: skip


@pytest.mark.parametrize(("code", "derive", "name", "value"), CASES, ids=[f"{case[0]} in {case[2]}" for case in CASES])
def test_the_mistake_made_is_the_first_diagnosis(
    code: str, derive: Callable[[], Derivation], name: str, value: Callable[[Value], float]
) -> None:
    work = derive()
    marks = work.mark({name: f"{value(lambda n: work[n].value):.8g}"})
    assert marks.first_wrong == name
    assert marks[name].diagnosis.code == code, (marks[name].diagnosis, work[name].value)


@pytest.mark.parametrize(("code", "derive", "name", "value"), CASES, ids=[f"{case[0]} in {case[2]}" for case in CASES])
def test_amid_other_entries_too(
    code: str, derive: Callable[[], Derivation], name: str, value: Callable[[Value], float]
) -> None:
    """Everything else written down rightly before it, to eight digits."""
    work = derive()
    wrong = value(lambda n: work[n].value)
    entries = {}
    for quantity in work:
        entries[str(quantity.name)] = f"{wrong if str(quantity.name) == name else quantity.value:.8g}"
        if str(quantity.name) == name:
            break
    marks = work.mark(entries)
    assert marks.first_wrong == name
    assert marks[name].diagnosis.code == code, marks[name].diagnosis
    assert marks.counts["wrong"] == 1


def test_every_code_is_made_once() -> None:
    of_layers = {code for code, mistake in CATALOGUE.items() if mistake.made.__module__ == special_layers.__name__}
    assert {case[0] for case in CASES} == {*CATALOGUE, "arithmetic"} - of_layers  # see test_special_layers


def test_two_mistakes_that_give_one_number_are_both_listed() -> None:
    """With two rows a sum in place of a mean is a factor of two."""
    model = Model(Network.mlp(1, [], 1), "squared_error", SGD(0.1), dtype="float64")
    model.set_parameters({"output": {"W": [[0.7]], "b": [0.2]}})
    work = model.explain([[1.0], [2.0]], [1.0, 0.5])
    found = work.mark({"L": f"{2 * work['L'].value:.8g}"})["L"].diagnosis
    assert {found.code, *found.also} >= {"factor-two", "mean-sum-confused"}

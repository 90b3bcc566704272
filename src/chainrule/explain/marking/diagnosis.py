"""What went wrong in a wrong entry: the mistakes that give the number that was written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from chainrule.explain.graph import Graph
from chainrule.explain.marking.digits import Written, agreement
from chainrule.explain.marking.mistakes import CATALOGUE, Attempt
from chainrule.explain.marking.verdicts import Judge
from chainrule.explain.names import Name
from chainrule.explain.numbers import shown
from chainrule.explain.spread import Spread

DEPTH = 24  # unwritten quantities behind an entry in which a mistake is looked for

TEXTS = {
    "sign-flipped": "the size is right, the sign is not",
    "activation-missing": "this is z: the activation was left out",
    "pre-activation-used": "z was taken where h belongs",
    "bias-missing": "the bias was left out",
    "input-missing": "this is dL/dz: the factor dz/dW, the input of the weight, was left out",
    "weights-transposed": "W was read across: rows and columns are exchanged",
    "delta-for-output-gradient": "this is dL/dz of the output, not dL/dh: dh/dz is already in it",
    "output-gradient-for-delta": "this is dL/dh of the output: the factor dh/dz was left out",
    "activation-derivative-missing": "the factor dh/dz was left out",
    "activation-derivative-repeated": "the factor dh/dz was applied twice",
    "activation-derivative-at-z": "the derivative of the activation was taken at the wrong place (f'(h), or z for h)",
    "path-missing": "one or more of the paths that are to be summed were left out",
    "updated-weight-used": "the weight after the update was used; back-propagation takes the one before",
    "target-output-swapped": "target and output are exchanged: y - h for h - y",
    "log-base": "the logarithm is to another base; the loss takes the natural one",
    "factor-two": "a factor of 2 is too many or too few",
    "mean-sum-confused": "a mean was taken for a sum, or a sum for a mean",
    "penalty-missing": "the penalty on the weights was left out",
    "softmax-without-exp": "z was divided by the sum of z, without exp",
    "learning-rate-missing": "the learning rate was left out",
    "gradient-ascent": "the step was added; descent subtracts it",
    "bias-correction-missing": "the correction of the running means for their start was left out",
    "epsilon-inside-root": "epsilon was put under the root; it stands beside it",
    "other-loss": "this is right for another loss",
    "head-weight-missing": "the weight with which this head's loss counts was left out",
    "dropout-scale-missing": "kept units were not divided by the share that dropout keeps",
    "mask-missing": "this unit is silent in this step: dropout's mask was left out",
    "normalization-missing": "batch normalization was left out",
    "statistics-taken-as-fixed": "mean and variance of the batch depend on x too: that part was left out",
    "unbiased-variance": "the variance was divided by n - 1; batch normalization divides by n",
}


@dataclass(frozen=True)
class Diagnosis:
    """The mistake that a wrong entry shows, and others that would give the same number within the digits written."""

    code: str
    text: str
    also: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {"code": self.code, "text": self.text, "also": list(self.also)}


def diagnose(judge: Judge, name: Name, symbol: Callable[[Name], str] = str) -> Diagnosis:
    """The mistakes that explain an entry, in the catalogue's order; those made in the entry itself come first.

    Arguments:
        symbol: how to call the quantity in which a mistake was made, where that is not the entry itself.
    """
    written = judge.entries[name]
    if not isinstance(judge.graph, Graph):  # the catalogue is of the mistakes that networks invite
        return Diagnosis("arithmetic", _off_by(judge, name, written))
    if any(agreement(written, spread) for _, _, spread in judge.recomputed(name)):  # wrong by the guard alone
        return Diagnosis(
            "arithmetic",
            "a wrong 0 before it wipes the calculation out, so this 0 shows nothing of the method: off by "
            f"{shown(written.value - judge.graph.value(name), 3)} ({shown(judge.graph.value(name), 4)} would be right)",
        )
    found: dict[str, Name] = {}
    for attempts in (_own_attempts(judge, name), _hidden_attempts(judge, name)):
        near: dict[str, Name] = {}
        for code, how, place in _matches(written, list(attempts)):
            (found if how == "exact" else near).setdefault(code, place)
        found |= {code: place for code, place in near.items() if code not in found}
        if found:
            break
    if not found:
        return Diagnosis("arithmetic", _off_by(judge, name, written))
    first, *also = found
    text = TEXTS[first]
    if found[first] != name:
        text = f"there may be a mistake in {symbol(found[first])}, which is not written down: {text}"
    return Diagnosis(first, text, tuple(also))


Results = list[tuple[str, Spread, Name]]


def _matches(written: Written, results: Results) -> Iterator[tuple[str, str, Name]]:
    order = {code: i for i, code in enumerate(CATALOGUE)}
    for code, spread, place in sorted(results, key=lambda result: order[result[0]]):
        if math.isfinite(spread.low) and math.isfinite(spread.high):
            how = agreement(written, spread)
            if how is not None:
                yield code, how, place


def _own_attempts(judge: Judge, name: Name) -> Iterator[tuple[str, Spread, Name]]:
    """The entry with one mistake made in it, by every route."""
    graph = judge.graph
    assert isinstance(graph, Graph)
    for view in judge.views:
        for recipe in graph.recipes(name):
            attempt = Attempt(graph, name, view, recipe)
            with np.errstate(all="ignore"):
                for code, mistake in CATALOGUE.items():
                    for spread in mistake(attempt):
                        yield code, spread, name


def _hidden_attempts(judge: Judge, name: Name) -> Iterator[tuple[str, Spread, Name]]:
    """The entry with one mistake made in something before it that was not written down."""
    view, graph = judge.views[0], judge.graph
    assert isinstance(graph, Graph)
    for recipe in graph.recipes(name):
        for hidden in view.unwritten(recipe, DEPTH):
            attempt = Attempt(graph, hidden, view, view.recipe(hidden))
            with np.errstate(all="ignore"):
                for code, mistake in CATALOGUE.items():
                    for spread in mistake(attempt):
                        yield code, recipe.carry(view.trying({hidden: spread}).lookup), hidden


def _off_by(judge: Judge, name: Name, written: Written) -> str:
    right = next((spread.point for _, _, spread in judge.recomputed(name)), judge.graph.value(name))
    difference = written.value - right
    text = f"arithmetic: off by {shown(difference, 3)} ({shown(right, 4)} would be right)"
    if right:
        text += f", {shown(100 * difference / abs(right), 3)} %"
    return text

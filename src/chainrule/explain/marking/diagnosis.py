"""What went wrong in a wrong entry: the mistakes that give the number that was written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from chainrule.explain.formula.writer import shown
from chainrule.explain.marking.digits import Written, agreement
from chainrule.explain.marking.mistakes import ends, passes, special_layers
from chainrule.explain.marking.mistakes.attempt import Attempt, Mistake
from chainrule.explain.marking.verdicts import Judge
from chainrule.explain.network.graph import Graph
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.rounding import Spread

DEPTH = 24  # unwritten quantities behind an entry in which a mistake is looked for

# Each mistake is a function in the file of the place where it is made: it yields what somebody would get who makes it
# in that kind of quantity, and nothing where it can't be made. Its name is its code; diagnoses are given in this order.
CATALOGUE: dict[str, Mistake] = {
    made.__name__.replace("_", "-"): Mistake(text, made)
    for made, text in (
        (passes.sign_flipped, "the size is right, the sign is not"),
        (passes.activation_missing, "this is z: the activation was left out"),
        (passes.pre_activation_used, "z was taken where h belongs"),
        (passes.bias_missing, "the bias was left out"),
        (passes.input_missing, "this is dL/dz: the factor dz/dW, the input of the weight, was left out"),
        (special_layers.derivative_by_parameter_missing,
         "this is the gradient by the unit: its derivative by the parameter was left out"),
        (passes.weights_transposed, "W was read across: rows and columns are exchanged"),
        (passes.delta_for_output_gradient, "this is dL/dz of the output, not dL/dh: dh/dz is already in it"),
        (passes.output_gradient_for_delta, "this is dL/dh of the output: the factor dh/dz was left out"),
        (passes.activation_derivative_missing, "the factor dh/dz was left out"),
        (passes.activation_derivative_repeated, "the factor dh/dz was applied twice"),
        (passes.activation_derivative_at_z,
         "the derivative of the activation was taken at the wrong place (f'(h), or z for h)"),
        (passes.path_missing, "one or more of the paths that are to be summed were left out"),
        (passes.updated_weight_used, "the weight after the update was used; back-propagation takes the one before"),
        (ends.target_output_swapped, "target and output are exchanged: y - h for h - y"),
        (ends.log_base, "the logarithm is to another base; the loss takes the natural one"),
        (ends.factor_two, "a factor of 2 is too many or too few"),
        (ends.mean_sum_confused, "a mean was taken for a sum, or a sum for a mean"),
        (ends.penalty_missing, "the penalty on the weights was left out"),
        (passes.softmax_without_exp, "z was divided by the sum of z, without exp"),
        (ends.learning_rate_missing, "the learning rate was left out"),
        (ends.gradient_ascent, "the step was added; descent subtracts it"),
        (ends.bias_correction_missing, "the correction of the running means for their start was left out"),
        (ends.epsilon_inside_root, "epsilon was put under the root; it stands beside it"),
        (ends.other_loss, "this is right for another loss"),
        (special_layers.head_weight_missing, "the weight with which this head's loss counts was left out"),
        (special_layers.dropout_scale_missing, "kept units were not divided by the share that dropout keeps"),
        (special_layers.mask_missing, "this unit is silent in this step: dropout's mask was left out"),
        (special_layers.normalization_missing, "batch normalization was left out"),
        (special_layers.statistics_taken_as_fixed,
         "mean and variance of the batch depend on x too: that part was left out"),
        (special_layers.unbiased_variance, "the variance was divided by n - 1; batch normalization divides by n"),
    )
}  # fmt: skip


def made_in(attempt: Attempt) -> Iterator[tuple[str, Spread]]:
    """What a quantity would be with each mistake made in it."""
    with np.errstate(all="ignore"):
        for code, mistake in CATALOGUE.items():
            for spread in mistake.made(attempt):
                yield code, spread


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
    if not judge.graph.recipes(name):
        return Diagnosis("arithmetic", "this is given in the exercise, and was copied wrongly")
    if not isinstance(judge.graph, Graph):  # the catalogue is of the mistakes that networks invite
        return Diagnosis("arithmetic", _off_by(judge, name, written))
    if any(agreement(written, spread) for _, _, spread in judge.recomputed(name)):  # wrong by the guard alone
        return Diagnosis(
            "arithmetic",
            "a wrong 0 before it wipes the calculation out, so this 0 shows nothing of the method: off by "
            f"{shown(written.value - judge.exact[name], 3)} ({shown(judge.exact[name], 4)} would be right)",
        )
    found: dict[str, Name] = {}
    order = list(CATALOGUE)
    for attempts in (_own_attempts(judge, name), _hidden_attempts(judge, name)):
        matches = [
            (agreement(written, spread), code, place)
            for code, spread, place in sorted(attempts, key=lambda attempt: order.index(attempt[0]))
            if math.isfinite(spread.low) and math.isfinite(spread.high)
        ]
        for exactly in (True, False):
            for how, code, place in matches:
                if how is not None and (how == "exact") == exactly:
                    found.setdefault(code, place)
        if found:
            break
    if not found:
        return Diagnosis("arithmetic", _off_by(judge, name, written))
    first, *also = found
    text = CATALOGUE[first].text
    if found[first] != name:
        text = f"there may be a mistake in {symbol(found[first])}, which is not written down: {text}"
    return Diagnosis(first, text, tuple(also))


def _own_attempts(judge: Judge, name: Name) -> Iterator[tuple[str, Spread, Name]]:
    """The entry with one mistake made in it, by every route."""
    assert isinstance(judge.graph, Graph)
    for view in judge.views:
        for recipe in judge.graph.recipes(name):
            yield from ((code, spread, name) for code, spread in made_in(Attempt(judge.graph, name, view, recipe)))


def _hidden_attempts(judge: Judge, name: Name) -> Iterator[tuple[str, Spread, Name]]:
    """The entry with one mistake made in something before it that was not written down."""
    view, graph = judge.views[0], judge.graph
    assert isinstance(graph, Graph)
    for recipe in graph.recipes(name):
        for hidden, before in view.unwritten(recipe, DEPTH).items():
            for code, spread in made_in(Attempt(graph, hidden, view, before)):
                yield code, view.trying({hidden: spread}).carried(recipe), hidden


def _off_by(judge: Judge, name: Name, written: Written) -> str:
    right = next((spread.point for _, _, spread in judge.recomputed(name)), judge.exact[name])
    difference = written.value - right
    text = f"arithmetic: off by {shown(difference, 3)} ({shown(right, 4)} would be right)"
    if right:
        text += f", {shown(100 * difference / abs(right), 3)} %"
    return text

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
from chainrule.explain.quantities.recipes import Spread

DEPTH = 24  # unwritten quantities behind an entry in which a mistake is looked for

# Each mistake is a function in the file of the place where it is made: it yields what somebody would get who makes it
# in that kind of quantity, and nothing where it can't be made. Its name is its code, its docstring what diagnoses say
# (its name again where Python was told to leave docstrings out); they are given in this order.
CATALOGUE: dict[str, Mistake] = {
    made.__name__.replace("_", "-"): Mistake(" ".join((made.__doc__ or made.__name__.replace("_", " ")).split()), made)
    for made in (
        passes.sign_flipped, passes.activation_missing, passes.pre_activation_used, passes.bias_missing,
        passes.input_missing, special_layers.derivative_by_parameter_missing, passes.weights_transposed,
        passes.delta_for_output_gradient, passes.output_gradient_for_delta, passes.activation_derivative_missing,
        passes.activation_derivative_repeated, passes.activation_derivative_at_z, passes.path_missing,
        passes.updated_weight_used, ends.target_output_swapped, ends.log_base, ends.factor_two, ends.mean_sum_confused,
        ends.penalty_missing, passes.softmax_without_exp, ends.learning_rate_missing, ends.gradient_ascent,
        ends.bias_correction_missing, ends.epsilon_inside_root, ends.other_loss, special_layers.head_weight_missing,
        special_layers.dropout_scale_missing, special_layers.mask_missing, special_layers.normalization_missing,
        special_layers.statistics_taken_as_fixed, special_layers.unbiased_variance,
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

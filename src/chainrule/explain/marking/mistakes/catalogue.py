"""Mistakes that people make: a quantity recomputed with one of them made, from the writer's own entries.

Each is a function of its own, in the file of the place where it is made: it yields what somebody would get who makes it
in that kind of quantity, and nothing where it can't be made. `CATALOGUE` says each in a sentence, in the order in which
diagnoses are given.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.explain.marking.mistakes import anywhere, backward, forward, loss, special_layers, update
from chainrule.explain.marking.mistakes.attempt import Attempt, Mistake
from chainrule.explain.quantities.rounding import Spread

CATALOGUE: dict[str, Mistake] = {
    mistake.code: mistake
    for mistake in (
        Mistake("sign-flipped", "the size is right, the sign is not", anywhere.sign_flipped),
        Mistake("activation-missing", "this is z: the activation was left out", forward.activation_missing),
        Mistake("pre-activation-used", "z was taken where h belongs", anywhere.pre_activation_used),
        Mistake("bias-missing", "the bias was left out", forward.bias_missing),
        Mistake("input-missing",
                "this is dL/dz: the factor dz/dW, the input of the weight, was left out", backward.input_missing),
        Mistake("derivative-by-parameter-missing",
                "this is the gradient by the unit: its derivative by the parameter was left out",
                special_layers.derivative_by_parameter_missing),
        Mistake("weights-transposed", "W was read across: rows and columns are exchanged", anywhere.weights_transposed),
        Mistake("delta-for-output-gradient",
                "this is dL/dz of the output, not dL/dh: dh/dz is already in it", backward.delta_for_output_gradient),
        Mistake("output-gradient-for-delta",
                "this is dL/dh of the output: the factor dh/dz was left out", backward.output_gradient_for_delta),
        Mistake("activation-derivative-missing",
                "the factor dh/dz was left out", backward.activation_derivative_missing),
        Mistake("activation-derivative-repeated",
                "the factor dh/dz was applied twice", backward.activation_derivative_repeated),
        Mistake("activation-derivative-at-z",
                "the derivative of the activation was taken at the wrong place (f'(h), or z for h)",
                backward.activation_derivative_at_z),
        Mistake("path-missing", "one or more of the paths that are to be summed were left out", backward.path_missing),
        Mistake("updated-weight-used",
                "the weight after the update was used; back-propagation takes the one before",
                backward.updated_weight_used),
        Mistake("target-output-swapped",
                "target and output are exchanged: y - h for h - y", loss.target_output_swapped),
        Mistake("log-base", "the logarithm is to another base; the loss takes the natural one", loss.log_base),
        Mistake("factor-two", "a factor of 2 is too many or too few", loss.factor_two),
        Mistake("mean-sum-confused", "a mean was taken for a sum, or a sum for a mean", loss.mean_sum_confused),
        Mistake("penalty-missing", "the penalty on the weights was left out", loss.penalty_missing),
        Mistake("softmax-without-exp", "z was divided by the sum of z, without exp", forward.softmax_without_exp),
        Mistake("learning-rate-missing", "the learning rate was left out", update.learning_rate_missing),
        Mistake("gradient-ascent", "the step was added; descent subtracts it", update.gradient_ascent),
        Mistake("bias-correction-missing",
                "the correction of the running means for their start was left out", update.bias_correction_missing),
        Mistake("epsilon-inside-root",
                "epsilon was put under the root; it stands beside it", update.epsilon_inside_root),
        Mistake("other-loss", "this is right for another loss", loss.other_loss),
        Mistake("head-weight-missing",
                "the weight with which this head's loss counts was left out", special_layers.head_weight_missing),
        Mistake("dropout-scale-missing",
                "kept units were not divided by the share that dropout keeps", special_layers.dropout_scale_missing),
        Mistake("mask-missing",
                "this unit is silent in this step: dropout's mask was left out", special_layers.mask_missing),
        Mistake("normalization-missing", "batch normalization was left out", special_layers.normalization_missing),
        Mistake("statistics-taken-as-fixed",
                "mean and variance of the batch depend on x too: that part was left out",
                special_layers.statistics_taken_as_fixed),
        Mistake("unbiased-variance",
                "the variance was divided by n - 1; batch normalization divides by n",
                special_layers.unbiased_variance),
    )
}  # fmt: skip


def made_in(attempt: Attempt) -> Iterator[tuple[str, Spread]]:
    """What a quantity would be with each mistake made in it."""
    with np.errstate(all="ignore"):
        for mistake in CATALOGUE.values():
            for spread in mistake.made(attempt):
                yield mistake.code, spread

"""Mistakes that people make: a quantity recomputed with one of them made, from the writer's own entries.

Each is a function of its own, in the file of the place where it is made: it yields what somebody would get who makes it
in that kind of quantity, and nothing where it can't be made. `CATALOGUE` lists them in the order in which diagnoses are
given, `TEXTS` says each in a sentence.
"""

from __future__ import annotations

from chainrule.explain.marking.mistakes.anywhere import (
    pre_activation_used,
    sign_flipped,
    weights_transposed,
)
from chainrule.explain.marking.mistakes.attempt import Mistake
from chainrule.explain.marking.mistakes.backward import (
    activation_derivative_at_z,
    activation_derivative_missing,
    activation_derivative_repeated,
    delta_for_output_gradient,
    input_missing,
    output_gradient_for_delta,
    path_missing,
    updated_weight_used,
)
from chainrule.explain.marking.mistakes.forward import (
    activation_missing,
    bias_missing,
    softmax_without_exp,
)
from chainrule.explain.marking.mistakes.loss import (
    factor_two,
    log_base,
    mean_sum_confused,
    other_loss,
    penalty_missing,
    target_output_swapped,
)
from chainrule.explain.marking.mistakes.special_layers import (
    dropout_scale_missing,
    head_weight_missing,
    mask_missing,
    normalization_missing,
    statistics_taken_as_fixed,
    unbiased_variance,
)
from chainrule.explain.marking.mistakes.update import (
    bias_correction_missing,
    epsilon_inside_root,
    gradient_ascent,
    learning_rate_missing,
)

CATALOGUE: dict[str, Mistake] = {
    "sign-flipped": sign_flipped,
    "activation-missing": activation_missing,
    "pre-activation-used": pre_activation_used,
    "bias-missing": bias_missing,
    "input-missing": input_missing,
    "weights-transposed": weights_transposed,
    "delta-for-output-gradient": delta_for_output_gradient,
    "output-gradient-for-delta": output_gradient_for_delta,
    "activation-derivative-missing": activation_derivative_missing,
    "activation-derivative-repeated": activation_derivative_repeated,
    "activation-derivative-at-z": activation_derivative_at_z,
    "path-missing": path_missing,
    "updated-weight-used": updated_weight_used,
    "target-output-swapped": target_output_swapped,
    "log-base": log_base,
    "factor-two": factor_two,
    "mean-sum-confused": mean_sum_confused,
    "penalty-missing": penalty_missing,
    "softmax-without-exp": softmax_without_exp,
    "learning-rate-missing": learning_rate_missing,
    "gradient-ascent": gradient_ascent,
    "bias-correction-missing": bias_correction_missing,
    "epsilon-inside-root": epsilon_inside_root,
    "other-loss": other_loss,
    "head-weight-missing": head_weight_missing,
    "dropout-scale-missing": dropout_scale_missing,
    "mask-missing": mask_missing,
    "normalization-missing": normalization_missing,
    "statistics-taken-as-fixed": statistics_taken_as_fixed,
    "unbiased-variance": unbiased_variance,
}

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

__all__ = ["CATALOGUE", "TEXTS", "Mistake"]

"""From scikit-learn's names of losses to ours, and the output activation that goes with each."""

from __future__ import annotations

from chainrule.errors import InputError
from chainrule.losses import BinaryCrossEntropy, CrossEntropy, HalfSquaredError, Loss, PoissonDeviance, get_loss

PROBABILITIES = ("sigmoid", "softmax")


def regression_loss(given: str | Loss) -> Loss:
    """scikit-learn's two names stand for half the squared error and half the Poisson deviance; others for ours.

    >>> regression_loss("squared_error").name, regression_loss("absolute_error").name
    ('half_squared_error', 'absolute_error')
    """
    if given == "squared_error":
        return HalfSquaredError()
    return PoissonDeviance() if given == "poisson" else get_loss(given)


def regression_output(loss: Loss) -> str:
    """The exponential for counts, the identity otherwise."""
    return "exp" if loss.fuses_with == "exponential" else "identity"


def classification_loss(given: str | Loss, output: str) -> Loss:
    """`"log_loss"` is the cross-entropy of a softmax, or of each logistic unit; others are ours."""
    loss = get_loss(given) if given != "log_loss" else CrossEntropy() if output == "softmax" else BinaryCrossEntropy()
    if isinstance(loss, (CrossEntropy, BinaryCrossEntropy)) and output not in PROBABILITIES:
        raise InputError(
            f'loss "{loss.name}" compares probabilities, and the output activation "{output}" makes none: '
            'output_activation="softmax" or "logistic" would be right, or another loss'
        )
    return loss


def wants_a_unit_per_class(given: str | Loss) -> bool:
    """Whether two classes need two units: where softmax cross-entropy was asked for by name or as an object."""
    return given != "log_loss" and isinstance(get_loss(given), CrossEntropy)

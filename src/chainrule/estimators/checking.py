"""Whether what a file says of an estimator can be one: what loads works, and what can't work doesn't load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.arrays import is_finite
from chainrule.errors import FileError
from chainrule.estimators.architecture import hidden_sizes
from chainrule.estimators.solvers import make_optimizer
from chainrule.limits import Limit
from chainrule.plain import shortened
from chainrule.saving import PLATEAUS, remembered

_COUNT = Limit(0, 2**53, whole=True)
_ONE_OR_MORE = Limit(1, 2**31, whole=True)
_ONE_OR_MORE_STEPS = Limit(1, 2**53, whole=True)
_MOST_MEMBERS = 100  # more than its arrays have: somebody asked for them after the fit, for the next one
_ENCODER = {"neg_label", "pos_label", "sparse_output", "y_type_", "sparse_input_", "classes_"}
_TARGETS = {"binary", "multiclass", "multilabel-indicator"}
_AFTER_A_FIT = ("n_iter_", "t_", "history_", "_no_improvement_count", "_rate")
_HISTORY = {"loss", "learning_rate", "validation_loss", "validation_score"}


def _is_number(value: object) -> bool:
    return type(value) is float or (type(value) is int and value.bit_length() <= 1000)


def _is_number_or_none(value: object) -> bool:
    return value is None or _is_number(value)


def _is_curve(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_number_or_none, value))


def _is_curve_or_none(value: object) -> bool:
    return value is None or _is_curve(value)


def _is_history(value: object) -> bool:
    return isinstance(value, dict) and set(value) == _HISTORY and all(map(_is_curve, value.values()))


def _are_arrays(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_finite_array, value))


def _is_float_array(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim > 0


def _is_finite_array(value: object) -> bool:
    return _is_float_array(value) and is_finite(value)  # type: ignore[arg-type]


def _are_knots(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(own, tuple) and all(map(_is_number, own)) for own in value)


def _is_labels(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1 and len(value) > 0


def _is_classes(value: object) -> bool:
    return _is_labels(value) or (isinstance(value, list) and bool(value) and all(map(_is_labels, value)))


def _is_encoder(value: object) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == _ENCODER
        and value["y_type_"] in _TARGETS
        and _is_labels(value["classes_"])
        and all(type(value[name]) is int for name in ("neg_label", "pos_label"))
        and value["sparse_output"] is value["sparse_input_"] is False
        and (len(value["classes_"]) > 2) >= (value["y_type_"] == "multiclass")
        and bool((value["classes_"][:-1] < value["classes_"][1:]).all())
    )


_ATTRIBUTES: dict[str, Callable[[Any], bool]] = {
    "coefs_": _are_arrays,
    "intercepts_": _are_arrays,
    "classes_": _is_classes,
    "feature_names_in_": lambda names: _is_labels(names) and all(isinstance(name, str) for name in names),
    "missing_means_": _is_finite_array,
    "out_activation_": lambda name: isinstance(name, str),
    "stopped_": lambda value: isinstance(value, bool),
    "history_": _is_history,
    "knots_": _are_knots,
    "out_of_fold_score_": _is_number_or_none,
    "_head_units": lambda units: isinstance(units, list) and bool(units) and all(map(_ONE_OR_MORE.holds, units)),
    "_label_binarizers": lambda those: isinstance(those, list) and bool(those) and all(map(_is_encoder, those)),
    **dict.fromkeys(("n_iter_", "t_", "_no_improvement_count"), _COUNT.holds),
    **dict.fromkeys(("n_layers_", "n_outputs_", "n_features_in_"), _ONE_OR_MORE.holds),
    **dict.fromkeys(("loss_", "_rate"), _is_number),
    **dict.fromkeys(("best_loss_", "best_validation_score_"), _is_number_or_none),
    **dict.fromkeys(("loss_curve_", "validation_loss_curve_"), _is_curve),
    "validation_scores_": _is_curve_or_none,
}


def check_attributes(estimator: Any, state: Mapping[str, Any]) -> None:
    """Raise `FileError` for an attribute that isn't what a fit leaves there, or that hides one of the class's own."""
    parameters = estimator.get_params(deep=False)
    for name, value in state.items():
        if name in parameters:
            continue
        if name != "_training" and hasattr(type(estimator), name):
            raise _damaged(name, value)
        if not _ATTRIBUTES.get(name, lambda _: True)(value):
            raise _damaged(name, value)
    if "_training" in state:
        _check_training(state["_training"])
        for name in (*_AFTER_A_FIT, *(("classes_",) if hasattr(type(estimator), "predict_proba") else ())):
            if name not in state:
                raise FileError(f"the file is damaged: it says nothing of {name}")
    features, means = state.get("n_features_in_"), state.get("missing_means_")
    for name, length in (
        ("feature_names_in_", len(state.get("feature_names_in_", ()))),
        ("missing_means_", 0 if means is None else means.size),
        ("knots_", len(state.get("knots_", ()))),
    ):
        if name in state and length != features:
            raise _damaged(name, state[name])


def _check_training(training: Any) -> None:
    """What training left, as `FittedModel.at_rest` gives it."""
    if not isinstance(training, dict):
        raise _damaged("_training", training)
    for name in ("parameters", "state", "slots"):
        array, twin = training[name], training.get(f"best_{name}", training[name])
        known = _is_float_array(array) if name == "slots" else _is_finite_array(array) and _is_finite_array(twin)
        if not (known and array.ndim == 2 + (name == "slots")) or (
            not isinstance(twin, np.ndarray) or (twin.shape, twin.dtype) != (array.shape, array.dtype)
        ):
            raise _damaged(name, array)
    shape, dtype = training["parameters"].shape, training["parameters"].dtype
    if dtype not in (np.float32, np.float64) or not shape[0]:
        raise _damaged("parameters", training["parameters"])
    for name in ("state", "slots"):
        if training[name].dtype != dtype or len(training[name]) != shape[0]:
            raise _damaged(name, training[name])
    for name in ("step", "first_step", "epoch"):
        if not _COUNT.holds(training[name]):
            raise _damaged(name, training[name])
    for name in ("first_step", "memory_from"):
        if not Limit(0, training["step"], whole=True).holds(training.get(name, 0)):
            raise _damaged(name, training[name])
    for name in ("steps_per_epoch", "total_steps"):
        if not _ONE_OR_MORE_STEPS.holds(training.get(name, 1)):
            raise _damaged(name, training[name])
    remembered("plateau", training["plateau"], PLATEAUS)


def check_works(estimator: Any) -> None:
    """Answer for one row of zeros, so that what goes together is seen to; then forget how that was done."""
    training = vars(estimator).get("_training")
    known = 1 if training is None else len(training["parameters"])
    if estimator.n_members > max(known, _MOST_MEMBERS):
        raise _damaged("n_members", estimator.n_members)
    for name, value in estimator.get_params(deep=False).items():
        if isinstance(value, int) and value.bit_length() > 64:
            raise _damaged(name, value)
    hidden_sizes(estimator.hidden_layer_sizes)
    make_optimizer(estimator)
    model = estimator._ready_model()
    for name in ("state", "best_state") if training else ():
        if name in training and (span := model.network.state_layout.first_too_small(training[name])):
            raise _damaged(f"{name} of {span.key}", training[name])
    n_features = estimator.coefs_[0].shape[0]
    if vars(estimator).get("n_features_in_", n_features) != n_features:
        raise _damaged("n_features_in_", estimator.n_features_in_)
    outputs = model.outputs((np.zeros((1, n_features), model.dtype),))
    n_outputs = sum(output.shape[-1] for output in outputs)
    if vars(estimator).get("n_outputs_", n_outputs) != n_outputs:
        raise _damaged("n_outputs_", estimator.n_outputs_)
    if hasattr(estimator, "classes_"):
        targets = estimator._class_targets()
        if targets.units != tuple(output.shape[-1] for output in outputs):
            raise _damaged("classes_", estimator.classes_)
        known_classes = estimator.classes_ if targets.several else [estimator.classes_]
        for binarizer, classes in zip(targets.binarizers, known_classes, strict=True):
            more = targets.multilabel and {*binarizer.classes_} <= {*classes}  # as `partial_fit` was told
            if not more and not np.array_equal(binarizer.classes_, classes):
                raise _damaged("classes_", estimator.classes_)
    vars(estimator).pop("_model", None)


def _damaged(name: str, value: object) -> FileError:
    return FileError(f"the file is damaged: {name} is {shortened(value)}")

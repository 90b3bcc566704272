"""chainrule: multilayer perceptrons that train at the speed of the machine and show their work.

Names are loaded when they are first used, so that `import chainrule` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# public name -> the module that it lives in
_HOMES = {
    "Activation": "layers", "Add": "layers", "BatchNorm": "layers", "Concatenate": "layers", "Dense": "layers",
    "Dropout": "layers", "Embedding": "layers", "EmbeddingSum": "layers", "Flatten": "layers", "Input": "layers",
    "Mix": "layers", "OneHot": "layers", "PiecewiseLinear": "layers", "Scale": "layers", "quantile_knots": "layers",
    "Augment": "augment", "Network": "network", "Model": "model", "fit_members": "members", "Members": "members",
    "ImageModel": "images.image_model", "TableModel": "tables.table_model", "load": "files",
    "read_table": "tables", "explain_expression": "explain.derivation_of_expression",
    "MLPClassifier": "estimators", "MLPRegressor": "estimators",
    "TableClassifier": "estimators", "TableRegressor": "estimators",
    "BinaryCrossEntropy": "losses", "CrossEntropy": "losses", "CustomLoss": "losses", "Huber": "losses",
    "Loss": "losses", "Quantile": "losses",
    "LBFGS": "optimizers", "SGD": "optimizers", "AdaGrad": "optimizers",
    "Adam": "optimizers", "AdamW": "optimizers", "RMSProp": "optimizers",
    "Constant": "schedules", "CosLog4": "schedules", "Cosine": "schedules", "Exponential": "schedules",
    "FlatCosine": "schedules", "InverseScaling": "schedules", "OneCycle": "schedules",
    "ReduceOnPlateau": "schedules", "StepDecay": "schedules",
    "ConvergedWeights": "training.stopping", "EarlyStopping": "training.stopping",
    "LossBelow": "training.stopping", "Stop": "training.stopping", "TimeLimit": "training.stopping",
    "Callback": "training.run", "Diagnosis": "health.report", "Doctor": "health.watching",
    "Finding": "health.ailment", "Checkpoint": "training.callbacks", "History": "training.history",
    "Trail": "knobs.trail", "Turned": "knobs.turning",
    "Metric": "metrics", "Objective": "objective",
    "Derivation": "explain.derivation", "Exercise": "explain.practice.exercise", "Marks": "explain.marking.marks",
    "Worksheet": "explain.worksheets.worksheet", "read_worksheet": "explain.worksheets.worksheet",
    "ChainruleError": "errors", "DivergenceError": "errors", "EngineError": "errors", "FileError": "errors",
    "InputError": "errors", "NetworkError": "errors", "TrainingError": "errors",
}  # fmt: skip

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    value = getattr(import_module(f"chainrule.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

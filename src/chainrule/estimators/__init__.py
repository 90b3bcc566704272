"""scikit-learn's face: estimators with its names, parameters and manners over chainrule's networks."""

from chainrule.estimators.classifier import MLPClassifier
from chainrule.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]

"""Scores of held-out rows by the user's own scorer, while a fit is under way."""

from __future__ import annotations

from typing import Any

from sklearn.metrics import get_scorer

from chainrule.estimators.epochs import HeldOut


def held_out_score(estimator: Any, held_out: HeldOut) -> float:
    """What `scoring` (a name or a function of estimator, X and y) says of the held-out rows.

    The rows were checked before: the scorer sees the estimator without the names of its features, so that it doesn't
    warn that they are missing.
    """
    seen = object.__new__(type(estimator))
    seen.__dict__.update({name: value for name, value in vars(estimator).items() if name != "feature_names_in_"})
    scorer = get_scorer(estimator.scoring) if isinstance(estimator.scoring, str) else estimator.scoring
    options = {} if held_out.weights is None else {"sample_weight": held_out.weights}
    return float(scorer(seen, held_out.X, held_out.y, **options))

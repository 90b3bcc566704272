"""The glass box: the network behind an estimator, its gradients, and the derivation of any number."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted

from chainrule.estimators.fitting import CheckedRows
from chainrule.estimators.validation import check_rows, check_weights, fill_missing
from chainrule.network import Network
from chainrule.parameters import Named


class GlassBox:
    """What an estimator shows of its network."""

    _check_targets: Any
    _encode: Any
    _ready_model: Any
    _weights: Any

    @property
    def network_(self) -> Network:
        """The network: its layers, steps and parameter counts.

        Raises:
            NotFittedError: there is none before `fit`.
        """
        check_is_fitted(self)
        return self._ready_model().network

    @property
    def engine_(self) -> str:
        """Which engine computes, and why."""
        check_is_fitted(self)
        return str(self._ready_model().engine_)

    def gradients(self, X: Any, y: Any, sample_weight: Any = None) -> Named:
        """The gradient of the rows' loss (as one batch, penalty included) by every parameter, by layer and name.

        Of an ensemble it is the first member's. Dropout is off, and batch normalization uses its running statistics.

        Arguments:
            X, y: rows and targets as for `fit`.
            sample_weight: a weight for each row.
        """
        return self._evaluate(X, y, sample_weight)[1]

    def loss_and_gradients(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[float, Named]:
        """The rows' loss and its gradients.

        Arguments:
            X, y, sample_weight: as for `gradients`.

        >>> import numpy as np
        >>> from chainrule import MLPRegressor
        >>> X, y = np.eye(3), np.array([1.0, 2.0, 3.0])
        >>> regressor = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs").fit(X, y)
        >>> loss, gradients = regressor.loss_and_gradients(X, y)
        >>> round(loss, 3), gradients["output"]["W"].shape
        (0.0, (3, 1))
        """
        return self._evaluate(X, y, sample_weight)

    def _evaluate(self, X: Any, y: Any, sample_weight: Any) -> tuple[float, Named]:
        check_is_fitted(self)
        X, y = self._check_targets(X, y, known=True)
        model = self._ready_model()
        table = CheckedRows(
            fill_missing(self, X), y, self._encode(y, model.dtype), self._weights(check_weights(sample_weight, X), y, X)
        )
        return model.gradients(table.rows(model.dtype))

    def explain(self, x: Any, y: Any = None, sample_weight: Any = None, **options: Any) -> Any:
        """Every quantity of a forward and a backward pass over one row (or several as one batch), by name.

        Of an ensemble it is the first member's. See `chainrule.Model.explain` for the derivation that it returns.

        Arguments:
            x, y: rows and targets as for `fit`; a single row may come without its brackets. Without targets there is
                the forward pass alone.
            sample_weight: a weight for each row.
            options: those of `Model.explain`.

        >>> import numpy as np
        >>> from chainrule import MLPRegressor
        >>> X, y = np.eye(3), np.array([1.0, 2.0, 3.0])
        >>> regressor = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs").fit(X, y)
        >>> work = regressor.explain(X[0], y[0])
        >>> round(work["h[output,1]"].value, 2), sorted(regressor.gradients(X, y))
        (1.0, ['output'])
        """
        check_is_fitted(self)
        one = np.ndim(x) == 1
        model = self._ready_model()
        if y is None:
            X = check_rows(self, [x] if one else x)
            return model.explain(X.toarray() if issparse(X) else X, **options)
        X, y = self._check_targets([x] if one else x, [y] if one else y, known=True)
        targets = self._encode(y, model.dtype)
        by_head = dict(zip((head.name for head in model.network.heads), targets, strict=True))
        weights = self._weights(check_weights(sample_weight, X), y, X)
        X = fill_missing(self, X)
        return model.explain(X.toarray() if issparse(X) else X, by_head, weights, **options)

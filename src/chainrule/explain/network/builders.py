"""Who makes the recipes of each kind of quantity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.explain.network.costs import head_gradient, loss_share, penalty, total_loss
from chainrule.explain.network.counts import count
from chainrule.explain.network.gradients import (
    delta,
    layer_back,
    parameter_gradient,
    slope_by_bias,
    slope_by_weight,
)
from chainrule.explain.network.updates import updated
from chainrule.explain.network.values import slope, value

if TYPE_CHECKING:
    from chainrule.explain.network.graph import Builder

BUILDERS: dict[str, Builder] = {
    "z": value, "h": value, "dh/dz": slope,
    "loss": loss_share, "L": total_loss, "penalty": penalty, "dloss/dh": head_gradient,
    "dL/dh": delta, "dL/dz": delta, "dL/dx": delta, "back": layer_back,
    "dz/dW": slope_by_weight, "dz/db": slope_by_bias,
    "dL/dW": parameter_gradient, "dL/db": parameter_gradient,
    "dL/dscale": parameter_gradient, "dL/dshift": parameter_gradient,
    "weights": count, "biases": count, "parameters": count,
    "W+": updated, "b+": updated, "scale+": updated, "shift+": updated,
}  # fmt: skip

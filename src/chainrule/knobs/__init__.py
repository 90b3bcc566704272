"""Weights as knobs: `finding` them by name, `turning` them while the loss is watched, a fit's `trail` among them."""

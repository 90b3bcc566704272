"""Formulas as trees: read from the texts of activations, losses and optimizers; evaluated; rendered in any notation."""

"""Gradients by central differences: what analytic gradients are held against.

A central difference with step h is off by h^2 f''' / 6 (truncation) and by eps f / h (rounding); the two are of one
size at h = eps^(1/3) = 6e-6, where both are near 4e-11 for functions of size 1. The bound that is asserted is the
issue's: the norm of the difference at most 1e-6 of the norm of the gradient. Rounding doesn't shrink with the gradient,
so `rounding` is allowed on top: 32 roundings of the loss, divided by h, for each of the P numbers: for |L| = 1 it is
below 1e-8.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule import Model
from chainrule.engines.contract import Rows
from chainrule.layers import Context, Layer

EPSILON = np.finfo(np.float64).eps
STEP = EPSILON ** (1 / 3)
RELATIVE = 1e-6


def central_differences(f: Callable[[], float], vector: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """`df/d(vector[i])` for each of `indices`; `f` reads `vector`, which is changed in place and put back."""
    slopes = np.empty(len(indices))
    for k, i in enumerate(indices):
        start = vector[i]
        step = STEP * max(1.0, abs(start))
        vector[i] = above = start + step
        high = f()
        vector[i] = below = start - step
        low = f()
        vector[i] = start
        slopes[k] = (high - low) / (above - below)
    return slopes


def assert_close_gradients(analytic: np.ndarray, numeric: np.ndarray, value: float) -> None:
    """Norm-wise: `|a - n| <= 1e-6 max(|a|, |n|)` plus the rounding of the differences of a function of this value."""
    assert np.isfinite(analytic).all()
    rounding = 32 * EPSILON * (1 + abs(value)) / STEP * np.sqrt(len(numeric))
    scale = max(np.linalg.norm(analytic), np.linalg.norm(numeric))
    off = np.linalg.norm(analytic - numeric)
    assert off <= RELATIVE * scale + rounding, f"off by {off:.3g} of {scale:.3g}: {analytic} instead of {numeric}"


def check_gradients(model: Model, data: Rows, *, training: bool) -> None:
    """Hold the whole gradient of a model's objective against central differences; the padding's must be 0."""
    state = model.training
    layout = model.network.layout

    def evaluate() -> object:
        return model._engine.gradients(
            state.parameters, state.state, data, training=training, seed=model.seed, step=state.step
        )

    result = evaluate()
    real = np.concatenate([np.arange(span.slice.start, span.slice.stop) for span in layout.spans])
    numeric = central_differences(lambda: float(evaluate().loss[0]), state.parameters[0], real)
    assert_close_gradients(result.vector[0, real], numeric, float(result.loss[0]))
    assert not np.delete(result.vector[0], real).any()


def check_layer(layer: Layer, shapes: tuple[tuple[int, ...], ...], rng: np.random.Generator, context: Context) -> None:
    """Hold a layer's backward pass against central differences of `sum(c * forward(...))`, c drawn at random.

    Gradients by every parameter and by every input, each on its own; and that neither pass changes what it was given.
    """
    inputs = tuple(rng.normal(size=(5, *shape)) for shape in shapes)
    parameters = {spec.name: rng.uniform(0.5, 1.5, spec.shape) for spec in layer.parameter_specs(shapes)}
    state = {spec.name: rng.uniform(0.5, 1.5, spec.shape) for spec in layer.state_specs(shapes)}
    given = [*inputs, *parameters.values(), *state.values()]
    before = [array.copy() for array in given]
    output, memo, _ = layer.forward(parameters, state, inputs, context)
    assert output.shape == (5, *layer.output_shape(shapes))
    cotangent = rng.normal(size=output.shape)
    d_inputs, gradients = layer.backward(parameters, memo, cotangent)
    assert gradients.keys() == parameters.keys()
    for array, old in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, old)

    def value() -> float:
        return float((cotangent * layer.forward(parameters, state, inputs, context)[0]).sum())

    pairs = [*zip(inputs, d_inputs, strict=True), *((parameters[name], gradients[name]) for name in parameters)]
    for array, analytic in pairs:
        assert analytic.shape == array.shape
        numeric = central_differences(value, array.reshape(-1), np.arange(array.size))
        assert_close_gradients(analytic.reshape(-1), numeric, value())

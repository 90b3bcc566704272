"""Activations: values, derivatives, extremes, precision and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from finite_differences import EPSILON, STEP
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from registered import ACTIVATIONS as TRAINABLE
from registered import KINKS, label, nothing_missing
from scipy import special, stats

from chainrule import Model, Network
from chainrule import activations as act
from chainrule.activations import ACTIVATIONS, ActivationFunction, get_activation, sigmoid
from chainrule.errors import InputError, TrainingError
from chainrule.resolve import to_form

Z = np.array([-1000.0, -40.0, -5.0, -1.0, -0.1, 0.1, 1.0, 5.0, 40.0, 1000.0])
TINY = np.finfo(float).tiny
ELEMENTWISE = [f for f in TRAINABLE if f.name != "softmax"]
# The exponential overflows by its nature; a Poisson loss that is fused with it is tested on its own.
BOUNDED = [f for f in TRAINABLE if f.name != "exponential"]


def normal_cdf(z: np.ndarray) -> np.ndarray:
    return special.erfc(-z / math.sqrt(2)) / 2


def inner(z: np.ndarray) -> np.ndarray:
    return math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)


# name, the function, and the same value from SciPy or the definition, written independently
VALUES = [
    (act.Linear(), lambda z: z),
    (act.Sigmoid(), special.expit),
    (act.Tanh(), lambda z: 2 * special.expit(2 * z) - 1),
    (act.ReLU(), lambda z: (z + np.abs(z)) / 2),
    (act.LeakyReLU(slope=0.2), lambda z: np.maximum(z, 0) + 0.2 * np.minimum(z, 0)),
    (act.ELU(alpha=1.3), lambda z: np.maximum(z, 0) + 1.3 * special.expm1(np.minimum(z, 0))),
    (
        act.SELU(),
        lambda z: 1.0507009873554805 * (np.maximum(z, 0) + 1.6732632423543772 * special.expm1(np.minimum(z, 0))),
    ),
    (act.GELU(), lambda z: z * normal_cdf(z)),
    (act.GELU(approximate=True), lambda z: z * special.expit(2 * inner(z))),
    (act.SiLU(), lambda z: z * special.expit(z)),
    (act.Mish(), lambda z: z * np.tanh(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))),
    (act.Softplus(), lambda z: np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))),
    (act.Softmax(), lambda z: special.softmax(z, axis=-1)),
    (act.Threshold(), lambda z: np.heaviside(z, 1.0)),
]


@pytest.mark.parametrize(("f", "expected"), VALUES, ids=[label(f) for f, _ in VALUES])
def test_values_at_ordinary_and_extreme_inputs(f: ActivationFunction, expected: object) -> None:
    # 1e-14: a few roundings of numbers below 1, and relative above; tanh by way of the sigmoid loses the most
    np.testing.assert_allclose(f.value(Z[None]), expected(Z[None]), rtol=1e-14, atol=1e-15)


def test_every_activation_is_held_against_its_definition() -> None:
    """The exponential, which overflows by its nature, in the next test."""
    named = {f.name for f, _ in VALUES} | {"exponential"}
    nothing_missing(named, ACTIVATIONS, "VALUES of tests/test_activations.py")


def test_kinks_are_where_the_table_says() -> None:
    """On a fine grid a smooth derivative changes as much as beside it; where it jumps, the activation has a kink."""
    z = np.arange(-6, 6, 1e-3) + 5e-4
    for f in ELEMENTWISE:
        change = np.diff(f.derivative(z if f.needs == "z" else f.value(z)))
        jumps = np.flatnonzero(np.abs(change[1:-1] - (change[:-2] + change[2:]) / 2) > 1e-4) + 1
        found = {round((z[j] + z[j + 1]) / 2, 2) for j in jumps if abs(change[j]) > 1e-2}
        assert found == set(KINKS.get(f.name, ())), f"{label(f)}: say in KINKS of tests/registered.py where it jumps"


def test_exponential() -> None:
    np.testing.assert_array_equal(act.Exponential().value(np.array([-1000.0, 0.0])), [0.0, 1.0])
    assert act.Exponential().value(np.array([700.0])) == pytest.approx(math.exp(700), rel=1e-15)


# f, then f(-1000), f'(-1000), f(1000), f'(1000): the limits, exact in double precision
LIMITS = [
    (act.Linear(), -1000, 1, 1000, 1),
    (act.Sigmoid(), 0, 0, 1, 0),
    (act.Tanh(), -1, 0, 1, 0),
    (act.ReLU(), 0, 0, 1000, 1),
    (act.LeakyReLU(), -10, 0.01, 1000, 1),
    (act.ELU(alpha=2), -2, 0, 1000, 1),
    (act.SELU(), -act.SELU_SCALE * act.SELU_ALPHA, 0, act.SELU_SCALE * 1000, act.SELU_SCALE),
    (act.GELU(), 0, 0, 1000, 1),
    (act.GELU(approximate=True), 0, 0, 1000, 1),
    (act.SiLU(), 0, 0, 1000, 1),
    (act.Mish(), 0, 0, 1000, 1),
    (act.Softplus(), 0, 0, 1000, 1),
]


@pytest.mark.parametrize(("f", "low", "low_slope", "high", "high_slope"), LIMITS, ids=[label(row[0]) for row in LIMITS])
def test_limits_and_their_slopes(
    f: ActivationFunction, low: float, low_slope: float, high: float, high_slope: float
) -> None:
    z = np.array([[-1000.0, 1000.0]])
    h = f.value(z)
    np.testing.assert_allclose(h, [[low, high]], rtol=1e-15, atol=0)
    np.testing.assert_allclose(f.derivative(z if f.needs == "z" else h), [[low_slope, high_slope]], rtol=1e-15, atol=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("f", BOUNDED, ids=label)
def test_extremes_are_finite_and_keep_their_type(f: ActivationFunction, dtype: str) -> None:
    """Warnings are errors: an overflow on the way to a finite result fails here."""
    z = np.concatenate([Z, [0.0, -0.0, 88.0, -88.0, 104.0, -104.0, 710.0, -746.0]]).astype(dtype)[None]
    h = f.value(z)
    d_z = f.backward(z if f.needs == "z" else h, np.ones_like(z))
    assert h.dtype == d_z.dtype == dtype
    assert np.isfinite(h).all()
    assert np.isfinite(d_z).all()


@pytest.mark.parametrize(
    "f",
    [act.LeakyReLU(slope=np.float64(0.2)), act.ELU(alpha=np.float64(0.5)), act.LeakyReLU(slope=np.float32(0.2))],
    ids=["leaky_relu", "elu", "leaky_relu-float32"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_options_that_are_numpy_numbers_dont_change_the_precision(f: ActivationFunction, dtype: str) -> None:
    """A tuner or an array hands in `np.float64`, which would pull a float32 network into float64."""
    z = np.linspace(-2, 2, 5, dtype=dtype)[None]
    assert f.value(z).dtype == dtype
    assert f.backward(z, z).dtype == dtype


@pytest.mark.parametrize("f", ELEMENTWISE, ids=label)
def test_derivatives_are_the_slopes(f: ActivationFunction) -> None:
    """Central differences at step h are off by `h^2 f''' / 6 + eps f / h`: below 3e-9 for |f|, |f'''| up to 100."""
    z = np.linspace(-4.05, 4.05, 28)  # no point within 0.1 of the kink at 0
    assert np.abs(z).min() > 0.1
    slopes = (f.value(z + STEP) - f.value(z - STEP)) / (2 * STEP)
    kept = z if f.needs == "z" else f.value(z)
    np.testing.assert_allclose(f.derivative(kept), slopes, rtol=0, atol=3e-9)


@pytest.mark.parametrize("f", TRAINABLE, ids=label)
def test_backward_is_the_product_with_the_jacobian(f: ActivationFunction, rng: np.random.Generator) -> None:
    z, d_h = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    kept = z if f.needs == "z" else f.value(z)
    jacobian = f.derivative(kept)
    if jacobian.ndim == 2:
        jacobian = jacobian[:, :, None] * np.eye(3)
    np.testing.assert_allclose(f.backward(kept, d_h), np.einsum("ri,rij->rj", d_h, jacobian), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("f", TRAINABLE, ids=label)
def test_passes_change_nothing_that_they_were_given(f: ActivationFunction, rng: np.random.Generator) -> None:
    z, d_h = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    z_before, d_before = z.copy(), d_h.copy()
    h = f.value(z)
    kept = z if f.needs == "z" else h
    kept_before = kept.copy()
    f.backward(kept, d_h)
    for array, before in ((z, z_before), (d_h, d_before), (kept, kept_before)):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize(
    ("f", "value", "slope"),
    [
        (act.ReLU(), 0, 0),
        (act.LeakyReLU(slope=0.2), 0, 0.2),
        (act.ELU(alpha=1.3), 0, 1.3),
        (act.SELU(), 0, act.SELU_SCALE * act.SELU_ALPHA),
        (act.Softplus(), math.log(2), 0.5),
        (act.Sigmoid(), 0.5, 0.25),
        (act.GELU(), 0, 0.5),
        (act.Tanh(), 0, 1),
    ],
    ids=lambda value: value.name if isinstance(value, ActivationFunction) else None,
)
def test_at_zero(f: ActivationFunction, value: float, slope: float) -> None:
    """At a kink the derivative from the left is taken, as PyTorch does."""
    z = np.zeros((1, 1))
    h = f.value(z)
    assert h.item() == pytest.approx(value, abs=1e-16)
    assert f.derivative(z if f.needs == "z" else h).item() == pytest.approx(slope, rel=1e-15)


def test_selu_keeps_mean_0_and_variance_1() -> None:
    """The defining property of its two constants: the moments of SELU(Z), Z standard normal, by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    grid = np.linspace(-12, 12, 400_001)
    density = stats.norm.pdf(grid)
    h = act.SELU().value(grid)
    assert weights.sum() == pytest.approx(math.sqrt(2 * math.pi))
    assert len(nodes) == 100
    assert np.trapezoid(h * density, grid) == pytest.approx(0, abs=1e-8)
    assert np.trapezoid(h * h * density, grid) == pytest.approx(1, abs=1e-8)


@given(z=hnp.arrays(np.float64, (3, 4), elements=st.floats(-1000, 1000)), shift=st.floats(-500, 500))
def test_softmax_is_a_distribution_that_no_shift_changes(z: np.ndarray, shift: float) -> None:
    h = act.Softmax().value(z)
    assert (h >= 0).all()
    np.testing.assert_allclose(h.sum(axis=1), 1, rtol=4 * EPSILON)
    # z + shift is rounded to within eps |z + shift|, which exp turns into a relative error of the same size
    np.testing.assert_allclose(act.Softmax().value(z + shift), h, rtol=4000 * EPSILON, atol=TINY)


@given(z=st.floats(-700, 700))
def test_sigmoid_is_symmetric_and_its_inverse_is_the_log_odds(z: float) -> None:
    h, mirrored = sigmoid(np.array([z, -z]))
    assert h + mirrored == pytest.approx(1, abs=2 * EPSILON)
    # log(h / (1 - h)), with 1 - h = sigmoid(-z), which keeps the digits that the subtraction would lose
    assert math.log(h) - math.log(mirrored) == pytest.approx(z, rel=8 * EPSILON, abs=8 * EPSILON)


def test_threshold_fires_from_zero_on_and_lets_nothing_before_it_learn() -> None:
    f = act.Threshold()
    np.testing.assert_array_equal(f.value(np.array([[-1e-300, 0.0, 2.0]])), [[0, 1, 1]])
    assert f.value(np.zeros((1, 1), dtype=np.float32)).dtype == np.float32
    assert not f.trainable
    np.testing.assert_array_equal(f.derivative(np.zeros((1, 1))), [[0]])
    model = Model(Network.mlp(2, [3], 1, activation=f), "squared_error")
    for learn in (model.fit, model.loss_and_gradients):
        with pytest.raises(TrainingError, match="derivative that is zero wherever it exists"):
            learn(np.zeros((1, 2)), [1.0])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_has_its_formulas_and_a_name_that_leads_back(name: str) -> None:
    f = get_activation(name)
    assert f.name == name
    assert f.formula.startswith("h")
    assert f.derivative_formula.startswith("dh")
    assert get_activation(to_form(f)) == f
    assert get_activation(type(f)) == f
    assert get_activation(f) is f


@pytest.mark.parametrize("f", TRAINABLE, ids=label)
def test_json_form_keeps_options(f: ActivationFunction) -> None:
    assert get_activation(to_form(f)) == f


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("identity", "linear"), ("logistic", "sigmoid"), ("swish", "silu"), ("exp", "exponential"),
        ("step", "threshold"),
        ("ReLU", "relu"), ("Leaky ReLU", "leaky_relu"), ("leaky-relu", "leaky_relu"),
    ],
)  # fmt: skip
def test_other_names(alias: str, name: str) -> None:
    assert get_activation(alias).name == name


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("sigmod", 'there is no activation "sigmod". Did you mean "sigmoid"\\?'),
        (3, "activation is 3; it must be a name or one of chainrule's activation objects"),
        (None, "activation is None"),
        ({"name": "relu", "slope": 1}, 'activation "relu" takes no options; given were slope'),
        ({"name": "leaky_relu", "slop": 1}, 'activation "leaky_relu" takes slope; given were slop'),
        ({"name": "leaky_relu", "slope": -1}, "LeakyReLU: slope is -1; it must be a number of at least 0"),
        ({"name": "elu", "alpha": math.nan}, "ELU: alpha is nan; it must be"),
    ],
)
def test_errors_say_what_would_be_right(given: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        get_activation(given)

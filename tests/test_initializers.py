"""Initializers: spread, limits, orthogonality, and numbers that depend on nothing but their place."""

from __future__ import annotations

import math

import numpy as np
import pytest
from registered import nothing_missing

from chainrule import Dense, Input, InputError, Model, Network
from chainrule import initializers as init
from chainrule.initializers import INITIALIZERS, Initializer, Stream, get_initializer
from chainrule.resolve import to_form

SHAPE = (300, 200)  # fan_in 300, fan_out 200: the two can't be mistaken for each other
N = SHAPE[0] * SHAPE[1]
FIXED = Stream(seed=7, span=0)

# initializer, variance of its distribution, kurtosis of its distribution
SPREAD = [
    (init.GlorotUniform(), 2 / 500, 1.8),
    (init.GlorotNormal(), 2 / 500, 3.0),
    (init.HeUniform(), 2 / 300, 1.8),
    (init.HeNormal(), 2 / 300, 3.0),
    (init.LeCunUniform(), 1 / 300, 1.8),
    (init.LeCunNormal(), 1 / 300, 3.0),
    (init.Uniform(-0.3, 0.3), 0.6**2 / 12, 1.8),
    (init.Normal(0.2), 0.04, 3.0),
]
ids = [type(row[0]).__name__ for row in SPREAD]


@pytest.mark.parametrize(("initializer", "variance", "kurtosis"), SPREAD, ids=ids)
def test_mean_and_variance(initializer: Initializer, variance: float, kurtosis: float) -> None:
    """Within 5 standard errors: of the mean sqrt(v / n), of the variance v sqrt((kurtosis - 1) / n)."""
    w = initializer.draw(SHAPE, FIXED)
    assert w.shape == SHAPE
    assert w.dtype == np.float64
    assert abs(w.mean()) <= 5 * math.sqrt(variance / N)
    assert abs(w.var() - variance) <= 5 * variance * math.sqrt((kurtosis - 1) / N)
    observed = ((w - w.mean()) ** 4).mean() / w.var() ** 2
    assert observed == pytest.approx(kurtosis, abs=0.1)  # 5 standard errors of a normal's: 5 sqrt(24 / n) = 0.1


@pytest.mark.parametrize(
    ("initializer", "limit"),
    [
        (init.GlorotUniform(), math.sqrt(6 / 500)),
        (init.HeUniform(), math.sqrt(6 / 300)),
        (init.LeCunUniform(), math.sqrt(3 / 300)),
        (init.Uniform(-0.3, 0.3), 0.3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_uniform_draws_fill_their_interval(initializer: Initializer, limit: float) -> None:
    w = initializer.draw(SHAPE, FIXED)
    assert np.abs(w).max() <= limit
    assert np.abs(w).max() > limit * (1 - 1e-3)  # the largest of 60,000 draws: farther off with probability e^-60


def test_uniform_need_not_be_symmetric() -> None:
    w = init.Uniform(2, 3).draw((100, 100), FIXED)
    assert 2 <= w.min() < 2.01 < 2.99 < w.max() < 3


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5), (1, 3)])
@pytest.mark.parametrize("gain", [1.0, 1.5])
def test_orthogonal(shape: tuple[int, int], gain: float) -> None:
    w = init.Orthogonal(gain).draw(shape, FIXED)
    assert w.shape == shape
    product = w.T @ w if shape[0] >= shape[1] else w @ w.T
    np.testing.assert_allclose(product, gain**2 * np.eye(min(shape)), atol=1e-14)


def test_orthogonal_draws_have_no_preferred_sign() -> None:
    """Uniform over the orthogonal matrices: the first entry is positive in half of 200 draws, within 5 deviations."""
    positive = sum(init.Orthogonal().draw((3, 3), Stream(seed, 0))[0, 0] > 0 for seed in range(200))
    assert abs(positive - 100) <= 5 * math.sqrt(200) / 2


def test_constant() -> None:
    np.testing.assert_array_equal(init.Constant(0.1).draw((3,), FIXED), [0.1, 0.1, 0.1])
    np.testing.assert_array_equal(init.Constant().draw((2, 1), FIXED), [[0.0], [0.0]])


RANDOM = [initializer for initializer, *_ in SPREAD] + [init.Orthogonal()]


def test_every_initializer_is_held_against_its_distribution() -> None:
    """Orthogonal and Constant by tests of their own."""
    named = {initializer.name for initializer in RANDOM} | {"constant"}
    nothing_missing(named, INITIALIZERS, "SPREAD of tests/test_initializers.py")


@pytest.mark.parametrize("initializer", RANDOM, ids=lambda i: i.name)
def test_one_place_in_the_stream_gives_one_set_of_numbers(initializer: Initializer) -> None:
    first = initializer.draw((4, 3), Stream(1, 2, 3))
    np.testing.assert_array_equal(initializer.draw((4, 3), Stream(1, 2, 3)), first)
    for other in (Stream(2, 2, 3), Stream(1, 3, 3), Stream(1, 2, 4)):
        assert not np.isclose(initializer.draw((4, 3), other), first).any()


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (None, "glorot_uniform"), ("linear", "glorot_uniform"), ("sigmoid", "glorot_uniform"),
        ("tanh", "glorot_uniform"),
        ("softmax", "glorot_uniform"), ("exponential", "glorot_uniform"), ("relu", "he_uniform"),
        ("leaky_relu", "he_uniform"), ("elu", "he_uniform"), ("gelu", "he_uniform"), ("silu", "he_uniform"),
        ("mish", "he_uniform"), ("softplus", "he_uniform"), ("selu", "lecun_normal"),
    ],
)  # fmt: skip
def test_auto_suits_the_activation(activation: str | None, expected: str) -> None:
    def weights(initializer: str) -> np.ndarray:
        network = Network([Input(5), Dense(4, activation=activation, initializer=initializer, name="d")])
        return Model(network, "squared_error", seed=11, dtype="float64").parameters["d"]["W"]

    np.testing.assert_array_equal(weights("auto"), weights(expected))
    others = [name for name in ("glorot_uniform", "he_uniform", "lecun_normal") if name != expected]
    assert not any(np.array_equal(weights("auto"), weights(other)) for other in others)


def test_biases_start_at_zero_unless_told_otherwise() -> None:
    network = Network([Input(2), Dense(3, name="a"), Dense(2, bias_initializer=init.Constant(0.5), name="b")])
    parameters = Model(network, "squared_error").parameters
    assert parameters["a"]["b"].tolist() == [0, 0, 0]
    assert parameters["b"]["b"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("name", INITIALIZERS)
def test_names_and_json_forms_lead_back(name: str) -> None:
    initializer = get_initializer(name)
    assert initializer.name == name
    assert get_initializer(to_form(initializer)) == initializer
    assert initializer.formula.startswith("W ")


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("xavier", "glorot_uniform"), ("glorot", "glorot_uniform"), ("xavier_uniform", "glorot_uniform"),
        ("xavier_normal", "glorot_normal"), ("he", "he_uniform"), ("kaiming", "he_uniform"), ("lecun", "lecun_normal"),
        ("zeros", "constant"),
    ],
)  # fmt: skip
def test_other_names(alias: str, name: str) -> None:
    assert get_initializer(alias).name == name


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("xaver", 'there is no initializer "xaver". Did you mean "xavier"'),
        ({"name": "normal", "std": -1}, "Normal: std is -1; it must be a number of at least 0"),
        ({"name": "uniform", "low": math.inf}, "Uniform: low is inf; it must be a number"),
        ({"name": "orthogonal", "gain": "2"}, "Orthogonal: gain is '2'"),
        ({"name": "constant", "value": None, "x": 1}, 'initializer "constant" takes value; given were value, x'),
    ],
)
def test_errors_say_what_would_be_right(given: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        get_initializer(given)

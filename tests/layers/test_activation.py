"""Activation as a layer: what it keeps, and where softmax may stand."""

from __future__ import annotations

import numpy as np
import pytest
import registered
from finite_differences import check_layer

from chainrule import Activation, Input, InputError, Network, NetworkError
from chainrule.activations import ActivationFunction, Tanh
from chainrule.layers import Context


@pytest.mark.parametrize("f", registered.ACTIVATIONS, ids=registered.label)
def test_backward(f: ActivationFunction, rng: np.random.Generator) -> None:
    while True:  # five rows of three: none within 1e-3 of a kink
        seed = rng.integers(2**32)
        if np.abs(np.random.default_rng(seed).normal(size=(5, 3))).min() > 1e-3:
            break
    check_layer(Activation(f), ((3,),), np.random.default_rng(seed), Context())


@pytest.mark.parametrize("f", registered.ACTIVATIONS, ids=registered.label)
def test_the_memo_is_what_the_derivative_needs(f: ActivationFunction) -> None:
    z = np.array([[0.5, -0.5]])
    h, memo, state = Activation(f).forward({}, {}, (z,), Context())
    assert list(memo) == [f.needs]
    assert memo[f.needs] is (z if f.needs == "z" else h)
    assert state == {}


def test_elementwise_functions_take_rows_of_any_shape(rng: np.random.Generator) -> None:
    check_layer(Activation("tanh"), ((2, 3),), rng, Context())
    with pytest.raises(NetworkError, match=r'Activation "s" reads rows of shape \(2, 3\); it takes vectors'):
        Network([Input((2, 3)), Activation("softmax", name="s")])


def test_a_function_by_name_or_as_an_object() -> None:
    assert Activation("tanh").f == Activation(Tanh()).f == Activation(Tanh).f == Tanh()
    assert Activation("tanh") == Activation(Tanh())
    with pytest.raises(InputError, match='Did you mean "tanh"'):
        Activation("tahn")

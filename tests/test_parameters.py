"""The flat vector: spans, alignment, padding, views, assignment."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import problems
import pytest
import registered
from hypothesis import given
from hypothesis import strategies as st
from strategies import chains, graphs

from chainrule import Adam, BatchNorm, Dense, Input, InputError, Model, Network, Objective, Scale
from chainrule.initializers import Constant
from chainrule.layers import ParameterSpec
from chainrule.optimizers import OPTIMIZERS
from chainrule.parameters import ALIGNMENT, ParameterRun, aligned_zeros, merged, parameter_runs

networks = chains() | graphs(st.lists(st.sampled_from(registered.LOSSES), min_size=1, max_size=2)).map(
    lambda pair: pair[0]
)


@given(network=networks)
def test_spans_are_aligned_apart_and_weights_first(network: Network) -> None:
    for layout in (network.layout, network.state_layout):
        end = 0
        for span in layout.spans:
            assert span.offset % ALIGNMENT == 0
            assert span.offset >= end, "no two overlap"
            assert span.slice.stop - span.offset == math.prod(span.shape)
            assert span.offset - end < ALIGNMENT, "no more padding than alignment needs"
            end = span.slice.stop
        assert layout.size % ALIGNMENT == 0
        assert 0 <= layout.size - end < ALIGNMENT
    kinds = [span.spec.kind == "weight" for span in network.layout.spans]
    assert kinds == sorted(kinds, reverse=True)


@given(members=st.integers(1, 3), size=st.integers(0, 70), dtype=st.sampled_from(["float32", "float64"]))
def test_vectors_of_zeros_start_at_64_bytes(members: int, size: int, dtype: str) -> None:
    vector = aligned_zeros((members, size), dtype)
    assert vector.shape == (members, size)
    assert vector.dtype == dtype
    assert vector.flags.c_contiguous
    assert vector.flags.writeable
    assert not vector.any()
    assert vector.ctypes.data % 64 == 0 or vector.size == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_members_vector_and_every_span_is_aligned_in_memory(dtype: str) -> None:
    network = Network.mlp(3, [5, 7], 2, batch_norm=True)
    vectors = network.layout.zeros(3, dtype)
    for vector in vectors:
        for span in network.layout.spans:
            assert vector[span.slice].ctypes.data % 64 == 0


@given(network=networks)
def test_views_are_the_vector(network: Network) -> None:
    vector = network.layout.zeros(1, "float64")[0]
    vector[...] = np.arange(len(vector))
    for span in network.layout.spans:
        by_step = network.layout.views(vector)[span.step][span.name]
        by_name = network.layout.named(vector)[span.layer][span.name]
        for view in (by_step, by_name):
            assert view.shape == span.shape
            assert np.shares_memory(view, vector)
            assert view.reshape(-1)[0] == span.offset
    assert len(network.layout.views(vector)) == len(network.steps)


def test_names_come_in_the_order_of_the_layers() -> None:
    named = Model(Network.mlp(3, [5], 2, batch_norm=True), "squared_error").parameters
    assert {layer: list(arrays) for layer, arrays in named.items()} == {
        "hidden": ["W", "b"],
        "hidden_norm": ["scale", "shift"],
        "output": ["W", "b"],
    }


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "lbfgs"])
def test_padding_stays_zero_whatever_trains(name: str, engine: str) -> None:
    """Sizes 3, 5 and 2 leave padding behind every array; a starting accumulator or a decay must not wake it."""
    options: dict[str, Any] = {"adagrad": {"initial_accumulator": 0.1}, "adamw": {"amsgrad": True}}.get(name, {})
    optimizer = OPTIMIZERS[name](weight_decay=0.01, **options)
    network = Network([Input(3), Dense(5, activation="tanh"), BatchNorm(), Dense(2)])
    model = Model(network, "squared_error", optimizer, l1=0.01, l2=0.01, dtype="float64", engine=engine)
    X, y = problems.regression(24, 3, 2)
    before = model.training.parameters.copy()
    model.fit(X, y, epochs=3, batch_size=8, clip_norm=1.0)
    real = np.concatenate([np.arange(span.slice.start, span.slice.stop) for span in network.layout.spans])
    assert (model.training.parameters[0, real] != before[0, real]).all()
    padding = np.delete(model.training.parameters[0], real)
    assert len(padding) > 0
    assert not padding.any()


class TestAssignment:
    def model(self) -> Model:
        return Model(Network.mlp(2, [2], 1, activation="tanh"), "squared_error", Adam(), dtype="float64")

    def test_what_isnt_named_stays(self) -> None:
        model = self.model()
        before = problems.flat(model.parameters)
        model.set_parameters({"hidden": {"W": [[1, 2], [3, 4]]}})
        after = problems.flat(model.parameters)
        assert after.pop("hidden/W").tolist() == [[1, 2], [3, 4]]
        before.pop("hidden/W")
        problems.assert_same(after, before)

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"hiden": {"W": np.zeros((2, 2))}}, 'no layer "hiden" has parameters. Did you mean "hidden"'),
            ({"hidden": {"w": 0}}, 'layer "hidden" has no parameter "w"; it has W, b'),
            ({"hidden": {"W": np.zeros((2, 3))}}, r"hidden/W has shape \(2, 2\); given was shape \(2, 3\)"),
            ({"output": {"b": 0.5}}, r"output/b has shape \(1,\); given was shape \(\)"),
            ({"output": {"b": ["a"]}}, "output/b"),
            ({"hidden": {"W": [[1, 2], [3]]}}, "hidden/W"),
        ],
    )
    def test_nothing_changes_unless_all_of_it_fits(self, values: dict[str, Any], message: str) -> None:
        model = self.model()
        before = problems.flat(model.parameters)
        with pytest.raises(InputError, match=message):
            model.set_parameters({"output": {"W": [[9.0], [9.0]]}} | {k: {**v} for k, v in values.items()})
        problems.assert_same(problems.flat(model.parameters), before)

    def test_state_is_set_the_same_way(self) -> None:
        model = Model(Network([Input(2), BatchNorm(name="n"), Dense(1)]), "squared_error")
        model.set_state({"n": {"mean": [1, 2]}})
        assert model.state["n"]["mean"].tolist() == [1, 2]
        assert model.state["n"]["variance"].tolist() == [1, 1]
        with pytest.raises(InputError, match="n/mean has shape"):
            model.set_state({"n": {"mean": [1]}})

    def test_a_variance_is_never_negative(self) -> None:
        model = Model(Network([Input(2), BatchNorm(name="n"), Dense(1)]), "squared_error")
        with pytest.raises(InputError, match="n/variance is -1e-06 somewhere; 0 is the least it can be"):
            model.set_state({"n": {"mean": [1, 2], "variance": [1, -1e-6]}})
        assert model.state["n"]["mean"].tolist() == [0, 0]


class TestRuns:
    """One description of neighbouring parameters for loop, optimizers, engines and derivations."""

    def test_the_plain_case_is_one_run(self) -> None:
        network = Network.mlp(3, [5, 4], 2, batch_norm=True)
        (run,) = Objective("squared_error").on(network, l2=0.1).trainable
        assert (run.begin, run.end) == (0, network.layout.spans[-1].slice.stop)

    def test_a_description_says_what_the_layers_say(self) -> None:
        layers = [Input(2), Scale(rate_factor=0.5, decay_factor=0.0, name="s"), Dense(3, l1=0.2, name="a"),
                  Dense(20, trainable=False, name="b"), Dense(1, penalize_bias=True, name="c")]  # fmt: skip
        network = Network(layers)
        objective = Objective("squared_error").on(network, l2=0.1)
        found = {span.key: objective.run_at(span.offset) for span in network.layout.spans}
        assert {key: (run.kind, run.trainable, run.charge) for key, run in found.items()} == {
            "a/W": ("weight", True, (0.2, 0.1)), "b/W": ("weight", False, (0.0, 0.1)),
            "c/W": ("weight", True, (0.0, 0.1)), "s/scale": ("scale", True, (0.0, 0.0)),
            "a/b": ("bias", True, (0.0, 0.0)), "b/b": ("bias", False, (0.0, 0.0)), "c/b": ("bias", True, (0.0, 0.1)),
        }  # fmt: skip
        factors = {key: (run.rate_factor, run.decay_factor) for key, run in found.items()}
        assert factors == {key: (0.5, 0.0) if key == "s/scale" else (1.0, 1.0) for key in found}
        assert not any(run.trainable for run in objective.without_biases().runs if run.kind == "bias")
        assert objective.without_biases().trainable[0] == objective.trainable[0]

    @given(network=networks, l2=st.sampled_from([0.0, 0.1]))
    def test_runs_are_in_order_and_cover_every_parameter(self, network: Network, l2: float) -> None:
        runs = parameter_runs(network.layout, l2=l2)
        assert all(first.end <= second.begin for first, second in itertools.pairwise(runs))
        for span in network.layout.spans:
            (run,) = (run for run in runs if run.begin <= span.offset < run.end)
            assert span.slice.stop <= run.end
            assert (run.kind, run.trainable) == (span.spec.kind, span.spec.trainable)

    def test_what_says_nothing_parts_its_neighbours(self) -> None:
        """Padding between spans is zero and may lie in a run; a parameter may not."""
        first, between, last = ParameterRun(0, 20), ParameterRun(32, 33, l1=0.1), ParameterRun(48, 50)
        assert merged([first, between, last], lambda run: None if run.l1 else 1) == (first, last)
        assert merged([first, between, last], lambda run: 1) == (ParameterRun(0, 50),)

    @pytest.mark.parametrize("factor", ["rate_factor", "decay_factor"])
    def test_factors_are_checked(self, factor: str) -> None:
        with pytest.raises(InputError, match=f'parameter "g": {factor} is -1; it must be a number of at least 0'):
            ParameterSpec("g", (2,), "scale", Constant(1.0), **{factor: -1})

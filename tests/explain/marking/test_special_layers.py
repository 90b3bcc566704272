"""Marking and deriving beyond chains of dense layers: several heads, batch normalization in training, dropout masks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from explain.generated_sheets import Writer, rounded
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from chainrule import SGD, Activation, BatchNorm, Dense, Dropout, Input, Model, Network, Objective
from chainrule.explain.derivation import Derivation
from chainrule.explain.marking.diagnosis import CATALOGUE


def heads(rng: np.random.Generator, rows: int) -> Derivation:
    """The three heads of the lectures: yes or no, a number, and one of three classes."""
    x = Input(2, name="x")
    h = Dense(3, activation="sigmoid", name="hidden")(x)
    gender, age = Dense(1, activation="sigmoid", name="gender"), Dense(1, name="age")
    mood = Dense(3, activation="softmax", name="mood")
    network = Network(inputs=x, outputs={"gender": gender(h), "age": age(h), "mood": mood(h)})
    losses = {"gender": "binary_cross_entropy", "age": "squared_error", "mood": "cross_entropy"}
    model = with_round_numbers(Model(network, Objective(losses, {"age": 0.3}), SGD(0.5), dtype="float64"), rng)
    age_values = rng.integers(-20, 21, rows) / 10
    y = {"gender": rng.integers(2, size=rows), "age": age_values, "mood": rng.integers(3, size=rows)}
    return model.explain(inputs(rng, rows), y)


def normed(rng: np.random.Generator, rows: int, training: bool = True) -> Derivation:
    """Batch normalization between a dense layer and its activation."""
    layers = [
        Input(2, name="x"), Dense(2, name="dense"), BatchNorm(name="norm"), Activation("sigmoid", name="act"),
        Dense(1, activation="sigmoid", name="out"),
    ]  # fmt: skip
    model = with_round_numbers(Model(Network(layers), "binary_cross_entropy", SGD(0.5), dtype="float64"), rng)
    return model.explain(inputs(rng, rows), rng.integers(2, size=rows), training=training)


def dropped(rng: np.random.Generator, rows: int) -> Derivation:
    """Dropout behind a hidden layer."""
    layers = [
        Input(2, name="x"), Dense(4, activation="tanh", name="dense"), Dropout(0.4, name="drop"),
        Dense(1, activation="sigmoid", name="out"),
    ]  # fmt: skip
    model = Model(Network(layers), "binary_cross_entropy", SGD(0.5), dtype="float64", seed=int(rng.integers(1000)))
    return with_round_numbers(model, rng).explain(inputs(rng, rows), rng.integers(2, size=rows), training=True)


def with_round_numbers(model: Model, rng: np.random.Generator) -> Model:
    for span in model.network.layout.spans:
        drawn = rng.integers(1, 10, span.shape) / 10 * rng.choice([-1.0, 1.0], span.shape)
        model.training.parameters[0, span.slice] = drawn.reshape(-1)
    return model


def inputs(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Rows far enough apart that a batch has a variance."""
    return (np.arange(rows)[:, None] * 5 + rng.integers(-9, 10, (rows, 2))) / 10


Make = Callable[[np.random.Generator, int], Derivation]
KINDS: dict[str, Make] = {"heads": heads, "norm": normed, "dropout": dropped}


@pytest.mark.parametrize("kind", KINDS)
@examples(15)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 3), digits=st.integers(3, 6), carries=st.booleans())
def test_honest_rounding_is_never_called_wrong(kind: str, seed: int, rows: int, digits: int, carries: bool) -> None:
    rng = np.random.default_rng(seed)
    work = KINDS[kind](rng, max(rows, 2) if kind == "norm" else rows)
    marks = work.mark(Writer(rng, work, digits, carries).write())
    assert marks.counts["wrong"] == marks.counts["follows"] == marks.counts["unknown"] == 0, marks.sentence


@pytest.mark.parametrize("kind", KINDS)
@examples(6)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_flipped_sign_is_the_first_wrong_step_and_what_is_built_on_it_follows(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    work = KINDS[kind](rng, 2)
    graph = work.graph
    outputs = [("h", head.head) for head in work.trace.heads]  # of a negative probability there is no logarithm
    names = [
        name
        for name in graph.in_order()
        if abs(graph.value(name)) > 1e-3 and name.kind not in ("dz/db", "dz/dW") and name[:2] not in outputs
    ]
    name = names[int(rng.integers(len(names)))]
    writer = Writer(rng, work, 5, True, left_out=0.0, must=name, mistake=lambda g, n, own: -writer.compute(n))
    marks = work.mark(writer.write())
    assert marks.first_wrong == str(name)
    assert marks[str(name)].diagnosis.code == "sign-flipped"
    assert marks.counts["wrong"] == 1


def diagnosis(work: Derivation, name: str, wrong: float) -> str:
    """The code for one wrong entry among exact ones."""
    entries = {str(n): rounded(work.graph.value(n), 6) for n in work.graph.in_order()}
    mark = work.mark({**entries, name: rounded(wrong, 6)})[name]
    assert mark.verdict == "wrong", (name, mark)
    return mark.diagnosis.code


class TestHeads:
    @pytest.fixture(params=[1, 2])
    def work(self, request: pytest.FixtureRequest) -> Derivation:
        return heads(np.random.default_rng(4), request.param)

    @staticmethod
    def row(work: Derivation) -> str:
        return "" if work.trace.n_rows == 1 else "row 2; "

    def test_a_head_left_out_is_a_missing_path(self, work: Derivation) -> None:
        r = self.row(work)
        by_head = {
            head: sum(work[f"dL/dz[{r}{head},{k}]"].value * work[f"W[{head},1,{k}]"].value for k in range(1, units + 1))
            for head, units in (("gender", 1), ("age", 1), ("mood", 3))
        }
        name = f"dL/dh[{r}hidden,1]"
        assert work[name].value == pytest.approx(sum(by_head.values()), rel=1e-12)
        for left_out in by_head:
            kept = sum(value for head, value in by_head.items() if head != left_out)
            assert diagnosis(work, name, kept) == "path-missing"

    def test_the_weight_of_a_head_left_out(self, work: Derivation) -> None:
        r = self.row(work)
        for name in (f"dL/dh[{r}age,1]", f"dL/dz[{r}age,1]"):
            assert diagnosis(work, name, work[name].value / 0.3) == "head-weight-missing"
        n = work.trace.n_rows
        shares = [work[f"loss[row {i + 1}; age,1]" if n > 1 else "loss[age,1]"].value for i in range(n)]
        assert diagnosis(work, "L", work["L"].value + 0.7 * sum(shares) / n) == "head-weight-missing"

    @pytest.mark.parametrize("head", ["gender", "mood"])
    def test_mistakes_at_one_of_several_outputs(self, work: Derivation, head: str) -> None:
        r = self.row(work)
        delta, gradient = f"dL/dz[{r}{head},1]", f"dL/dh[{r}{head},1]"
        if work[gradient].value:  # a class that isn't the target has none
            assert diagnosis(work, gradient, work[delta].value) == "delta-for-output-gradient"
            assert diagnosis(work, delta, work[gradient].value) == "output-gradient-for-delta"
        assert diagnosis(work, delta, -work[delta].value) == "sign-flipped"
        z = [work[f"z[{r}mood,{k}]"].value for k in (1, 2, 3)]
        assert diagnosis(work, f"h[{r}mood,2]", z[1] / sum(z)) == "softmax-without-exp"

    def test_the_title_names_the_heads(self, work: Derivation) -> None:
        assert work.to_text().startswith("Derivation of a network with the heads gender, age, mood\n")


class TestBatchNorm:
    @pytest.fixture
    def work(self) -> Derivation:
        return normed(np.random.default_rng(1), 3)

    def test_mistakes_of_normalization(self, work: Derivation) -> None:
        v = lambda name: work[name].value  # noqa: E731  # as short as the mathematics
        rows = (1, 2, 3)
        x = np.array([v(f"z[row {r}; dense,1]") for r in rows])
        d = np.array([v(f"dL/dh[row {r}; norm,1]") for r in rows])
        scale, shift, epsilon = v("scale[norm,1]"), v("shift[norm,1]"), 1e-5
        y = scale * (x[0] - x.mean()) / math.sqrt(x.var() + epsilon) + shift
        assert v("h[row 1; norm,1]") == pytest.approx(y, rel=1e-12)
        one = "h[row 1; norm,1]"
        assert diagnosis(work, one, x[0]) == "normalization-missing"
        assert diagnosis(work, one, scale * x[0] + shift) == "normalization-missing"
        with_n_1 = scale * (x[0] - x.mean()) / math.sqrt(x.var(ddof=1) + epsilon) + shift
        assert diagnosis(work, one, with_n_1) == "unbiased-variance"
        back = "dL/dz[row 1; dense,1]"
        assert diagnosis(work, back, d[0]) == "normalization-missing"
        assert diagnosis(work, back, d[0] * scale / math.sqrt(x.var() + epsilon)) == "statistics-taken-as-fixed"

    def test_mistakes_at_the_activation_behind_it(self, work: Derivation) -> None:
        v = lambda name: work[name].value  # noqa: E731
        delta, by_h, slope = (f"{kind}[row 1; {layer},1]" for kind, layer in
                              (("dL/dh", "norm"), ("dL/dh", "act"), ("dh/dz", "act")))  # fmt: skip
        assert diagnosis(work, delta, v(by_h)) == "activation-derivative-missing"
        assert diagnosis(work, delta, v(by_h) * v(slope) ** 2) == "activation-derivative-repeated"
        assert diagnosis(work, "h[row 1; act,1]", v("h[row 1; norm,1]")) == "activation-missing"
        assert work["dL/dz[row 1; act,1]"].name == work[delta].name  # what the activation reads is norm's h

    def test_formulas_show_mean_and_variance(self, work: Derivation) -> None:
        x = np.array([work[f"z[row {r}; dense,1]"].value for r in (1, 2, 3)])
        quantity = work["h[row 2; norm,1]"]
        assert quantity.formula == ("scale[norm,1]*(z[row 2; dense,1] - mean)/sqrt(variance + 1e-05) + shift[norm,1]")
        assert f"{x.mean():.6g}" in quantity.numbers
        assert f"sqrt({x.var():.6g} + 1e-05)" in quantity.numbers
        back = work["dL/dz[row 2; dense,1]"]
        assert back.formula == ("(dL/dh[row 2; norm,1]*scale[norm,1] - mean(d) - x_hat*mean(d x_hat))/std")
        assert work["dL/dscale[norm,1]"].formula.startswith("dL/dh[row 1; norm,1]*x_hat[row 1] + ")
        for text in (work.to_latex(), work.to_html(), work.to_markdown()):
            assert "variance" in text

    def test_in_prediction_the_running_statistics_are_shown(self) -> None:
        work = normed(np.random.default_rng(1), 1, training=False)
        assert "(variance" not in work["h[norm,1]"].numbers
        assert "sqrt(1 + 1e-05)" in work["h[norm,1]"].numbers
        assert work["dL/dz[dense,1]"].formula == "dL/dh[norm,1]*scale[norm,1]/std"


class TestDropout:
    @pytest.fixture
    def work(self) -> Derivation:
        return dropped(np.random.default_rng(0), 2)

    def test_mistakes_with_the_mask(self, work: Derivation) -> None:
        v = lambda name: work[name].value  # noqa: E731
        kept = {k: v(f"h[row 1; drop,{k}]") != 0 for k in range(1, 5)}
        assert set(kept.values()) == {True, False}
        on, off = (next(k for k, is_kept in kept.items() if is_kept == wanted) for wanted in (True, False))
        assert v(f"h[row 1; drop,{on}]") == pytest.approx(v(f"h[row 1; dense,{on}]") / 0.6, rel=1e-12)
        assert diagnosis(work, f"h[row 1; drop,{on}]", v(f"h[row 1; dense,{on}]")) == "dropout-scale-missing"
        assert diagnosis(work, f"dL/dh[row 1; dense,{on}]", v(f"dL/dh[row 1; drop,{on}]")) == "dropout-scale-missing"
        assert diagnosis(work, f"h[row 1; drop,{off}]", v(f"h[row 1; dense,{off}]")) == "mask-missing"
        assert diagnosis(work, f"h[row 1; drop,{off}]", v(f"h[row 1; dense,{off}]") / 0.6) == "mask-missing"
        assert diagnosis(work, f"dL/dh[row 1; dense,{off}]", v(f"dL/dh[row 1; drop,{off}]") / 0.6) == "mask-missing"
        z = sum(v(f"W[out,{k},1]") * v(f"h[row 1; dense,{k}]") for k in range(1, 5)) + v("b[out,1]")
        assert diagnosis(work, "z[row 1; out,1]", z) == "mask-missing"

    def test_the_mask_is_that_of_the_next_training_step(self, work: Derivation) -> None:
        model = work.model
        X, y = work.trace.data.inputs[0], work.trace.targets(0)
        _, gradients = model.loss_and_gradients(X, y, training=True)
        found = [[work[f"dL/dW[dense,{i},{j}]"].value for j in range(1, 5)] for i in (1, 2)]
        np.testing.assert_allclose(found, gradients["dense"]["W"], rtol=1e-10)


def test_every_mistake_has_a_sentence() -> None:
    assert all(mistake.text for mistake in CATALOGUE.values())

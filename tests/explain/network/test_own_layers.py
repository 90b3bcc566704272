"""Layers of somebody's own: every parameter by its own name and its own derivative, checked against differences."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pytest

from chainrule import SGD, Activation, Adam, BatchNorm, Dense, Input, InputError, Model, Network, OneHot
from chainrule.activations import ActivationFunction
from chainrule.arrays import Array
from chainrule.explain.derivation import Derivation, explain
from chainrule.explain.formula import evaluate as evaluate_tree
from chainrule.explain.formula import symbols_of
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import STYLES
from chainrule.initializers import Uniform
from chainrule.layers import Arrays, Context, Layer, ParameterSpec, Shape
from chainrule.layers.element import Learned, Read, Source, Term

Backward = tuple[tuple[Array | None, ...], Arrays]


def spec(name: str, shape: Shape) -> ParameterSpec:
    return ParameterSpec(name, shape, "weight", Uniform(0.5, 1.5), penalized=True)


@dataclass(frozen=True)
class Scaled(Layer):
    """`h = scale x`, the name that batch normalization has too."""

    parameter = "scale"
    formula = "h = scale x"

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (x,) = inputs
        return x * parameters[self.parameter], {"x": x}, state

    def backward(self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True) -> Backward:
        return (d_output * parameters[self.parameter],), {self.parameter: (d_output * memo["x"]).sum(axis=0)}

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...] | None:
        return (Term((Learned(self.parameter, (unit,)), Read(unit))),)

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        return (spec(self.parameter, shapes[0]),)


@dataclass(frozen=True)
class Gain(Scaled):
    parameter = "gain_2"
    formula = "h = gain_2 x"


@dataclass(frozen=True)
class Line(Layer):
    """`h = 3 alpha x - 2 beta`: two parameters, and a derivative that is a number other than 1."""

    formula = "h = 3 alpha x - 2 beta"

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (x,) = inputs
        return 3 * parameters["alpha"] * x - 2 * parameters["beta"], {"x": x}, state

    def backward(self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True) -> Backward:
        gradients = {"alpha": 3 * (d_output * memo["x"]).sum(axis=0), "beta": -2 * d_output.sum(axis=0)}
        return (3 * d_output * parameters["alpha"],), gradients

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        return Term((Learned("alpha", (unit,)), Read(unit)), 3.0), Term((Learned("beta", (unit,)),), -2.0)

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        return spec("alpha", shapes[0]), spec("beta", shapes[0])


@dataclass(frozen=True)
class Mixed(Layer):
    """`h_j = sum_i x_i A_ji`: two indices, of which the first is the unit's; every unit reads every element."""

    formula = "h = A x"

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (x,) = inputs
        return x @ parameters["A"].T, {"x": x}, state

    def backward(self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True) -> Backward:
        return (d_output @ parameters["A"],), {"A": d_output.T @ memo["x"]}

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        return tuple(Term((Learned("A", (unit, i)), Read(i))) for i in range(shapes[0][0]))

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        return (spec("A", (shapes[0][0], shapes[0][0])),)


@dataclass(frozen=True)
class Squared(Layer):
    """`h = s^2 x^2`: a parameter and an element used twice."""

    formula = "h = s^2 x^2"

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (x,) = inputs
        return parameters["s"] ** 2 * x**2, {"x": x}, state

    def backward(self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True) -> Backward:
        s, x = parameters["s"], memo["x"]
        return (d_output * 2 * x * s**2,), {"s": (d_output * 2 * s * x**2).sum(axis=0)}

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        return (Term((Learned("s", (unit,)), Learned("s", (unit,)), Read(unit), Read(unit))),)

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        return (spec("s", shapes[0]),)


@dataclass(frozen=True)
class Shared(Layer):
    """`h_j = a x_j + a + a`: one number for all units, and a term twice."""

    formula = "h = a x + a + a"

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (x,) = inputs
        return parameters["a"] * (x + 2), {"x": x}, state

    def backward(self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True) -> Backward:
        return (d_output * parameters["a"],), {"a": (d_output * (memo["x"] + 2)).sum(keepdims=True)[0]}

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        return Term((Learned("a", (0,)), Read(unit))), *(Term((Learned("a", (0,)),)),) * 2

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        return (spec("a", (1,)),)


@dataclass(frozen=True)
class Reaching(Shared):
    """The same where the layer says itself what each number reaches."""

    def reached(self, source: Source, row: int, shapes: tuple[Shape, ...], memo: Arrays) -> Iterable[int]:
        return range(shapes[0][0]) if isinstance(source, Learned) else (source.unit,)


@dataclass(frozen=True)
class Single(Shared):
    """The same number without an index."""

    def backward(self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True) -> Backward:
        return (d_output * parameters["a"],), {"a": (d_output * (memo["x"] + 2)).sum()}  # type: ignore[dict-item]

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        return Term((Learned("a", ()), Read(unit))), *(Term((Learned("a", ()),)),) * 2

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        return (spec("a", ()),)


@dataclass(frozen=True)
class Opaque(Layer):
    """`h = exp(k x)`: no sum of products, so without a scalar form."""

    formula = "h = exp(k x)"

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (x,) = inputs
        h = np.exp(parameters["k"] * x)
        return h, {"x": x, "h": h}, state

    def backward(self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True) -> Backward:
        d = d_output * memo["h"]
        return (d * parameters["k"],), {"k": (d * memo["x"]).sum(axis=0)}

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        return (spec("k", shapes[0]),)


LAYERS = (Scaled, Gain, Line, Mixed, Squared, Shared, Single, Reaching, Opaque)
X = np.array([[0.5, -0.8], [1.2, 0.3], [-0.4, 0.9]])
Y = np.array([[0.2], [-0.5], [1.0]])


def model_with(layer: Layer, optimizer: object = "sgd", **penalties: float) -> Model:
    x = Input(2, name="x")
    before = Dense(2, activation="tanh", name="hidden")(x)
    network = Network(inputs=x, outputs=Dense(1, name="output")(layer(before)))
    return Model(network, "squared_error", optimizer, seed=3, dtype="float64", **penalties)  # type: ignore[arg-type]


def check(work: Derivation) -> None:
    """Every recipe, every formula, the order and the uses."""
    graph, seen, uses = work.graph, set[Name](), dict[Name, int]()
    for quantity in work:
        assert graph.parse(str(quantity.name)) == quantity.name
        for i, recipe in enumerate(graph.recipes(quantity.name)):
            assert math.isclose(recipe.value(graph.value), quantity.value, rel_tol=1e-9, abs_tol=1e-12), quantity
            tree = recipe.tree()
            if tree is not None:
                found = float(evaluate_tree(tree, {s: graph.value(s) for s in symbols_of(tree) if isinstance(s, Name)}))
                assert math.isclose(found, quantity.value, rel_tol=1e-9, abs_tol=1e-12), quantity
            for name in recipe.inputs if i == 0 else ():
                assert graph.is_given(name) or name in seen, (quantity, name)
                uses[name] = uses.get(name, 0) + 1
        seen.add(quantity.name)
    for name in seen | set(uses):
        assert graph.uses(name) == uses.get(name, 0), name


@pytest.mark.parametrize("penalties", [{}, {"l2": 0.1, "l1": 0.05}], ids=["plain", "penalties"])
@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("make", LAYERS)
def test_all_that_is_said_is_true(make: type[Layer], rows: int, penalties: dict[str, float]) -> None:
    check(model_with(make(name="own"), **penalties).explain(X[:rows], Y[:rows]))


@pytest.mark.parametrize("penalties", [{}, {"l2": 0.1, "l1": 0.05}], ids=["plain", "penalties"])
@pytest.mark.parametrize("make", LAYERS)
def test_gradients_are_those_of_differences(make: type[Layer], penalties: dict[str, float]) -> None:
    model = model_with(make(name="own"), **penalties)
    work = model.explain(X, Y)
    for span in model.network.layout.spans:
        for index in np.ndindex(span.shape):
            losses = []
            for step in (1e-6, -1e-6):
                moved = {
                    layer: {n: np.array(a) for n, a in arrays.items()} for layer, arrays in model.parameters.items()
                }
                moved[span.layer][span.name][index] += step
                other = model_with(make(name="own"), **penalties)
                other.set_parameters(moved)
                losses.append(other.loss_and_gradients(X, Y)[0])
            name = Name(f"dL/d{span.name}", span.layer, tuple(i + 1 for i in index))
            recomputed = work.graph.recipes(name)[0].value(work.graph.value)
            assert recomputed == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-6, abs=1e-8), name


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.05)], ids=["sgd", "adam"])
@pytest.mark.parametrize("make", LAYERS)
def test_the_update_is_that_of_training(make: type[Layer], optimizer: object) -> None:
    model = model_with(make(name="own"), optimizer, l2=0.1)
    work = model.explain(X, Y)
    model.fit(X, Y, epochs=1, batch_size=3)
    for span in model.network.layout.spans:
        for index in np.ndindex(span.shape):
            name = Name(f"{span.name}+", span.layer, tuple(i + 1 for i in index))
            made = work.graph.recipes(name)[0].value(work.graph.value)
            assert made == pytest.approx(model.parameters[span.layer][span.name][index], rel=1e-9), name


@pytest.mark.parametrize("make", LAYERS)
def test_every_form_is_written(make: type[Layer]) -> None:
    model = model_with(make(name="own"))
    forms = ("text", "terminal", "markdown", "latex", "html")
    for i, style in enumerate(STYLES):  # each in one form, the first in all
        work = model.explain(X, Y, notation=style)
        for form in forms if i == 0 else (forms[i % len(forms)],):
            assert "own" in getattr(work, f"to_{form}")()
        parameter = next(span.name for span in model.network.layout.spans if span.layer == "own")
        first = next(str(q.name) for q in work if q.name.kind == f"dL/d{parameter}")
        assert "Paths from" in work.to_text(weight=first)
        assert json.loads(work.to_json(weight=first))["quantities"]


def test_the_formula_has_the_factor() -> None:
    work = model_with(Gain(name="own")).explain(X[0], Y[0])
    gradient = work["dL/dgain_2[own,1]"]
    assert gradient.formula == "dL/dh[own,1]*dh/dgain_2[own,1]"
    assert work["dh/dgain_2[own,1]"].formula == "h[hidden,1]"
    assert gradient.meaning == "gradient by gain_2"
    assert work.paths("gain_2[own,1]").total == pytest.approx(gradient.value)


def test_marking_asks_for_the_factor() -> None:
    work = model_with(Scaled(name="own")).explain(X[0], Y[0])
    right, delta = work["dL/dscale[own,1]"].value, work["dL/dh[own,1]"].value
    marks = work.mark({"dL/dh[own,1]": f"{delta:.6f}", "dL/dscale[own,1]": f"{delta:.6f}"})
    assert [mark.verdict for mark in marks.entries] == ["correct", "wrong"]
    assert work.mark({"dL/dscale[own,1]": f"{right:.6f}"})["dL/dscale[own,1]"].verdict == "correct"


def test_a_parameter_means_what_its_layer_makes_of_it() -> None:
    assert model_with(Scaled(name="own")).explain(X[0], Y[0])["scale[own,1]"].meaning == "scale"
    normed = model_with(BatchNorm(name="own")).explain(X[0], Y[0])
    assert normed["scale[own,1]"].meaning == "scale of batch normalization"


def test_a_number_that_acts_on_several_units_has_a_derivative_for_each() -> None:
    work = model_with(Shared(name="own")).explain(X[0], Y[0])
    assert work["dL/da[own,1]"].formula == (
        "dL/dh[own,1]*dh/da[own,1,1] + dL/dh[own,2]*dh/da[own,2,1]"
    )  # fmt: skip
    assert work["dh/da[own,2,1]"].value == pytest.approx(work["h[hidden,2]"].value + 2)
    with pytest.raises(InputError, match="say of which unit, first: dh/da"):
        work["dh/da[own,1]"]
    with pytest.raises(InputError, match="is above 1"):
        work["dh/da[own,1,2]"]


def test_without_a_scalar_form_the_text_is_the_layers_own() -> None:
    work = model_with(Opaque(name="own")).explain(X[0], Y[0])
    assert work["h[own,1]"].formula == "exp(k x)"
    assert "h[own,1] = exp(k x) = " in work.to_text()
    with pytest.raises(InputError, match="is no sum of products"):
        work["dh/dk[own,1]"]


@dataclass(frozen=True)
class Embedded(Layer):
    """`h = E[x]`: a row of numbers for each code."""

    reads = "integer"
    formula = "h = E[x]"

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (x,) = inputs
        return parameters["E"][x[:, 0]], {"x": x}, state

    def backward(self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True) -> Backward:
        gradient = np.zeros_like(parameters["E"])
        np.add.at(gradient, memo["x"][:, 0], d_output)
        return (None,), {"E": gradient}

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        return (2,)

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        return (spec("E", (4, 2)),)


@pytest.mark.parametrize("own", [Embedded(name="own"), OneHot(4, name="own")], ids=["own", "one-hot"])
def test_by_codes_there_is_no_gradient(own: Layer) -> None:
    network = Network([Input(1, dtype="integer"), own, Dense(1, name="output")])
    model = Model(network, "squared_error", "sgd", dtype="float64", engine="reference")
    for rows in (1, 3):
        work = model.explain(np.array([[2], [0], [2]])[:rows], Y[:rows])
        check(work)
        assert "dL/dx" not in work.to_text()
    with pytest.raises(InputError, match="there is no gradient by them"):
        work["dL/dx[row 1; 1]"]
    if isinstance(own, Embedded):
        assert work.paths("E[own,3,1]").total == pytest.approx(work["dL/dE[own,3,1]"].value)


@dataclass(frozen=True)
class Wrong(Gain):
    """Says another scalar form than it computes."""

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        return (Term((Learned(self.parameter, (unit,)), Read(1 - unit))),)


@dataclass(frozen=True)
class Partly(Gain):
    """Says the scalar form of its first unit only."""

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...] | None:
        return super().element(row, unit, shapes, memo) if unit == 0 else None


@dataclass(frozen=True)
class Called(Gain):
    """Calls its parameter as all targets are called."""

    parameter = "y"


@pytest.mark.parametrize(
    ("make", "message"),
    [(Wrong, "don't agree"), (Partly, "but not of unit 2"), (Called, 'the parameter "y" of layer "own"')],
)
def test_what_contradicts_itself_is_refused(make: type[Layer], message: str) -> None:
    with pytest.raises(InputError, match=message):
        model_with(make(name="own")).explain(X[0], Y[0]).to_text()


@dataclass(frozen=True)
class Cube(ActivationFunction):
    name, needs, formula = "cube", "z", "h = the third power, without a sign"

    def value(self, z: Array) -> Array:
        return np.abs(z) ** 3

    def derivative(self, kept: Array) -> Array:
        return 3 * kept * np.abs(kept)


@dataclass(frozen=True)
class Twice(BatchNorm):
    """Twice what batch normalization gives, whose formula it must not show."""

    formula = "y = 2 (...)"

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        y, memo, new_state = super().forward(parameters, state, inputs, context)
        return 2 * y, memo, new_state

    def backward(self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True) -> Backward:
        return super().backward(parameters, memo, 2 * d_output, wanted)


@pytest.mark.parametrize("own", [Twice(name="own"), Activation(Cube(), name="own")], ids=["layer", "activation"])
def test_what_is_derived_from_something_known_shows_its_own_text(own: Layer) -> None:
    work = explain(model_with(own), X, Y, training=True)
    check(work)
    text = "2 (...)" if isinstance(own, Twice) else "the third power, without a sign"
    assert work["h[row 1; own,1]"].formula == text
    assert f"h[row 1; own,1] = {text} = " in work.to_text()


def test_a_sum_of_products_or_an_activation_passes_nothing_back_as_a_whole() -> None:
    work = explain(model_with(Twice(name="own")), X, Y, training=True)
    assert "back[row 1; own,1]" in work
    others = {step.name for step in work.graph.program.steps} - {"own"}
    assert others
    assert not [name for name in others if f"back[row 1; {name},1]" in work]

"""All kinds of quantities of networks, each beside what it is in words."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.errors import InputError
from chainrule.explain.network.costs import HeadGradient, Penalty, Share, Target, Total
from chainrule.explain.network.counts import Count
from chainrule.explain.network.gradients import Back, Gradient, ParameterGradient
from chainrule.explain.network.kind import NetworkKind
from chainrule.explain.network.structure import Structure
from chainrule.explain.network.updates import Parameter, Updated
from chainrule.explain.network.values import Element, LocalDerivative, Slope
from chainrule.explain.quantities import names
from chainrule.explain.quantities.names import Name
from chainrule.layers import BatchNorm, Dense

KINDS: dict[str, NetworkKind] = {
    kind.spelled: kind
    for kind in (
        Element("x", "input", layer=False, optional_layer=True, given=True),
        Target("y", "target"),
        Parameter("W", "weight", (2,)),
        Parameter("b", "bias"),
        Parameter("scale", "scale of batch normalization"),
        Parameter("shift", "shift of batch normalization"),
        Element("z", "pre-activation"),
        Element("h", "activation"),
        Share("loss", "one output's share of a row's loss", (0, 1)),
        Penalty("penalty", "penalties on the weights", (0,)),
        Total("L", "loss, penalties included", (0,)),
        HeadGradient("dloss/dh", "derivative of a head's loss alone"),
        Gradient("dL/dh", "gradient by an activation", of="h"),
        Slope("dh/dz", "derivative of the activation", (1, 2)),
        Gradient("dL/dz", "gradient by a pre-activation (delta)", of="z"),
        Back("back", "what a layer passes back", (1, 2)),
        LocalDerivative("dz/dW", "derivative of a pre-activation by a weight", (2,), of="W"),
        LocalDerivative("dz/db", "derivative of a pre-activation by its bias", of="b"),
        ParameterGradient("dL/dW", "gradient by a weight", (2,), of="W"),
        ParameterGradient("dL/db", "gradient by a bias", of="b"),
        ParameterGradient("dL/dscale", "gradient by a scale", of="scale"),
        ParameterGradient("dL/dshift", "gradient by a shift", of="shift"),
        Gradient("dL/dx", "gradient by an input", layer=False, optional_layer=True, of="x"),
        Updated("W+", "weight after the update", (2,), of="W"),
        Updated("b+", "bias after the update", of="b"),
        Updated("scale+", "scale after the update", of="scale"),
        Updated("shift+", "shift after the update", of="shift"),
        Count("weights", "number of weights", (0,)),
        Count("biases", "number of biases", (0,)),
        Count("parameters", "number of learned parameters", (0,)),
    )
}  # fmt: skip


def kinds_of(net: Structure) -> dict[str, NetworkKind]:
    """The kinds of a network: those of every one, and those of parameters that only its own layers have.

    Raises:
        InputError: a parameter is called as another kind of quantity is.
    """
    found = dict(KINDS)
    own: dict[str, list[tuple[str, int]]] = {}  # by name the letters of layers, and how many indices there are
    for (name, layer), (step, span) in net.parameter_steps.items():
        if name in KINDS and not isinstance(KINDS[name], Parameter):
            taken = KINDS[name].meaning
            raise InputError(
                f'the parameter "{name}" of layer "{layer}" is called as every {taken} is: call it otherwise'
            )
        if type(step.layer) not in (Dense, BatchNorm):
            own.setdefault(name, []).append((step.layer.letter, len(span.shape)))
    for name, places in own.items():
        indices = {n for _, n in places}.union(KINDS[name].indices if name in KINDS else ())
        found |= {kind.spelled: kind for kind in _kinds_of_parameter(name, {at for at, _ in places}, indices)}
    return found


def _kinds_of_parameter(name: str, letters: set[str], indices: set[int]) -> Iterator[NetworkKind]:
    some, more = tuple(sorted(indices)), tuple(sorted(indices | {n + 1 for n in indices}))
    yield Parameter(name, KINDS[name].meaning.partition(" of ")[0] if name in KINDS else name, some)
    yield ParameterGradient(f"dL/d{name}", f"gradient by {name}", some, of=name)
    yield Updated(f"{name}+", f"{name} after the update", some, of=name)
    for letter in letters:
        yield LocalDerivative(f"d{letter}/d{name}", f"derivative of a unit by {name}", more, of=name, letter=letter)


def parse(text: str) -> Name:
    """The name that a text spells, of a kind that every network has.

    >>> parse("z[ row 2; hidden , 1 ]")
    Name(kind='z', layer='hidden', index=(1,), row=2)
    """
    return names.parse(text, KINDS)

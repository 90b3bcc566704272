"""A network: layers in order, each reading named values and writing one. An immutable description.

It is described in one of three ways: `Network([Input(4), Dense(3), ...])` as a chain, `Network(inputs=x,
outputs={...})` as a graph of layers applied to values, and `Network.mlp(4, [16, 16], 3)` for the usual case.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from chainrule.activations import ActivationFunction
from chainrule.errors import NetworkError, did_you_mean, listed
from chainrule.initializers import Initializer
from chainrule.layers import LAYERS, Layer, Shape, Value
from chainrule.layers.base import as_value
from chainrule.mlp import mlp
from chainrule.parameters import Layout
from chainrule.schedules import Schedule
from chainrule.steps import Head, Node, Program, compile_program
from chainrule.summary import Count, count_parameters, summary_text

FORMAT = "chainrule-network/1"
_NOT_IN_NAMES = frozenset("/[],; \t\n")


class Network:
    """The immutable description of a network.

    Arguments:
        layers: a chain of layers that begins with an `Input`; its head is called as its last layer.
        inputs: the `Input` or inputs of a graph, in the order in which data will be handed in.
        outputs: the value, or the named values, that are the heads of a graph.

    >>> net = Network.mlp(4, [3, 2], 1, activation="sigmoid")
    >>> net.count().total
    26
    >>> from chainrule import Dense, Input
    >>> x = Input(4, name="x")
    >>> h = Dense(16, activation="relu", name="hidden")(x)
    >>> people = Network(inputs=x, outputs={"age": Dense(1)(h), "mood": Dense(3, activation="softmax")(h)})
    >>> [head.name for head in people.heads]
    ['age', 'mood']
    """

    nodes: tuple[Node, ...]
    outputs: dict[str, str]

    def __init__(
        self,
        layers: Sequence[Layer] | None = None,
        *,
        inputs: Value | Layer | Sequence[Value | Layer] | None = None,
        outputs: Value | Layer | Mapping[str, Value | Layer] | None = None,
    ):
        if layers is not None and (inputs is not None or outputs is not None):
            raise NetworkError("give either a list of layers, or inputs and outputs; not both")
        if layers is not None:
            inputs, outputs = _chain(layers)
        if outputs is None:
            raise NetworkError("a network needs layers, or inputs and outputs")
        self._describe(*_graph(inputs, outputs))

    def _describe(self, nodes: tuple[Node, ...], outputs: dict[str, str]) -> None:
        self.nodes = nodes
        self.outputs = outputs
        self.program  # noqa: B018  # shapes are checked here and now, not at the first use

    @classmethod
    def mlp(
        cls,
        inputs: int,
        hidden: Sequence[int],
        outputs: int | Mapping[str, int],
        *,
        activation: str | ActivationFunction | Sequence[str | ActivationFunction] = "relu",
        output: str | ActivationFunction | Sequence[str | ActivationFunction] = "linear",
        bias: bool = True,
        dropout: float | Schedule | Sequence[float | Schedule] = 0.0,
        batch_norm: bool = False,
        initializer: str | Initializer = "auto",
    ) -> Network:
        """The usual multilayer perceptron: dense layers in a chain.

        Hidden layers are called `hidden` (or `hidden_1`, `hidden_2` ... when there are several), the last one
        `output`. `batch_norm` stands between a dense layer and its activation, `dropout` after it.

        Arguments:
            inputs: how many numbers a row has.
            hidden: the units of each hidden layer.
            outputs: the units of the last layer.
            activation: of the hidden layers.
            output: the activation of the last one.
            initializer: where the weights start; "auto" suits the activation behind them.
            bias: whether the layers have biases.
            dropout: the rate of dropout after each hidden layer, or its schedule; 0 for none.
            batch_norm: whether batch normalization stands in each hidden layer.

        Raises:
            InputError: dropout is outside of its limits, or there is no such activation.
            NetworkError: a size isn't a whole number of at least 1.

        >>> [layer.name for layer in Network.mlp(4, [3, 2], 1, activation="tanh").layers]
        ['x', 'hidden_1', 'hidden_2', 'output']
        """
        first, heads = mlp(
            inputs, hidden, outputs, activation=activation, output=output, bias=bias, dropout=dropout,
            batch_norm=batch_norm, initializer=initializer,
        )  # fmt: skip
        return cls(inputs=first, outputs=heads)

    @cached_property
    def program(self) -> Program:
        """The expanded steps with their slots and spans: what engines and explanations read."""
        return compile_program(self.nodes, self.outputs)

    @property
    def steps(self) -> tuple[Any, ...]:
        """The steps in topological order."""
        return self.program.steps

    @property
    def heads(self) -> tuple[Head, ...]:
        """The named outputs."""
        return self.program.heads

    @cached_property
    def least_rows(self) -> int:
        """How many rows a training batch must have: two with batch normalization, one without."""
        return max((step.layer.least_rows for step in self.steps), default=1)

    @cached_property
    def scheduled_steps(self) -> tuple[Any, ...]:
        """The steps whose layers have a number that follows a schedule."""
        return tuple(step for step in self.steps if step.layer.schedule is not None)

    @property
    def layout(self) -> Layout:
        """Where each parameter lies in the flat vector."""
        return self.program.parameters

    @property
    def state_layout(self) -> Layout:
        """Where each array that is kept but not learned lies in its own flat vector."""
        return self.program.state

    @cached_property
    def input_shapes(self) -> dict[str, Shape]:
        """The shape of one row of each input, by name."""
        return {slot.name: slot.shape for slot in self.program.inputs}

    @cached_property
    def only_input_shape(self) -> Shape | None:
        """The shape of one row of the input, where there is just one and it holds floats."""
        first, *others = self.program.inputs
        return None if others or first.dtype == "integer" else first.shape

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers as they were described, inputs included."""
        return tuple(node.layer for node in self.nodes)

    def count(self, biases: bool = True) -> Count:
        """How many parameters there are: weights, biases, their sum, and the same for each layer.

        Arguments:
            biases: False counts weights alone.

        >>> net = Network.mlp(4, [3, 2], 1)
        >>> net.count().total, net.count(biases=False).total
        (26, 20)
        """
        return count_parameters(self.program, biases)

    def summary(self) -> str:
        """The layers as a table of text: what each reads, makes and learns.

        >>> print(Network.mlp(2, [], 1).summary())
        layer   type    reads  output  weights  biases  total
        -----------------------------------------------------
        x       Input               2
        output  Dense   x           1        2       1      3
        output  linear              1
        -----------------------------------------------------
        total                                2       1      3
        heads: output (1)
        """
        return summary_text(self.program)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form as Python data.

        >>> Network.mlp(2, [], 1).to_dict()["outputs"]
        {'output': 'output'}
        """
        layers = [{**node.layer.to_dict(), "inputs": list(node.inputs)} for node in self.nodes]
        return {"format": FORMAT, "layers": layers, "outputs": self.outputs}

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> Network:
        """The network of a JSON form; the inverse of `to_dict`.

        Arguments:
            form: what `to_dict` gave.

        Raises:
            NetworkError: it describes no network.

        >>> net = Network.mlp(4, [3, 2], 1)
        >>> Network.from_dict(net.to_dict()) == net
        True
        """
        if not isinstance(form, Mapping) or form.get("format") != FORMAT:
            found = form.get("format") if isinstance(form, Mapping) else form
            raise NetworkError(f'a network\'s JSON form has the format "{FORMAT}"; this one has {found!r}')
        for part, kind in (("layers", list), ("outputs", Mapping)):
            if not isinstance(form.get(part), kind) or not form[part]:
                raise NetworkError(f'the network\'s JSON form has no "{part}"')
        network = cls.__new__(cls)
        nodes = tuple(_node(entry) for entry in form["layers"])
        _check_names([node.layer.name for node in nodes])
        _check_names(form["outputs"])
        network._describe(nodes, dict(form["outputs"]))
        return network

    def to_json(self, indent: int | None = None) -> str:
        """The JSON form as text.

        Arguments:
            indent: spaces for each level; None for one line.

        >>> Network.mlp(2, [], 1).to_json().startswith('{"format": "chainrule-network/1"')
        True
        """
        return json.dumps(self.to_dict(), indent=indent)

    @classmethod
    def from_json(cls, text: str) -> Network:
        """The network of a JSON text; the inverse of `to_json`.

        Arguments:
            text: what `to_json` gave.

        Raises:
            NetworkError: it is no JSON, or describes no network.

        >>> net = Network.mlp(4, [3, 2], 1)
        >>> Network.from_json(net.to_json()) == net
        True
        """
        try:
            form = json.loads(text)
        except json.JSONDecodeError as error:
            raise NetworkError(f"this is not JSON: {error}") from None
        return cls.from_dict(form)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        return self.nodes == other.nodes and list(self.outputs.items()) == list(other.outputs.items())

    def __hash__(self) -> int:
        return hash((self.nodes, tuple(self.outputs.items())))

    def __repr__(self) -> str:
        heads = ", ".join(
            f"{head.name}: {head.shape[0] if len(head.shape) == 1 else head.shape}" for head in self.heads
        )
        return f"<Network of {len(self.nodes)} layers, {self.count().total:,} parameters, heads {heads}>"


def _chain(layers: Sequence[Layer]) -> tuple[Value, Value]:
    for layer in layers:
        if not isinstance(layer, Layer):
            raise NetworkError(f"a network is made of layers; {layer!r} is not one")
    if not layers or layers[0].n_inputs != 0:
        raise NetworkError("a chain of layers begins with an Input, as in Network([Input(4), Dense(1)])")
    if any(layer.n_inputs == 0 for layer in layers[1:]):
        raise NetworkError("a chain has one Input, at its beginning; for several, give inputs and outputs")
    first = value = Value(layers[0])
    for layer in layers[1:]:
        value = layer(value)
    return first, value


def _graph(
    inputs: Value | Layer | Sequence[Value | Layer] | None, outputs: Value | Layer | Mapping[str, Value | Layer]
) -> tuple[tuple[Node, ...], dict[str, str]]:
    """Nodes in topological order with unique names, and the heads by name."""
    heads = outputs if isinstance(outputs, Mapping) else {"": outputs}
    if not heads:
        raise NetworkError("a network needs at least one output")
    if inputs is None:
        given: list[Value] = []
    elif isinstance(inputs, (Value, Layer)):
        given = [as_value(inputs)]
    else:
        given = [as_value(value) for value in inputs]
    ends = [as_value(value) for value in heads.values()]
    order = _topological(given, ends)
    if inputs is not None:
        _check_inputs(given, ends)
    names = _names([value.layer for value in order])
    nodes = tuple(
        Node(replace(value.layer, name=names[id(value.layer)]), tuple(names[id(read.layer)] for read in value.inputs))
        for value in order
    )
    by_head = {head or names[id(end.layer)]: names[id(end.layer)] for head, end in zip(heads, ends, strict=True)}
    _check_names(by_head)
    return nodes, by_head


def _topological(first: list[Value], ends: list[Value]) -> list[Value]:
    """Every value once, each after the values that it reads; without recursion, so that depth has no limit."""
    order: dict[int, Value] = {}
    stack = list(reversed(first + ends))
    while stack:
        value = stack[-1]
        known = order.get(id(value.layer))
        if known is not None:
            if [id(read.layer) for read in known.inputs] != [id(read.layer) for read in value.inputs]:
                raise NetworkError(
                    f'the layer "{value.layer.name or type(value.layer).__name__}" is applied twice; a layer holds '
                    "one set of parameters for one place: make a second layer"
                )
            stack.pop()
            continue
        waiting = [read for read in value.inputs if id(read.layer) not in order]
        if waiting:
            stack += reversed(waiting)
        else:
            order[id(value.layer)] = stack.pop()
    return list(order.values())


def _check_inputs(given: list[Value], ends: list[Value]) -> None:
    reached = {id(value.layer): value.layer for value in _topological([], ends) if value.layer.n_inputs == 0}
    missing = [
        layer.name or "without a name" for key, layer in reached.items() if key not in {id(v.layer) for v in given}
    ]
    if missing:
        raise NetworkError(f"the outputs depend on inputs that are not among `inputs`: {listed(missing)}")
    unused = [value.layer.name or "without a name" for value in given if id(value.layer) not in reached]
    if unused:
        raise NetworkError(f"no output depends on these inputs: {listed(unused)}")


def _names(layers: list[Layer]) -> dict[int, str]:
    """A unique name for every layer: its own, or its type with a number."""
    taken = {layer.name for layer in layers if layer.name}
    names: dict[int, str] = {}
    for layer in layers:
        name = layer.name
        if not name:
            stem = _snake(type(layer).__name__)
            same = sum(type(other) is type(layer) for other in layers)
            number = 1
            name = stem if same == 1 else f"{stem}_{number}"
            while name in taken:
                number += 1
                name = f"{stem}_{number}"
            taken.add(name)
        names[id(layer)] = name
    _check_names(list(names.values()))
    return names


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def _check_names(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if not name or not isinstance(name, str) or _NOT_IN_NAMES & set(name):
            raise NetworkError(
                f"{name!r} can't be a name: a name is not empty, and has no spaces and none of / [ ] , ;"
            )
        if name in seen:
            raise NetworkError(f'two layers are called "{name}"; names must differ')
        seen.add(name)


def _node(entry: Mapping[str, Any]) -> Node:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("inputs"), list):
        raise NetworkError(f"a layer's JSON form has a type, fields and a list of inputs; this one is {entry!r}")
    options = {key: value for key, value in entry.items() if key not in ("type", "inputs")}
    cls = LAYERS.get(entry.get("type", ""))
    if cls is None:
        raise NetworkError(f"there is no layer type {entry.get('type')!r}.{did_you_mean(entry.get('type'), LAYERS)}")
    try:
        return Node(cls(**options), tuple(entry["inputs"]))
    except TypeError as error:
        raise NetworkError(f'layer "{entry.get("name")}" can\'t be made from its JSON form: {error}') from None

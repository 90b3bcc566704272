"""Which quantity is computed from which: built on demand, out of the layers, losses and optimizer that train.

Forward formulas come from the layers; the chain rule is applied here, once, for all of them: the gradient by a value is
the sum, over everything that reads it, of the reader's gradient times the reader's derivative by the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from chainrule.arrays import Array
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.explain.network.trace import Trace
from chainrule.explain.quantities.names import COUNTS, GIVEN, KINDS, PARAMETERS, Name, parse
from chainrule.explain.quantities.notation import Places
from chainrule.explain.quantities.protocol import Position
from chainrule.explain.quantities.recipes import Recipe
from chainrule.layers import Activation, Dense
from chainrule.layers.element import Source, Term
from chainrule.steps import Step

FORWARD = frozenset({"x", "W", "b", "scale", "shift", "z", "h", "dh/dz", "dz/dW", "dz/db", *COUNTS})
Builder = Callable[["Graph", Name], tuple[Recipe, ...]]


PASSED_BACK = frozenset({"dL/dh", "dL/dz", "dL/dx", "dloss/dh", "back"})  # the gradients that paths lead through


class Graph:
    """The quantities of a trace: their values, and the recipes by which each can be computed.

    Most have one recipe. Some have several, where the field knows several routes to one number: `dL/dz` as
    `dL/dh dh/dz` or as `h - y`; the first is the chain rule's.
    """

    def __init__(self, trace: Trace):
        self.trace = trace
        self.program = trace.program
        self.slot_kinds: list[str] = []
        self.slots: dict[tuple[str, str], int] = {}  # (kind, layer) -> slot
        self._aliases: dict[tuple[str, str], tuple[str, str]] = {}
        self.single_input = len(self.program.inputs) == 1
        self.single_head = len(trace.heads) == 1
        self.forward_only = not trace.has_target
        self.without_update = not trace.has_update
        self._recipes: dict[Name, tuple[Recipe, ...]] = {}
        self._elements: dict[tuple[int, int, int], tuple[Term, ...] | None] = {}
        self._terms: dict[tuple[int, int, int], dict[Source, tuple[Term, ...]]] = {}
        for slot in self.program.slots:
            step = None if slot.producer is None else self.program.steps[slot.producer]
            kind = "x" if step is None else "z" if isinstance(step.layer, Dense) else "h"
            self.slot_kinds.append(kind)
            self.slots[kind, "" if step is None and self.single_input else slot.name] = slot.index
        self.parameter_steps = {
            (span.name, span.layer): (self.program.steps[span.step], span) for span in trace.network.layout.spans
        }
        self.activation_steps = {step.name: step for step in self.program.steps if isinstance(step.layer, Activation)}
        self.head_of = {head.head: i for i, head in enumerate(trace.heads)}

    # ------------------------------------------------- what derivations ask (`quantities/protocol.py`)

    end = Name("L")

    def parse(self, text: str) -> Name:
        """The name that a text spells, checked."""
        return self.resolve(parse(text))

    def spelled(self, name: Name) -> str:
        """A name as people write it."""
        return str(name)

    def position(self, name: Name) -> Position:
        """Where a quantity stands in the order of computation."""
        from chainrule.explain.network.order import position

        return position(self, name)

    def in_order(self) -> Iterator[Name]:
        """Every computed quantity, in the order of computation."""
        from chainrule.explain.network.order import in_order

        return in_order(self)

    def uses(self, name: Name) -> int:
        """How many later quantities are computed from one."""
        from chainrule.explain.network.uses import count_uses

        return count_uses(self, name)

    def is_passed_back(self, name: Name) -> bool:
        """Whether a quantity is a gradient that paths lead through."""
        return name.kind in PASSED_BACK

    def gradient_of(self, name: Name) -> Name:
        """The gradient by a quantity; of a gradient, itself."""
        if name.kind in ("x", "z", "h", *PARAMETERS):
            return name._replace(kind=f"dL/d{name.kind}")
        if name.kind.startswith("dL/d"):
            return name
        raise InputError(f'"{name}" has no gradient here; paths lead from W, b, x, z or h, as in W[hidden,1,1]')

    def value_of(self, gradient: Name) -> Name:
        """The quantity that a gradient is by."""
        return gradient._replace(kind=gradient.kind.removeprefix("dL/d"))

    @property
    def places(self) -> Places:
        """The places of the layers, for notations that number them."""
        dense = [step for step in self.program.steps if isinstance(step.layer, Dense)]
        sizes = {step.name: step.parameters[0].shape for step in dense}
        return Places(
            {step.name: i + 1 for i, step in enumerate(dense)},
            {name: (shape[0], shape[1]) for name, shape in sizes.items()},
            dense[-1].name if dense else "",
            self.trace.n_rows,
        )

    # ------------------------------------------------------------------ names

    def name_of(self, slot: int, row: int, unit: int, gradient: bool = False) -> Name:
        """The name of an element of a slot (row and unit from 0), or of the gradient by it."""
        kind = self.slot_kinds[slot]
        layer = "" if kind == "x" and self.single_input else self.program.slots[slot].name
        return Name(f"dL/d{kind}" if gradient else kind, layer, (unit + 1,), self.row_name(row))

    def row_name(self, row: int) -> int | None:
        """A row (from 0) as names say it."""
        return None if self.trace.n_rows == 1 else row + 1

    def row_of(self, name: Name) -> int:
        """The row of a name, from 0."""
        return (name.row or 1) - 1

    def rows_of(self, name: Name) -> Iterable[int]:
        """The rows that a quantity belongs to."""
        return range(self.trace.n_rows) if name.row is None else (name.row - 1,)

    def resolve(self, name: Name) -> Name:
        """The name as this network uses it: checked, `h` of a layer without activation taken for its `z`, and so on.

        Raises:
            InputError: there is no such quantity here; the message says what there is.
        """
        kind = KINDS[name.kind]
        row = name.row
        if self.forward_only and name.kind not in FORWARD:
            raise InputError(f'"{name}" depends on the target, and none is given: there is no y')
        if self.without_update and name.kind.endswith("+"):
            raise InputError(f'"{name}": no update is asked for (a worksheet says it in [update])')
        if kind.per_row:
            if self.trace.n_rows == 1 and row == 1:
                row = None
            if self.trace.n_rows > 1 and row is None:
                raise InputError(f'"{name}" doesn\'t say which of the {self.trace.n_rows} rows: {_with_row(name)}')
            if row is not None and row > self.trace.n_rows:
                raise InputError(f'"{name}": there {_are(self.trace.n_rows, "row")}')
        name = name._replace(row=row)
        base = name.kind.removeprefix("dL/d").removesuffix("+")
        if name.kind == "dh/dz":
            return self._resolve_slope(name)
        if name.kind in ("dz/dW", "dz/db"):
            self._check_index(name, self._parameter_shape(name, name.kind[-1]))
        elif base in PARAMETERS:
            self._check_index(name, self._parameter_shape(name, base))
        elif base in ("x", "z", "h"):
            name = self._resolve_slot(name, base)
        elif name.kind in ("y", "loss", "dloss/dh"):
            name = self._resolve_head(name)
        elif name.kind in COUNTS and name.layer:
            self._check_learns(name)
        elif name.kind == "back":
            slot = self._slot(name, "h")
            self._check_index(name, self.program.slots[self.program.steps[self._producer(slot)].inputs[0]].shape)
        return name

    def _resolve_slot(self, name: Name, base: str) -> Name:
        prefix = name.kind[: len(name.kind) - len(base)]
        if base == "x" and self.single_input:
            only = self.program.inputs[0]
            if name.layer not in ("", only.name):
                raise InputError(f'"{name}": the only input is "{only.name}"')
            name, slot = name._replace(layer=""), only.index
        else:
            found = self.slots.get((base, name.layer))
            if found is None:
                alias = self._alias(name, base)
                slot = alias
                kind = self.slot_kinds[slot]
                layer = "" if kind == "x" and self.single_input else self.program.slots[slot].name
                name = name._replace(kind=f"{prefix}{kind}", layer=layer)
            else:
                slot = found
        size = 1
        for n in self.program.slots[slot].shape:
            size *= n
        self._check_index(name, (size,))
        return name

    def _alias(self, name: Name, base: str) -> int:
        """`h` of a dense layer without activation is its `z`; `z` of any other layer is what it reads."""
        if base == "h" and ("z", name.layer) in self.slots:
            return self.slots["z", name.layer]
        if base == "z" and name.layer in self.activation_steps:
            return self.activation_steps[name.layer].inputs[0]
        layers = [self.program.slots[slot].name for (kind, _), slot in self.slots.items() if kind == base]
        raise InputError(
            f'"{name}": there is no layer "{name.layer}" with {base}.{did_you_mean(name.layer, layers)} '
            f"There are {listed(layers)}"
        )

    def _slot(self, name: Name, base: str) -> int:
        found = self.slots.get((base, name.layer))
        return self._alias(name, base) if found is None else found

    def _resolve_slope(self, name: Name) -> Name:
        step = self.activation_steps.get(name.layer)
        if step is None:
            raise InputError(
                f'"{name}": "{name.layer}" has no activation.{did_you_mean(name.layer, self.activation_steps)}'
                f" These have: {listed(self.activation_steps)}"
            )
        n = self.program.slots[step.output].shape[0]
        coupled = self.is_coupled(step)
        if coupled != (len(name.index) == 2):
            raise InputError(
                f'"{name}": the units of a softmax depend on each other, so two indices: dh/dz[{name.layer},i,j]'
                if coupled
                else f'"{name}": one index is enough, dh/dz[{name.layer},{name.index[0]}]'
            )
        self._check_index(name, (n,) * len(name.index))
        return name

    def _resolve_head(self, name: Name) -> Name:
        heads = list(self.head_of)
        layer = heads[0] if not name.layer and self.single_head else name.layer
        if layer not in self.head_of:
            raise InputError(
                f'"{name}": there is no head "{layer}".{did_you_mean(layer, heads)} There are {listed(heads)}'
            )
        head = self.trace.heads[self.head_of[layer]]
        if name.kind == "loss" and head.loss.separable and not name.index and head.outputs == 1:
            name = name._replace(index=(1,))  # a row's loss is the only output's share
        if name.kind == "loss" and head.loss.separable != bool(name.index):
            raise InputError(
                f'"{name}": say which output, {name._replace(index=(1,))}; '
                "a row's loss is the sum of its outputs' shares"
                if head.loss.separable
                else f'"{name}": the loss "{head.loss.name}" is no sum over outputs; ask for "loss"'
            )
        if name.index:
            self._check_index(name, (head.outputs,))
        if name.kind == "dloss/dh":
            return name._replace(layer=layer)
        return name._replace(layer="" if self.single_head else layer)

    def _check_learns(self, name: Name) -> None:
        layers = list(dict.fromkeys(layer for _, layer in self.parameter_steps))
        if name.layer not in layers:
            raise InputError(
                f'"{name}": there is no layer "{name.layer}" with parameters.{did_you_mean(name.layer, layers)} '
                f"There are {listed(layers) or 'none'}"
            )

    def _parameter_shape(self, name: Name, parameter: str) -> tuple[int, ...]:
        found = self.parameter_steps.get((parameter, name.layer))
        if found is None:
            layers = [layer for p, layer in self.parameter_steps if p == parameter]
            raise InputError(
                f'"{name}": the layer "{name.layer}" has no {parameter}.{did_you_mean(name.layer, layers)} '
                f"These have: {listed(layers) or 'none'}"
            )
        return found[1].shape

    @staticmethod
    def _check_index(name: Name, shape: tuple[int, ...]) -> None:
        for given, size in zip(name.index, shape, strict=False):
            if given > size:
                raise InputError(f'"{name}" does not exist: the index {given} is above {size}')

    def is_coupled(self, step: Step) -> bool:
        """Whether the units of an activation depend on each other (softmax)."""
        return isinstance(step.layer, Activation) and step.layer.f.name == "softmax"

    def _producer(self, slot: int) -> int:
        producer = self.program.slots[slot].producer
        assert producer is not None
        return producer

    # ----------------------------------------------------------------- values

    def recipes(self, name: Name) -> tuple[Recipe, ...]:
        """The ways to compute a quantity, the chain rule's first; none for what is given."""
        found = self._recipes.get(name)
        if found is None:
            from chainrule.explain.network.builders import BUILDERS

            found = () if name.kind in GIVEN else BUILDERS[name.kind](self, name)
            self._recipes[name] = found
        return found

    def value(self, name: Name) -> float:
        """The engine's value of a quantity."""
        trace, kind = self.trace, name.kind
        if kind in ("x", "z", "h"):
            return float(trace.value(self._slot_index(name, kind))[self.row_of(name), name.index[0] - 1])
        if kind == "y":
            return float(trace.targets(self._head_index(name))[self.row_of(name), name.index[0] - 1])
        if kind in PARAMETERS:
            step, _ = self.parameter_steps[kind, name.layer]
            return self._element(trace.parameters[step.index][kind], name)
        if kind in ("dL/dx", "dL/dz", "dL/dh"):
            slot = self._slot_index(name, kind.removeprefix("dL/d"))
            return float(trace.gradient(slot)[self.row_of(name), name.index[0] - 1])
        if kind == "L":
            return trace.loss
        if kind == "penalty":
            return trace.penalty
        if kind.startswith("dL/d"):
            parameter = kind.removeprefix("dL/d")
            step, _ = self.parameter_steps[parameter, name.layer]
            return self._element(trace.parameter_gradients[step.index][parameter], name)
        if kind.endswith("+"):
            step, _ = self.parameter_steps[kind[:-1], name.layer]
            return self._element(trace.updated[step.index][kind[:-1]], name)
        # local derivatives and shares of the loss are no arrays of the engine: computed from those that are
        from chainrule.explain.quantities.recipes import evaluate

        return evaluate(self.recipes(name)[-1 if kind == "loss" else 0], self.value)

    def _slot_index(self, name: Name, base: str) -> int:
        return self.slots[base, name.layer]

    def _head_index(self, name: Name) -> int:
        return 0 if self.single_head else self.head_of[name.layer]

    @staticmethod
    def _element(array: Array, name: Name) -> float:
        return float(array[tuple(i - 1 for i in name.index)])


def _with_row(name: Name) -> str:
    return f"{name._replace(row=1)}, for example"


def _are(n: int, what: str) -> str:
    return f"is 1 {what}" if n == 1 else f"are {n} {what}s"

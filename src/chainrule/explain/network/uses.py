"""How many later quantities are computed from one: what memoization saves is each use after the first.

Counted from the structure, without building the quantities: a weight of 784-128-64-10 must not cost a hundred thousand.
"""

from __future__ import annotations

from chainrule.explain.network.costs import charges, head_slot
from chainrule.explain.network.graph import Graph
from chainrule.explain.quantities.names import COUNTS, PARAMETERS, Name
from chainrule.layers import Activation, Add, BatchNorm, Concatenate, Dense
from chainrule.steps import Step


def count_uses(graph: Graph, name: Name) -> int:
    """How many quantities (by their first recipe) have this one among their inputs."""
    kind = name.kind
    if kind in ("x", "z", "h"):
        return _of_value(graph, graph.slots[kind, name.layer])
    if kind in ("dL/dz", "dL/dh"):
        producer = graph.program.slots[graph.slots[kind[-1], name.layer]].producer
        assert producer is not None
        return _of_delta(graph, graph.program.steps[producer])
    if kind == "y":
        return 2 * graph.trace.heads[graph._head_index(name)].loss.separable
    if kind in PARAMETERS:
        return _of_parameter(graph, name)
    if kind.startswith("dL/d") and kind != "dL/dx":
        return int(_is_updated(graph, Name(kind.removeprefix("dL/d"), name.layer, name.index)))
    if kind in COUNTS:
        return int(bool(name.layer)) + int(kind != "parameters")
    return int(kind in ("loss", "penalty", "dloss/dh", "dh/dz", "dz/dW", "back"))


def _of_value(graph: Graph, slot: int) -> int:
    rows, program = graph.trace.n_rows, graph.program
    coupled_rows = rows if graph.trace.training else 1
    n = graph.trace.value(slot).shape[1]
    total = 0
    for index in dict.fromkeys(program.readers(slot)):
        step = program.steps[index]
        times = step.inputs.count(slot)
        if isinstance(step.layer, Dense):
            total += 2 * step.layer.units  # each unit's z, and each weight's dz/dW
        elif isinstance(step.layer, Activation):
            coupled = graph.is_coupled(step)
            total += n if coupled else 1 + (step.layer.f.needs == "z")
        elif isinstance(step.layer, BatchNorm):
            total += 2 * coupled_rows + 2  # normalized values, what is passed back, and the two learned numbers
        else:
            total += times if isinstance(step.layer, Concatenate) else 1
    producer = program.slots[slot].producer
    if producer is not None and isinstance(program.steps[producer].layer, Activation):
        step = program.steps[producer]
        assert isinstance(step.layer, Activation)
        if graph.is_coupled(step):
            total += 2 * n - 1
        elif step.layer.f.needs == "h":
            total += 1
    for head in graph.trace.heads:
        if head_slot(graph, head) == slot:
            total += 2 if head.loss.separable else 1 + head.outputs
    return total


def _of_delta(graph: Graph, step: Step) -> int:
    if isinstance(step.layer, Dense):
        n_inputs = graph.trace.value(step.inputs[0]).shape[1]
        return 2 * n_inputs + step.layer.bias  # the weights' gradients, the inputs' and the bias's
    if isinstance(step.layer, Activation):
        return graph.trace.value(step.output).shape[1] if graph.is_coupled(step) else 1
    if isinstance(step.layer, BatchNorm):
        return (graph.trace.n_rows if graph.trace.training else 1) + 2
    return len(set(step.inputs)) if isinstance(step.layer, Add) else 1


def _of_parameter(graph: Graph, name: Name) -> int:
    step, span = graph.parameter_steps[name.kind, name.layer]
    rows = graph.trace.n_rows
    update = int(not graph.trace.optimizer.full_batch)
    l1, l2 = charges(graph, span.offset)
    penalties = bool(l1 or l2) + bool(l2)  # the penalty itself, and the gradient (of l1 it has the sign only)
    if isinstance(step.layer, BatchNorm):
        return 2 * rows + 2 + update
    return rows * (2 if name.kind == "W" else 1) + penalties + update


def _is_updated(graph: Graph, name: Name) -> bool:
    _, span = graph.parameter_steps[name.kind, name.layer]
    learned = graph.trace.learn_biases or getattr(span.spec, "kind", "") != "bias"
    return learned and getattr(span.spec, "trainable", True) and not graph.trace.optimizer.full_batch

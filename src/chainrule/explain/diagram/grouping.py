"""Which layers of a network stand together in a picture, how deep, and which unit reads which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from chainrule.explain.network.graph import Graph
from chainrule.explain.network.sums import SumOfProducts
from chainrule.explain.network.whole import Normalized
from chainrule.layers.element import Learned, Read
from chainrule.steps import Step

MERGED = {"Flatten": "flattened", "Dropout": "dropout", "BatchNorm": "batch norm"}


@dataclass
class Cluster:
    """Layers whose units stand in the same circles: the first reads other clusters, the others work unit by unit.

    Arguments:
        first: the step that reads other clusters; None for an input.
        slots: what is computed in it, in order; the last is what others read.
        layers: the names of its layers.
        functions: what is done, in words.
        reads: the clusters that it reads.
        depth: how many clusters the longest way from an input to it has.
    """

    first: Step | None
    slots: list[int]
    layers: list[str]
    functions: list[str] = field(default_factory=list)
    reads: tuple[int, ...] = ()
    depth: int = 0


@dataclass(frozen=True)
class Joint:
    """What a unit reads: an element of another cluster, and how; `unit` counts from 0."""

    cluster: int
    unit: int
    learned: Learned | None = None
    factor: float = 1.0


def clusters_of(graph: Graph) -> list[Cluster]:
    """The clusters of a network, inputs first, each after those that it reads."""
    found = [Cluster(None, [slot.index], [slot.name]) for slot in graph.program.inputs]
    at = {slot.index: i for i, slot in enumerate(graph.program.inputs)}  # slot -> cluster
    for step in graph.program.steps:
        own = _works_unit_by_unit(graph, step, found[at[step.inputs[0]]])
        number = at[step.inputs[0]] if own else len(found)
        if not own:
            found.append(Cluster(step, [], [], reads=tuple(dict.fromkeys(at[slot] for slot in step.inputs))))
        cluster = found[number]
        cluster.slots.append(step.output)
        cluster.layers += [step.name] * (step.name not in cluster.layers)
        cluster.functions += _words(step)
        at[step.output] = number
    for cluster in found:
        cluster.depth = 1 + max((found[i].depth for i in cluster.reads), default=-1)
    readers = [[other.depth for other in found if i in other.reads] for i in range(len(found))]
    for cluster, depths in zip(found, readers, strict=True):
        if cluster.first is None and depths:  # an input stands right before what reads it
            cluster.depth = min(depths) - 1
    return found


def _words(step: Step) -> list[str]:
    if step.layer.applies is not None:
        return [step.layer.applies.name] if step.layer.applies.name != "linear" else []
    kind = type(step.layer).__name__
    return [] if kind == "Dense" else [MERGED.get(kind, kind)]


def _works_unit_by_unit(graph: Graph, step: Step, before: Cluster) -> bool:
    """Whether a step goes on in the circles of what it reads: an activation, batch normalization, dropout ..."""
    slot, size = step.inputs[0], graph.sizes[step.inputs[0]]
    if len(step.inputs) != 1 or size != graph.sizes[step.output] or graph.is_code[slot]:
        return False
    is_head = any(head.slot == slot for head in graph.program.heads)  # then it keeps circles of its own
    if before.slots[-1] != slot or len(graph.readers[slot]) > 1 or is_head:
        return False
    if before.first is None and type(step.layer).__name__ != "Flatten":
        return False
    operation = graph.operations[step.index]
    if step.layer.applies is not None or isinstance(operation, Normalized):
        return True
    return isinstance(operation, SumOfProducts) and all(
        len(source.index) < 2 if isinstance(source, Learned) else source.unit == unit
        for unit in {0, size - 1}
        for term in operation.terms(0, unit)
        for source in term.factors
    )


def joints(graph: Graph, clusters: list[Cluster], number: int, row: int, unit: int) -> list[Joint]:
    """What a unit of a cluster reads, each element once; `row` and `unit` count from 0."""
    step = clusters[number].first
    if step is None:
        return []
    at = {cluster.slots[-1]: i for i, cluster in enumerate(clusters)}
    sources = [at[slot] for slot in step.inputs]
    operation = graph.operations[step.index]
    if not isinstance(operation, SumOfProducts):
        apart = isinstance(operation, Normalized) or (step.layer.applies is not None and not graph.is_coupled(step))
        pairs = zip(sources, step.inputs, strict=True)
        return [Joint(c, u) for c, slot in pairs for u in ([unit] if apart else range(graph.sizes[slot]))]
    found: dict[tuple[int, int], Joint] = {}
    terms = operation.terms(row, unit)
    for i, term in enumerate(terms):
        learned = next((factor for factor in term.factors if isinstance(factor, Learned)), None)
        reads = [factor for factor in term.factors if isinstance(factor, Read)]
        if not reads and graph.is_code[step.inputs[0]]:  # a number looked up by a code
            columns = graph.sizes[step.inputs[0]]
            column = i if len(terms) == columns else unit * columns // graph.sizes[step.output]
            reads = [Read(column)]
        for read in reads:
            key = (sources[read.input], read.unit)
            found.setdefault(key, Joint(*key, learned, term.coefficient))
    return list(found.values())


def own_numbers(graph: Graph, cluster: Cluster, row: int, unit: int) -> Iterator[tuple[str, Learned]]:
    """The numbers that are learned for a unit alone, with their layers: biases, scales."""
    for slot in cluster.slots:
        step = graph.producers[slot]
        if step is None or graph.is_code[step.inputs[0]]:
            continue
        operation = graph.operations[step.index]
        if isinstance(operation, SumOfProducts):
            alone = step is not cluster.first
            for term in operation.terms(row, unit):
                for factor in term.factors:
                    if isinstance(factor, Learned) and (alone or len(term.factors) == 1):
                        yield step.name, factor
        elif isinstance(operation, Normalized):
            yield from ((step.name, Learned(span.name, (unit,))) for span in step.parameters)

"""The diagram of a derivation: the network's units and links in their places, each with its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from chainrule.errors import InputError
from chainrule.explain.diagram.drawn import ABOUT, TITLE, Bound, Diagram, Group, Link, Unit
from chainrule.explain.diagram.grouping import Cluster, Joint, clusters_of, joints, own_numbers
from chainrule.explain.diagram.legible import BOLD, PLAIN, legible
from chainrule.explain.diagram.placing import CROWDED, Box, Places, Spacing, around, place, shown_columns, shown_units
from chainrule.explain.network.graph import Graph
from chainrule.explain.network.structure import Choice
from chainrule.explain.quantities.calculation import Calculation
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.paths import Path, main_path
from chainrule.layers.element import Learned
from chainrule.limits import COUNT, check
from chainrule.plain import shortened

Derivation = Calculation[Graph]
Key = tuple[int, int]  # a cluster and a unit of it, from 1
MOST_LABELLED = 4  # units on the smaller side of layers whose links show their numbers
MOST_LINKS = 20  # of them
LINE = 12.0  # the height of a number at a link


def diagram_of(
    derivation: Derivation, *, row: int | None = None, highlight: str | None = None, unit: int | None = None,
    values: bool = True, labelled: bool = True,
) -> Diagram:  # fmt: skip
    """The network of a derivation as a diagram.

    Arguments:
        derivation: whose numbers are bound to it.
        row: which row's, from 1; left out, that of the highlighted path, or the first.
        highlight: a weight, bias, input or value: its path to the loss that weighs most is highlighted.
        unit: one that is drawn even in a layer too wide to draw whole.
        values: False binds weights alone, not what a row makes of them.
        labelled: False leaves no room for numbers at links: the diagram is narrower.

    Raises:
        InputError: what to highlight doesn't exist, or has no gradient.

    >>> from chainrule import Model, Network
    >>> model = Model(Network.mlp(2, [2], 1, activation="tanh"), "squared_error")
    >>> diagram = diagram_of(model.explain([0.5, 0.8], 1), highlight="W[hidden,2,1]")
    >>> len(diagram.units), len(diagram.links), sum(link.on_path for link in diagram.links)
    (6, 7, 3)
    """
    for name, value in (("row", row), ("unit", unit)):
        if value is not None:
            check("diagram", name, value, COUNT)
    if not isinstance(highlight, str | None):
        raise InputError(f"highlight is a name, as in W[hidden,1,2], not {shortened(highlight)}")
    derivation.graph.check(Choice(row=row, unit=unit))
    return _Drawn(derivation, row, highlight, unit, values, labelled).diagram()


class _Drawn:
    """One diagram in the making."""

    def __init__(
        self, derivation: Derivation, row: int | None, highlight: str | None, unit: int | None, values: bool,
        labelled: bool,
    ):  # fmt: skip
        self.derivation = derivation
        self.graph = graph = derivation.graph
        self.values = values
        self.labelled = labelled
        self.radius = 19.0 if values else 11.0
        self.clusters = clusters_of(graph)
        self.has_loss = values and not graph.forward_only
        self.has_gradients = self.has_loss and graph.is_trainable
        self.path: Path | None = None
        self.start: Name | None = None
        if highlight is not None:
            self.start = graph.value_of(graph.gradient_of(derivation[highlight].name))
            if not self.has_gradients:
                raise InputError(f'"{highlight}": there is no path to highlight without a target and gradients')
            self.path = main_path(graph, self.start, row if graph.trace.n_rows > 1 else None)
        rows = {name.row for name in self._names_on_path() if name.row is not None}
        self.row = row or min(rows, default=1)
        self.keys_on_path = self._keys_on_path()
        self.begins_at = self._source_of_start()
        columns, self.left_out = shown_columns(1 + max(cluster.depth for cluster in self.clusters))
        self.column_of = {depth: i for i, depth in enumerate(columns)}
        keep = [] if unit is None else [unit]
        self.shown = self._shown(keep, fewer=False)
        stacked: dict[int, list[int]] = {}
        for i, units in self.shown.items():
            stacked.setdefault(self.clusters[i].depth, []).append(len(units))
        if any(len(column) > 1 and sum(column) > CROWDED for column in stacked.values()):
            self.shown = self._shown(keep, fewer=True)

    def _shown(self, keep: list[int], *, fewer: bool) -> dict[int, list[tuple[int, int]]]:
        """By cluster the units that are drawn, and how many are left out between them."""
        found = {}
        for i, cluster in enumerate(self.clusters):
            if cluster.depth in self.column_of:
                on_path = [number for at, number in (*self.keys_on_path, *self.begins_at) if at == i]
                size = self.graph.sizes[cluster.slots[-1]]
                found[i] = shown_units(size, [*keep, *on_path], fewer=fewer)
        return found

    # ------------------------------------------------------------------ the path

    def _names_on_path(self) -> list[Name]:
        return [] if self.path is None else [edge.before for edge in reversed(self.path.edges)]

    def _keys_on_path(self) -> list[Key]:
        """The units that the highlighted path leads through, in the order of computation."""
        at = {slot: i for i, cluster in enumerate(self.clusters) for slot in cluster.slots}
        found: list[Key] = []
        for name in self._names_on_path():
            slot = self.graph.slots.get((name.kind, name.layer))
            if slot is not None and (at[slot], name.index[0]) not in found:
                found.append((at[slot], name.index[0]))
        return found

    def _source_of_start(self) -> list[Key]:
        """The unit from which the highlighted weight leads, where it leads from one."""
        for cluster, number in self.keys_on_path[:1]:
            first = self.clusters[cluster].first
            for joint in joints(self.graph, self.clusters, cluster, self.row - 1, number - 1) if first else ():
                if joint.learned and first and self._is_start(self._learned(first.name, joint.learned)):
                    return [(joint.cluster, joint.unit + 1)]
        return []

    def _is_start(self, name: Name | None) -> bool:
        return name is not None and name == self.start

    # ------------------------------------------------------------------- numbers

    def _bound(self, name: Name) -> Bound:
        return Bound(name, self.derivation.notation.text(name), self.graph.value(name))

    def _learned(self, layer: str, learned: Learned) -> Name:
        return Name(learned.name, layer, tuple(i + 1 for i in learned.index))

    def _gradients(self, names: Sequence[Name]) -> tuple[Bound, ...]:
        return tuple(self._bound(self.graph.gradient_of(name)) for name in names) if self.has_gradients else ()

    # --------------------------------------------------------------------- pieces

    def _links(self) -> Iterator[tuple[Key, Key, Joint, str]]:
        """Every link between units that are drawn, with the layer that learns its weight."""
        drawn = {i: {number for number, _ in units if number} for i, units in self.shown.items()}
        for i, numbers in drawn.items():
            first = self.clusters[i].first
            for number in sorted(numbers) if first is not None else ():
                for joint in joints(self.graph, self.clusters, i, self.row - 1, number - 1):
                    if joint.unit + 1 in drawn.get(joint.cluster, ()):
                        yield (joint.cluster, joint.unit + 1), (i, number), joint, first.name if first else ""

    def _short(self, name: Name) -> str:
        """A short symbol for a unit: its letter and number, or what an author calls it."""
        notation = self.derivation.notation
        if notation.style == "ours" and name not in notation.own:
            return f"{name.kind}{name.index[0]}"
        return notation.text(name)

    def _unit(self, i: int, cluster: Cluster, number: int, at: tuple[float, float]) -> Unit:
        graph, row = self.graph, self.row - 1
        names = [graph.name_of(slot, row, number - 1) for slot in cluster.slots]
        learned = [self._learned(layer, one) for layer, one in own_numbers(graph, cluster, row, number - 1)]
        by = [name for slot, name in zip(cluster.slots, names, strict=True) if not graph.is_code[slot]]
        target = None
        if self.has_loss:
            heads = [head for head, slot in zip(graph.heads, graph.head_slots, strict=True) if slot in cluster.slots]
            target = next((self._bound(graph.target_name(head, row, number - 1)) for head in heads), None)
        return Unit(
            i, number, at, self._short(names[-1]),
            tuple(map(self._bound, names)) if self.values else (),
            self._gradients(by), tuple(map(self._bound, learned)), self._gradients(learned), target,
            on_path=(i, number) in self.keys_on_path,
        )  # fmt: skip

    def _labelled(self, source: int, target: int) -> int:
        """How many numbers stand between each two at the links of two clusters; 0 for none."""
        few, many = sorted(sum(number > 0 for number, _ in self.shown[i]) for i in (source, target))
        first = self.clusters[target].first
        if not self.labelled or first is None or not first.parameters or few > MOST_LABELLED or few * many > MOST_LINKS:
            return 0
        adjacent = self.clusters[target].depth - self.clusters[source].depth == 1
        return few if adjacent else 0

    def diagram(self) -> Diagram:
        """All of it, put together."""
        links = list(self._links())
        pairs = dict.fromkeys((source[0], target[0]) for source, target, joint, _ in links if joint.learned)
        room = {pair: self._labelled(*pair) for pair in pairs}
        places, order, spacing = self._places(room)
        units, index = self._units(places, order)
        drawn = self._drawn_links(links, units, index, room, places.height)
        loss_x = places.width
        groups = tuple(self._group(i, places.headings[k]) for k, i in enumerate(order))
        width, height = places.width, places.height
        lowest = max((y for link in drawn for _, y in link.bends), default=0.0)
        if self.has_loss:
            width = loss_x + 46
            at = (loss_x + 12, _middle([unit.place[1] for unit in units if self._is_head_unit(unit)]))
            loss = self._bound(self.graph.end)
            units.append(Unit(None, 0, at, loss.symbol, (loss,), on_path=bool(self.path and self.path.edges)))
            drawn += self._to_the_loss(units)
        meant = sum(link.label is not None for link in drawn)
        drawn = legible(drawn, units, groups, spacing.radius)
        folded = None
        if self.left_out:
            after = [g.place[0] for g, i in zip(groups, order, strict=True)
                     if self.column_of[self.clusters[i].depth] in (4, 5)]  # fmt: skip
            folded = ((_middle(after), height / 2), self.left_out)
        return Diagram(
            width, max(height, lowest + 14), spacing.radius, groups, tuple(units), tuple(drawn),
            self.derivation.digits, folded, self.path, self._bound(self.start) if self.start is not None else None,
            tuple((index[a], index[b]) for a, b in pairwise(self.keys_on_path)
                  if a[0] == b[0] and a in index and b in index),
            self.row if self.values else None, self.graph.trace.n_rows,
            sum(link.label is not None for link in drawn) < meant,
        )  # fmt: skip

    def _order(self) -> list[int]:
        """The clusters that are drawn from left to right, later inputs below what they stand beside."""
        return sorted(self.shown, key=lambda i: (self.clusters[i].depth, self.clusters[i].first is None, i))

    def _places(self, room: dict[tuple[int, int], int]) -> tuple[Places, list[int], Spacing]:
        """Where everything stands, and the clusters in the order in which they are placed."""
        order = self._order()
        boxes = [Box(self.column_of[self.clusters[i].depth], len(self.shown[i])) for i in order]
        lines = LINE * (2 if self.has_gradients else 1)
        least = 82.0 if self.has_gradients else 66.0 if self.values else 50.0 if max(room.values(), default=0) else 36.0
        apart = max([least, *((few + 1) * lines for few in room.values())])
        wide = 46.0 if self.derivation.notation.style == "ours" else 56.0  # with symbols before the numbers
        columns = [0.0]
        for column in range(1, len(self.column_of)):
            here = [i for i in order if self.column_of[self.clusters[i].depth] == column]
            few = max((n for (_, target), n in room.items() if target in here), default=0)
            headings = (self._heading_room(column - 1) + self._heading_room(column)) / 2 + 8
            columns.append(max(112.0, wide * (few + 1), headings) + 40 * (self.left_out > 0 and column == 5))
        spacing = Spacing(apart, columns, self.radius)
        return place(boxes, spacing, 88), order, spacing

    def _heading_room(self, column: int) -> float:
        """How wide the headings of a column are."""
        here = [self._group(i, (0.0, 0.0)) for i in self.shown if self.column_of[self.clusters[i].depth] == column]
        return max(max(BOLD * len(group.title[:TITLE]), PLAIN * len(group.about[:ABOUT])) for group in here)

    def _units(self, places: Places, order: list[int]) -> tuple[list[Unit], dict[Key, int]]:
        units: list[Unit] = []
        index: dict[Key, int] = {}
        for k, i in enumerate(order):
            for (number, folded), at in zip(self.shown[i], places.circles[k], strict=True):
                if number:
                    index[i, number] = len(units)
                    units.append(self._unit(i, self.clusters[i], number, at))
                else:
                    units.append(Unit(i, 0, at, folded=folded))
        renumbered = {i: k for k, i in enumerate(order)}
        return [_regrouped(unit, renumbered) for unit in units], index

    def _drawn_links(
        self, links: list[tuple[Key, Key, Joint, str]], units: list[Unit], index: dict[Key, int],
        room: dict[tuple[int, int], int], height: float,
    ) -> list[Link]:  # fmt: skip
        steps = set(pairwise(self.keys_on_path))
        drawn, lanes = list[Link](), dict[tuple[int, int], float]()
        lowest = max(unit.place[1] for unit in units) + self.radius + 22
        for source, target, joint, layer in links:
            a, b = units[index[source]].place, units[index[target]].place
            name = None if joint.learned is None else self._learned(layer, joint.learned)
            bends: tuple[tuple[float, float], ...] = ()
            if self.clusters[target[0]].depth - self.clusters[source[0]].depth > 1:
                lane = lanes.get((source[0], target[0]), lowest)
                bends = around(a, b, (unit.place for unit in units), self.radius, lane)
                if bends:
                    lanes[source[0], target[0]] = lane + 7
                    lowest = max(lowest, lane + 7)
            few, label = room.get((source[0], target[0]), 0), None
            if few and name is not None and not bends:
                fewer_targets = len(self.shown[target[0]]) <= len(self.shown[source[0]])
                t = 1 / (few + 1) if fewer_targets else few / (few + 1)
                label = (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t)
            begins = self._is_start(name) and target in self.keys_on_path
            drawn.append(
                Link(
                    index[source], index[target], None if name is None else self._bound(name),
                    next(iter(self._gradients([name])), None) if name is not None else None,
                    joint.factor, bends, label, begins or (source, target) in steps,
                )
            )  # fmt: skip
        return drawn

    def _group(self, i: int, at: tuple[float, float]) -> Group:
        cluster, graph = self.clusters[i], self.graph
        is_head = any(head.slot in cluster.slots for head in graph.program.heads)
        size = graph.sizes[cluster.slots[-1]]
        return Group(tuple(cluster.layers), tuple(cluster.functions), size, at, cluster.first is None, is_head)

    def _is_head_unit(self, unit: Unit) -> bool:
        return unit.target is not None

    def _to_the_loss(self, units: Sequence[Unit]) -> list[Link]:
        last = self.keys_on_path[-1] if self.keys_on_path else None
        order = self._order()
        return [
            Link(i, len(units) - 1, on_path=last is not None and (order[unit.group], unit.number) == last)
            for i, unit in enumerate(units)
            if unit.group is not None and self._is_head_unit(unit)
        ]


def _middle(numbers: Sequence[float]) -> float:
    return (min(numbers) + max(numbers)) / 2 if numbers else 0.0


def _regrouped(unit: Unit, numbers: dict[int, int]) -> Unit:
    return unit if unit.group is None else replace(unit, group=numbers[unit.group])

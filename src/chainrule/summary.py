"""How many parameters a network has, and the table that says so."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chainrule.plain import visible
from chainrule.steps import Program


@dataclass(frozen=True)
class LayerCount:
    """The parameters of one layer. `scales` are those of batch normalization and of `Scale`."""

    name: str
    weights: int
    biases: int
    scales: int = 0

    @property
    def total(self) -> int:
        """All of the layer's parameters."""
        return self.weights + self.biases + self.scales


@dataclass(frozen=True)
class Count:
    """The parameters of a network, and of each layer that has any."""

    layers: tuple[LayerCount, ...]

    @property
    def weights(self) -> int:
        """All weights."""
        return sum(layer.weights for layer in self.layers)

    @property
    def biases(self) -> int:
        """All biases (and the shifts of batch normalization)."""
        return sum(layer.biases for layer in self.layers)

    @property
    def scales(self) -> int:
        """All scales, of batch normalization and of `Scale`."""
        return sum(layer.scales for layer in self.layers)

    @property
    def total(self) -> int:
        """All parameters."""
        return sum(layer.total for layer in self.layers)


def count_parameters(program: Program, biases: bool = True) -> Count:
    """Count what a program learns; `biases=False` leaves the biases out, as some texts do."""
    layers = []
    for step in program.steps:
        sizes = {"weight": 0, "bias": 0, "scale": 0}
        for span in step.parameters:
            sizes[span.spec.kind] += math.prod(span.shape)  # type: ignore[union-attr]  # parameters have a kind
        if step.parameters:
            layers.append(LayerCount(step.name, sizes["weight"], sizes["bias"] * biases, sizes["scale"]))
    return Count(tuple(layers))


def summary_text(program: Program) -> str:
    """The table of `Network.summary`: a line for each layer, and the sums below."""
    counts = {layer.name: layer for layer in count_parameters(program).layers}
    header = ("layer", "type", "reads", "output", "weights", "biases", "total")
    rows = [(visible(slot.name), "Input", "", _shape(slot.shape), "", "", "") for slot in program.inputs]
    for step in program.steps:
        reads = ", ".join(program.slots[i].name for i in step.inputs)
        reads = "" if reads == step.name else reads  # the activation of the dense layer above
        function = step.layer.applies
        kind = type(step.layer).__name__ if function is None else function.name
        count = counts.get(step.name) if step.parameters else None
        numbers = (f"{count.weights:,}", f"{count.biases:,}", f"{count.total:,}") if count else ("", "", "")
        rows.append((visible(step.name), kind, visible(reads), _shape(program.slots[step.output].shape), *numbers))
    total = count_parameters(program)
    rows.append(("total", "", "", "", f"{total.weights:,}", f"{total.biases:,}", f"{total.total:,}"))
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [
        "  ".join(
            cell.rjust(w) if i > 2 else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [header, *rows]
    ]
    rule = "-" * max(len(line) for line in lines)
    heads = ", ".join(f"{visible(head.name)} ({_shape(head.shape)})" for head in program.heads)
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], f"heads: {heads}"])


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)

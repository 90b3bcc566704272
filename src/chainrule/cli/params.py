"""`chainrule params`: the weight calculator."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from chainrule.cli.screen import new_table, print_json, say, show
from chainrule.errors import InputError


def params(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK", help="Sizes of the layers from input to output, as in 5-4-3-2-1.", show_default=False
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Count the weights and biases of a dense network, layer by layer.

    Example:

        chainrule params 5-4-3-2-1
    """
    from chainrule.network import Network

    sizes = _sizes(network)
    count = Network.mlp(sizes[0], sizes[1:-1], sizes[-1]).count()
    if as_json:
        layers = [{"layer": c.name, "weights": c.weights, "biases": c.biases, "total": c.total} for c in count.layers]
        print_json(
            {
                "network": network,
                "layers": layers,
                "weights": count.weights,
                "biases": count.biases,
                "total": count.total,
            }
        )
        return
    shown = new_table("layer", "arithmetic", "weights", "biases", "total", right=(1, 2, 3, 4))
    for n_inputs, layer in zip(sizes, count.layers, strict=False):
        shown.add_row(
            layer.name,
            f"{n_inputs:,} x {layer.biases:,} + {layer.biases:,}",
            f"{layer.weights:,}",
            f"{layer.biases:,}",
            f"{layer.total:,}",
        )
    shown.add_section()
    shown.add_row(Text("all", "bold"), "", f"{count.weights:,}", f"{count.biases:,}", Text(f"{count.total:,}", "bold"))
    show(shown)
    say(f"without biases {count.weights:,}, with biases {count.total:,}")


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.replace(",", "-").split("-")]
    except ValueError:
        sizes = []
    if len(sizes) < 2 or min(sizes) < 1:
        raise InputError(f'"{text}" is no network; give the sizes of at least two layers, as in 5-4-3-2-1')
    return sizes

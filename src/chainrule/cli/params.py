"""`chainrule params`: the weight calculator."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from chainrule.cli.screen import new_table, print_json, say, show
from chainrule.cli.shapes import sizes


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

    layers = sizes(network)
    count = Network.mlp(layers[0], layers[1:-1], layers[-1]).count()
    if as_json:
        counted = [{"layer": c.name, "weights": c.weights, "biases": c.biases, "total": c.total} for c in count.layers]
        print_json(
            {
                "network": network,
                "layers": counted,
                "weights": count.weights,
                "biases": count.biases,
                "total": count.total,
            }
        )
        return
    shown = new_table("layer", "arithmetic", "weights", "biases", "total", right=(1, 2, 3, 4))
    for n_inputs, layer in zip(layers, count.layers, strict=False):
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

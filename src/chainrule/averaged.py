"""The mean of several networks as one network: what an ensemble answers, in a form that can be explained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.arrays import Array
from chainrule.layers import Add, Layer, Scale
from chainrule.layers.base import Value, as_value
from chainrule.network import Network
from chainrule.parameters import Named


def mean_network(network: Network, copies: int) -> Network:
    """Copies of a network beside each other; each head is the mean of theirs.

    A layer's copies have their number after its name. A head's outputs are added up and multiplied by a fixed factor,
    which is to be 1 / copies.

    >>> net = mean_network(Network.mlp(2, [3], 1), 2)
    >>> [layer.name for layer in net.layers]
    ['x', 'hidden_1', 'output_1', 'hidden_2', 'output_2', 'output_sum', 'output']
    """
    inputs = {node.layer.name: as_value(node.layer) for node in network.nodes if not node.inputs}
    ends: dict[str, list[Value | Layer]] = {head: [] for head in network.outputs}
    for copy in range(1, copies + 1):
        values = dict(inputs)
        for node in network.nodes:
            if node.inputs:
                layer = replace(node.layer, name=f"{node.layer.name}_{copy}")
                values[node.layer.name] = layer(*(values[name] for name in node.inputs))
        for head, name in network.outputs.items():
            ends[head].append(values[name])
    means = {head: Scale(trainable=False, name=head)(Add(name=f"{head}_sum")(*those)) for head, those in ends.items()}
    return Network(inputs=list(inputs.values()), outputs=means)


def mean_parameters(network: Network, parameters: Array) -> Named:
    """The parameters of `mean_network`, by layer and name, from those of each network: (copies, size)."""
    copies = len(parameters)
    named = _by_copy([network.layout.named(own) for own in parameters])
    for head in network.heads:
        named[head.name] = {"scale": np.full(head.shape, 1 / copies, parameters.dtype)}
    return named


def mean_state(network: Network, state: Array) -> Named:
    """What `mean_network` keeps but doesn't learn, by layer and name, from that of each network: (copies, size)."""
    return _by_copy([network.state_layout.named(own) for own in state])


def _by_copy(each: list[Named]) -> Named:
    return {f"{layer}_{i}": dict(arrays) for i, own in enumerate(each, 1) for layer, arrays in own.items()}

"""Random networks by the functional construction: a description as JSON, its network, and rows that suit it."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import Any

import numpy as np

import chainrule as cr

# fmt: off
ACTIVATIONS = (
    "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus",
    "exponential", "softmax", "threshold",
)
OTHERS = ("Activation", "BatchNorm", "Scale", "Dropout", "Add", "Concatenate", "PiecewiseLinear")
# fmt: on
NUMBER_LOSSES = ("squared_error", "half_squared_error", "absolute_error", "huber", "quantile")
COUNT_LOSSES = ("poisson", "poisson_deviance")

Arrays = dict[str, Any]


def generate_network(rng: random.Random, *, wide: bool = False) -> dict[str, Any]:
    """Inputs, nodes that read earlier values, and heads: values are counted, inputs first."""
    most = 40 if wide else 6
    inputs: list[dict[str, Any]] = []
    firsts: list[dict[str, Any]] = []  # what turns an input into a vector of numbers
    for i in range(rng.choice([1, 1, 1, 2, 3])):
        kind = rng.choice(["vector"] * 6 + ["image", "codes"])
        shape = [rng.randint(1, 3), rng.randint(1, 3)] if kind == "image" else [rng.randint(1, most)]
        if kind == "codes":
            inputs.append(
                {"shape": [rng.randint(1, 3)], "size": rng.randint(1, 5), "first": rng.choice([0, 1, -7, 2**24])}
            )
            size = inputs[-1]["size"]
            op = rng.choice(["OneHot", "Embedding", "EmbeddingSum"])
            if op == "OneHot":
                firsts.append({"op": op, "of": [i], "size": size, "first": inputs[-1]["first"]})
            else:
                inputs[-1]["first"] = 0
                units = {"dimension" if op == "Embedding" else "units": rng.randint(1, 4)}
                firsts.append({"op": op, "of": [i], "sizes": size, **units})
        else:
            inputs.append({"shape": shape})
            firsts += [{"op": "Flatten", "of": [i]}] if kind == "image" else []
    nodes = list(firsts)
    sizes = [math.prod(form["shape"]) * form.get("size", 1) for form in inputs]
    for node in nodes:
        columns = math.prod(inputs[node["of"][0]]["shape"])
        sizes.append(node.get("units") or columns * node.get("dimension", node.get("size", 1)))
    covered = {node["of"][0] for node in nodes}
    vectors = [i for i in range(len(sizes)) if i not in covered]
    for _ in range(rng.randint(1, 8)):
        of = rng.choice(vectors[-4:])
        op = rng.choice(["Dense"] * 4 + list(OTHERS))
        node: dict[str, Any] = {"op": op, "of": [of]}
        size = sizes[of]
        if op == "Dense":
            size = rng.randint(1, most)
            activation = rng.choice([None, *ACTIVATIONS])
            node |= {"units": size, "activation": activation, "bias": rng.random() < 0.8}
            node["trainable"] = rng.random() < 0.9
            if rng.random() < 0.1:
                node[rng.choice(["l1", "l2"])] = 0.01
        elif op == "PiecewiseLinear":
            node["knots"] = [rng.choice([[], [0.5], [-1, 1], [-0.5, 0, 2.25]]) for _ in range(size - 1)] + [
                [-1.5, 0.2, 1]
            ]
            node["units"] = size = rng.randint(1, most)
        elif op == "Activation":
            node["function"] = rng.choice(ACTIVATIONS)
        elif op == "Dropout":
            node["rate"] = rng.choice([0.0, 0.1, 0.5, 0.9])
        elif op == "Add":
            same = [i for i in vectors if sizes[i] == size]
            node["of"] = [of, *rng.choices(same, k=rng.randint(1, 2))]
        elif op == "Concatenate":
            node["of"] = [of, *rng.choices(vectors, k=rng.randint(1, 2))]
            size = sum(sizes[i] for i in node["of"])
            if size > 4 * most:
                continue
        nodes.append(node)
        sizes.append(size)
        vectors.append(len(sizes) - 1)
    heads = [generate_head(rng, rng.choice(vectors[-3:])) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
    return {"inputs": inputs, "nodes": nodes, "heads": heads}


def generate_head(rng: random.Random, of: int) -> dict[str, Any]:
    """A dense layer with an activation and a loss that go together, fused or not."""
    kind = rng.choice(["number", "number", "count", "yes", "class"])
    units = rng.randint(2, 5) if kind == "class" else rng.randint(1, 3)
    head: dict[str, Any] = {"of": of, "kind": kind, "units": units, "weight": rng.choice([1.0, 1.0, 0.0, 0.5, 3.0])}
    if kind == "number":
        head["loss"] = rng.choice(NUMBER_LOSSES)
        head["activation"] = rng.choice(["linear", "linear", "tanh", "softplus", "sigmoid", "softmax", "relu"])
    elif kind == "count":
        head["loss"] = rng.choice(COUNT_LOSSES)
        head["activation"] = rng.choice(["exponential", "softplus"])
    elif kind == "yes":
        head["loss"], head["activation"] = "binary_cross_entropy", "sigmoid"
    else:
        head["loss"], head["activation"] = "cross_entropy", "softmax"
        head["labels"] = rng.choice(["numbers", "one-hot", "chances"])
    return head


def used(network: Mapping[str, Any]) -> set[int]:
    """The values that some head reads, directly or not."""
    first = len(network["inputs"])
    wanted = {head["of"] for head in network["heads"]}
    for i in range(len(network["nodes"]) - 1, -1, -1):
        if first + i in wanted:
            wanted |= set(network["nodes"][i]["of"])
    return wanted


def build(network: Mapping[str, Any]) -> cr.Network:
    """The network of a description."""
    wanted = used(network)
    inputs = [
        cr.Input(tuple(form["shape"]), dtype="integer" if "size" in form else "float", name=f"x{i}")
        for i, form in enumerate(network["inputs"])
    ]
    values: list[Any] = list(inputs)
    for i, node in enumerate(network["nodes"], len(inputs)):
        options = {key: value for key, value in node.items() if key not in ("op", "of")}
        reads = [values[of] for of in node["of"]]
        values.append(getattr(cr, node["op"])(**options, name=f"v{i}")(*reads) if i in wanted else None)
    outputs = {
        f"head{k}": cr.Dense(head["units"], activation=head["activation"], name=f"head{k}")(values[head["of"]])
        for k, head in enumerate(network["heads"])
    }
    return cr.Network(inputs=[x for i, x in enumerate(inputs) if i in wanted], outputs=outputs)


def losses(network: Mapping[str, Any]) -> dict[str, str]:
    """Each head's loss."""
    return {f"head{k}": head["loss"] for k, head in enumerate(network["heads"])}


def rows(network: Mapping[str, Any], n: int, seed: int, scale: float = 1.0) -> tuple[Arrays, Arrays]:
    """Inputs and targets by name."""
    rng = np.random.default_rng(seed)
    wanted = used(network)
    x: Arrays = {}
    for i, form in enumerate(network["inputs"]):
        shape, size, first = (n, *form["shape"]), form.get("size"), form.get("first", 0)
        drawn = rng.normal(scale=scale, size=shape) if size is None else rng.integers(first, first + size, shape)
        if i in wanted:
            x[f"x{i}"] = drawn
    return x, {f"head{k}": targets(head, n, rng) for k, head in enumerate(network["heads"])}


def targets(head: Mapping[str, Any], n: int, rng: np.random.Generator) -> np.ndarray:
    """Targets that a head's loss is defined for."""
    shape = (n, head["units"])
    if head["kind"] == "number":
        return rng.normal(size=shape)
    if head["kind"] == "count":
        return rng.poisson(2.0, size=shape).astype(float)
    if head["kind"] == "yes":
        return (rng.random(shape) < 0.5).astype(float)
    labels = rng.integers(0, head["units"], size=n)
    if head["labels"] == "numbers":
        return labels
    if head["labels"] == "one-hot":
        return np.eye(head["units"])[labels]
    chances = rng.random(shape)
    return chances / chances.sum(axis=1, keepdims=True)


def draw_parameters(model: Any, seed: int) -> None:
    """Weights and biases that put no pre-activation exactly onto a kink."""
    rng = np.random.default_rng(seed)
    values = {
        layer: {
            name: rng.normal(scale=1 / max(1, array.shape[0]) ** 0.5, size=array.shape)
            for name, array in arrays.items()
        }
        for layer, arrays in model.parameters.items()
    }
    model.set_parameters(values)
    model.set_state(
        {
            layer: {
                name: rng.uniform(0.5, 2.0, array.shape) if name == "variance" else rng.normal(size=array.shape)
                for name, array in arrays.items()
            }
            for layer, arrays in model.state.items()
        }
    )


def copy_of(arrays: Mapping[str, Mapping[str, Any]]) -> dict[str, Arrays]:
    """Parameters or state as they are now."""
    return {layer: {name: np.array(array) for name, array in inner.items()} for layer, inner in arrays.items()}


def all_bytes(arrays: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Every bit of parameters or state."""
    return b"".join(np.ascontiguousarray(a).tobytes() for inner in arrays.values() for a in inner.values())


def named(prediction: Any, network: Mapping[str, Any]) -> Arrays:
    """Predictions by head, also of a single head."""
    return dict(prediction) if isinstance(prediction, Mapping) else {"head0": prediction}

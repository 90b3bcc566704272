"""Rules about what passes through a network: gradients that vanish or explode, units that are dead or saturated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.engines.reference import ReferenceEngine
from chainrule.health.ailment import Finding
from chainrule.health.evidence import Evidence, LayerOf, mean_of, middle
from chainrule.layers import Context

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation

# A gradient that a layer shrinks to a quarter, as a sigmoid does at best, is below this after five of them.
VANISHED: Final = 2e-3
RECOVERED: Final = 1e-2
# Numbers that grow by a half in each of eight layers, or double in each of five, are above this.
EXPLODED: Final = 30.0
# In a ReLU network a unit is awake for half of the rows; most of a layer asleep for all of them is no sparsity.
DEAD: Final = 0.5
SATURATED: Final = 0.5
SMALL: Final = 0.5  # weights, over those that keep the size of numbers
FLAT_START: Final = 0.4


def vanishing(evidence: Evidence) -> Iterator[Finding]:
    """The first layer's gradient is a tiny share of the last's, all the while."""
    layers = evidence.layers
    if len(layers) < 3:
        return
    norms = {layer.name: evidence.of(evidence.vitals or evidence.before, "gradient", layer.dense) for layer in layers}
    top = norms[layers[-1].name]
    with np.errstate(all="ignore"):
        shares = {name: norm / top for name, norm in norms.items()}
    known = [name for name, share in shares.items() if np.isfinite(share).any()]
    if len(known) < 2 or not np.isfinite(top).any():
        return
    worst = min(known, key=lambda name: middle(shares[name]))
    share = middle(shares[worst])
    late = middle(shares[worst][-max(1, len(top) // 4) :])
    if not share < VANISHED or not late < RECOVERED:
        return
    index = [layer.name for layer in layers].index(worst)
    behind = layers[index:-1]
    began = evidence.of(evidence.before, "gradient", layers[index].dense) / evidence.of(
        evidence.before, "gradient", layers[-1].dense
    )
    lately = middle(began) > VANISHED  # it vanished only when something had happened
    if any(
        _is_saturated(evidence, layer) or ((share == 0 or lately) and _is_dead(evidence, layer)) for layer in behind
    ):
        return  # that is why, and `saturated` or `dead` says so
    slopes = evidence.slopes(start=True)
    slope = {layer.name: slopes.get(layer.name, 1.0) for layer in behind}
    flattest = min(behind, key=lambda layer: slope[layer.name])
    each = share ** (1 / len(behind)) if share > 0 else 0.0
    length = middle(norms[worst])
    weights = min(_weight_factor(evidence, layer) for layer in layers[index + 1 :])
    because = (
        f"each of the {len(behind)} layers from there to the output lets through about {each:.2g} of it: the mean "
        f'slope of {flattest.makes} in "{flattest.name}" is {slope[flattest.name]:.2g}, and the smallest weights are '
        f"{weights:.2g} times as large as those that keep numbers as they are"
        if share > 0
        else "nothing comes back through the layers behind it: their slopes or their weights are 0"
    )
    how = f"{length:.2g} long, {share:.1g} of that of" if share > 0 else "0, unlike that of"
    yield Finding(
        "vanishing",
        f'the gradient of "{worst}" is {how} "{layers[-1].name}"; {because}',
        "Start from larger weights: the activation's own initializer (leave `initializer` out)." if weights < SMALL
        else f"Take relu, gelu or tanh with their own initializers in place of {flattest.makes}, put batch "
        "normalization between (batch_norm=True), or take fewer layers.",
        worst,
        {"gradient": length, "share of the last layer's": share, "let through by each layer": each,
         f"mean slope of {flattest.name}": slope[flattest.name], "weights, over those that keep numbers": weights},
        f"dL/dW[{worst},1,1]", explain_end(evidence, start=True),
    )  # fmt: skip


def exploding(evidence: Evidence) -> Iterator[Finding]:
    """Numbers or gradients that grow from layer to layer, where the training begins; or that grew on its way."""
    layers, before = evidence.layers, evidence.before
    size = _input_size(evidence)
    grown = {}
    for layer in layers:
        step = layer.function if layer.hidden else None
        values = evidence.of(before, "size", step if step is not None else layer.dense)
        if np.isfinite(values).any():
            grown[layer.name] = mean_of(values) / max(size, 1.0)
        elif len(values) and np.isnan(values).all() and not np.isfinite(evidence.first_loss):
            grown[layer.name] = np.inf
    last = _last_size(evidence) / max(size, 1.0)
    norms = [mean_of(evidence.of(before, "gradient", layer.dense)) for layer in layers]
    back = max(norms) / norms[-1] if norms and norms[-1] > 0 else 0.0
    n = len(layers)
    if (n >= 3 and (last > EXPLODED or (np.isfinite(back) and back > EXPLODED**1.5))) or not np.isfinite(
        evidence.first_loss
    ):
        forward = last > EXPLODED or not np.isfinite(last)
        each = (last if forward else back) ** (1 / n)
        worst = layers[int(np.nanargmax(norms))] if np.isfinite(norms).any() else layers[-1]
        weights = _weight_factor(evidence, worst if worst is not layers[0] else layers[min(1, n - 1)])
        what = "the numbers" if forward else "the gradients on their way back"
        yield Finding(
            "exploding",
            f"before the first step {what} grow to {last if forward else back:.2g} times their size through {n} "
            f'layers, about {each:.2g} times in each; the gradient of "{worst.name}" is {max(norms):.2g} long, because '
            f"weights are {weights:.2g} times as large as those that keep numbers as they are",
            "Start from smaller weights (the activation's own initializer: leave `initializer` out), or put batch "
            "normalization between the layers; clip_norm=1.0 holds single steps back.",
            worst.name,
            {"growth": float(last if forward else back), "growth of each layer": float(each), "gradient": max(norms),
             "weights, over those that keep numbers": weights},
            f"dL/dW[{worst.name},1,1]", explain_end(evidence, start=True),
        )  # fmt: skip
        return
    if evidence.vitals is not None and len(evidence.vitals.steps) >= 8:
        length = np.sqrt(np.nansum(evidence.vitals.of("gradient")[:, 0] ** 2, axis=1))
        early = float(np.median(length[: max(2, len(length) // 4)]))
        peak = int(np.argmax(length))
        if early > 0 and length[peak] > 1e3 * early and peak >= 2:
            yield Finding(
                "exploding",
                f"the gradient grew from {early:.2g} to {length[peak]:.2g} by step {int(evidence.vitals.steps[peak])}",
                "A smaller learning rate, or clip_norm=1.0.",
                None,
                {"gradient, early": early, "gradient, at its peak": float(length[peak])},
            )


def dead(evidence: Evidence) -> Iterator[Finding]:
    """Layers in which most units have no slope for any row: no gradient reaches their weights any more."""
    for layer in evidence.layers:
        if layer.bounded or layer.function is None or _skipped(evidence, layer):
            continue
        share = least(evidence.of(evidence.after, "dead", layer.function))
        units = int(np.prod(evidence.model.network.program.slots[layer.dense.output].shape))
        if not share > DEAD or (share * units < 2 and units > 1):
            continue
        began = least(evidence.of(evidence.before, "dead", layer.function))
        unit = _flat_unit(evidence, layer)
        aside = began > DEAD and layer is evidence.layers[0] and _off_centre(evidence)
        since = (
            "from the start, because the inputs lie to one side of 0"
            if aside
            else "from the start, because of their weights and biases there"
            if began > DEAD
            else f"{began:.0%} at the start: steps so large took their biases below what any row lifts them to"
        )
        yield Finding(
            "dead-units",
            f"{round(share * units)} of {units} {layer.makes} units are dead: their slope is 0 in every row that was "
            f"looked at, {since}",
            "Scale every column to mean 0 and standard deviation 1." if aside
            else "Start from biases of 0 and the activation's own initializer." if began > DEAD
            else "A smaller learning rate; or leaky_relu or gelu, whose slope isn't 0.",
            layer.name,
            {"dead": share, "dead at the start": began, "units": units},
            f"dL/dz[{layer.name},{unit + 1}]", explain_end(evidence),
        )  # fmt: skip


def saturated(evidence: Evidence) -> Iterator[Finding]:
    """Layers of sigmoid or tanh units whose outputs stand at the ends of their range: there is next to no slope."""
    for layer in evidence.hidden:
        if not layer.bounded:
            continue
        if not _is_saturated(evidence, layer):
            continue
        began = mean_of(evidence.of(evidence.before, "flat", layer.function))
        share = mean_of(evidence.of(evidence.after, "flat", layer.function))
        unit = _flat_unit(evidence, layer)
        scale = "its inputs are large (scale them)" if layer is evidence.layers[0] and _input_size(evidence) > 3 else (
            "its weights or biases are large"
        )  # fmt: skip
        yield Finding(
            "saturated",
            f"{share:.0%} of the {layer.makes} outputs stand at the ends of their range, where the slope is below 0.01 "
            f"({began:.0%} at the start), because {scale}",
            "Scale the inputs to mean 0 and variance 1; start from the activation's own initializer and biases of 0."
            if began > FLAT_START else "A smaller learning rate, or a penalty on the weights (l2).",
            layer.name,
            {"saturated": share, "saturated at the start": began},
            f"dL/dz[{layer.name},{unit + 1}]", explain_end(evidence),
        )  # fmt: skip


def _is_saturated(evidence: Evidence, layer: LayerOf) -> bool:
    if not layer.bounded or not layer.hidden:
        return False
    began = mean_of(evidence.of(evidence.before, "flat", layer.function))
    share = mean_of(evidence.of(evidence.after, "flat", layer.function))
    return share > SATURATED or (began > FLAT_START and share > FLAT_START / 2)


def _is_dead(evidence: Evidence, layer: LayerOf) -> bool:
    known = layer.function is not None and not layer.bounded and not _skipped(evidence, layer)
    return known and least(evidence.of(evidence.after, "dead", layer.function)) > DEAD


def _skipped(evidence: Evidence, layer: LayerOf) -> bool:
    """Whether the loss reads the pre-activation itself: then nothing passes through the function on the way back."""
    return layer.dense.output in {head.slot for head in evidence.model.objective.heads}


def least(values: np.ndarray) -> float:
    """The least over the batches that were looked at: a unit that one of them wakes isn't dead."""
    return float(np.nanmin(values)) if np.isfinite(values).any() else 0.0


def _input_size(evidence: Evidence) -> float:
    inputs = [x for x in evidence.sample.inputs if x.dtype.kind == "f"]
    squares = [float((x.astype(np.float64) ** 2).mean()) for x in inputs]
    return float(np.sqrt(np.mean(squares))) if squares else 1.0


def _off_centre(evidence: Evidence) -> bool:
    """Whether the columns' means make up most of the inputs' size."""
    inputs = [x.reshape(len(x), -1).astype(np.float64) for x in evidence.sample.inputs if x.dtype.kind == "f"]
    squares = sum(float((x**2).mean()) for x in inputs)
    return squares > 0 and sum(float((x.mean(axis=0) ** 2).mean()) for x in inputs) > squares / 2


def _last_size(evidence: Evidence) -> float:
    """The size of what the first loss reads."""
    slot = evidence.model.objective.heads[0].slot
    step = next(step for step in evidence.model.network.program.steps if step.output == slot)
    values = evidence.of(evidence.before, "size", step)
    return mean_of(values) if np.isfinite(values).any() else np.inf


def _weight_factor(evidence: Evidence, layer: LayerOf) -> float:
    """How large a layer's weights are, over those that keep the size of numbers (or half their squares, for relu)."""
    views = evidence.model.network.layout.views(evidence.start[0])
    W = views[layer.dense.index]["W"].astype(np.float64)
    gain = 2.0 if layer.makes in ("relu", "leaky_relu", "gelu", "silu") else 1.0
    return float(np.sqrt((W**2).mean() * W.shape[0] / gain))


def _flat_unit(evidence: Evidence, layer: LayerOf) -> int:
    """A unit without a slope in the first row, if there is one."""
    model = evidence.model
    engine = ReferenceEngine(model.network, model.objective)
    part = evidence.rows.take(np.arange(1))
    with np.errstate(all="ignore"):
        values = engine.forward(
            model.network.layout.views(evidence.end[0]), model.network.state_layout.views(evidence.end_state[0]),
            part.inputs, Context(dtype=evidence.end.dtype),
        ).values  # fmt: skip
    assert layer.function is not None
    f = layer.function.layer.applies
    assert f is not None
    kept = values[layer.function.inputs[0] if f.needs == "z" else layer.function.output]
    return int(np.argmin(np.abs(f.derivative(kept)).reshape(-1)))


def explain_end(evidence: Evidence, *, start: bool = False) -> Callable[[], Derivation]:
    """What derives the first row's quantities, with the weights of the end or of the start."""

    def derivation() -> Derivation:
        model = evidence.model.anew(members=(evidence.start if start else evidence.end)[:1].copy())
        model.training.state[...] = (evidence.start_state if start else evidence.end_state)[:1]
        return model.explain(*evidence.one_row())

    return derivation

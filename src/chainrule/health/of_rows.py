"""Rules about rows and answers: inputs not scaled, a column that tells the target, constant answers, overfitting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from chainrule.arrays import AnyArray, Doubles
from chainrule.engines.contract import Rows
from chainrule.health.ailment import Finding
from chainrule.health.evidence import Evidence, baseline, loss_of, mean_of, numbers_of
from chainrule.health.of_signals import explain_end, least
from chainrule.layers import BatchNorm, Dense, PiecewiseLinear

# Curvature grows with the square of an input's size: at 10 the largest stable rate is a hundredth.
TOO_LARGE: Final = 10.0
TOO_SMALL: Final = 0.01
TOO_UNEQUAL: Final = 1000.0
LEAK: Final = 0.98  # of a target's variance, told by one column in a line
CLASS_LEAK: Final = 0.9  # the same of classes, which flips of a few labels lower at once
ALONE: Final = 0.5  # no other column may come near
CONSTANT: Final = 0.02  # of the targets' standard deviation (of 1, for what a sigmoid or softmax reads)
LOST: Final = 0.15  # of what the validation loss had gained
GAP: Final = 0.5  # of what was learned of the training rows doesn't hold on others


def unscaled(evidence: Evidence) -> Iterator[Finding]:
    """Columns whose size is far from 1, read by a layer with weights as they are."""
    for slot, x in zip(evidence.model.network.program.inputs, evidence.sample.inputs, strict=True):
        if x.dtype.kind != "f" or not _read_as_they_are(evidence, slot.index):
            continue
        numbers = x.reshape(len(x), -1).astype(np.float64)
        size, spread = np.sqrt((numbers**2).mean(axis=0)), numbers.std(axis=0)
        varies = spread > 0
        if not varies.any():
            continue
        largest, widest = int(size.argmax()), spread[varies].max()
        unequal = widest / spread[varies].min()
        if size[varies].max() > TOO_SMALL and size.max() <= TOO_LARGE and not unequal > TOO_UNEQUAL:
            continue
        small = size[varies].max() <= TOO_SMALL
        name = _column(evidence, slot.name, largest)
        first = next((layer.name for layer in evidence.layers if slot.index in layer.dense.inputs), None)
        yield Finding(
            "unscaled-inputs",
            f"{name} has numbers of the size {size[largest]:.3g} (mean {numbers[:, largest].mean():.3g}, standard "
            f"deviation {spread[largest]:.3g}); the smallest standard deviation of a column is "
            f"{spread[varies].min():.2g}, the largest {widest:.3g}. Weights start as if inputs were of the size 1"
            + ("; so the first layer hears next to nothing" if small else ", and steps go as far in every direction"),
            "Scale every column to mean 0 and standard deviation 1, (x - mean) / std of the training rows "
            "(chainrule train and TableModel do), or begin with BatchNorm().",
            first,
            {"largest size": float(size.max()), "smallest spread": float(spread[varies].min()),
             "widest spread": float(widest), "column": largest + 1},
            None if first is None else f"dL/dW[{first},1,{largest + 1}]", explain_end(evidence),
        )  # fmt: skip


def leak(evidence: Evidence) -> Iterator[Finding]:
    """One column, among others that don't, tells the target nearly exactly; or validation rows are training rows."""
    columns, names = _columns(evidence)
    for head, target, weights in zip(
        evidence.model.objective.heads, evidence.sample.targets, evidence.sample.weights, strict=True
    ):
        keep = np.ones(len(target), bool) if weights is None else weights > 0
        if columns.shape[1] < 3 or keep.sum() < 20:
            break
        told = _told(columns[keep], numbers_of(target, head.outputs)[keep])
        best, second = int(told.argmax()), float(np.sort(told)[-2])
        is_class = target.ndim == 1 or set(np.unique(target[keep])) <= {0.0, 1.0}
        if not (told[best] > (CLASS_LEAK if is_class else LEAK) and second < ALONE):
            continue
        yield Finding(
            "leak",
            f'{names[best]} alone tells {told[best]:.1%} of the variance of "{head.head}"; the next best column tells '
            f"{second:.0%}. It looks like the target itself, or like something that is known only after it",
            "Ask where that column comes from; leave it out if it isn't known before the target is.",
            evidence.layers[0].name if evidence.layers else None,
            {"told": float(told[best]), "told by the next": second, "column": best + 1},
        )  # fmt: skip
    yield from _shared_rows(evidence)


def constant(evidence: Evidence) -> Iterator[Finding]:
    """Answers that hardly depend on the rows, though the targets do."""
    steps = evidence.model.network.program.steps
    for head, target, weights in zip(
        evidence.model.objective.heads, evidence.sample.targets, evidence.sample.weights, strict=True
    ):
        numbers = numbers_of(target, head.outputs)
        numbers = numbers if weights is None else numbers[weights > 0]
        if not len(numbers) or (numbers == numbers[0]).all():  # the same answer to all of them is right
            continue
        step = next(step for step in steps if step.output == head.slot)
        spreads = evidence.of(evidence.after, "spread", step)
        spread = mean_of(spreads) if np.isfinite(spreads).any() else np.inf
        varies = 1.0 if head.fused or target.ndim == 1 else float(np.sqrt(numbers.var(axis=0).mean()))
        if not spread < CONSTANT * varies or step.layer.makes == "sigmoid":
            continue
        why, remedy = _why_constant(evidence, step.name)
        yield Finding(
            "constant-output",
            f'"{head.head}" says nearly the same of every row: its answers vary by {spread:.2g} where '
            f"{varies:.2g} would be usual, because {why}",
            remedy,
            step.name,
            {"spread of the answers": spread, "usual": varies},
            f"dL/dz[{step.name},1]", explain_end(evidence),
        )  # fmt: skip


def overfitting(evidence: Evidence) -> Iterator[Finding]:
    """What was learned of the training rows doesn't hold on others, or is being lost there."""
    held = evidence.validation
    records = [r for r in evidence.history.epochs if r.validation_loss is not None]
    if held is None or not len(held) or evidence.history is not evidence.model.history:
        return  # of a short training of a copy it means nothing
    if evidence.history.best_epoch is not None:  # a rule brought the best weights back
        return
    nothing = baseline(evidence.model, held)
    train, end = evidence.last_loss, loss_of(evidence.model, evidence.end, evidence.end_state, held)
    learned, gap = evidence.baseline - train, end - train
    curve = [float(r.validation_loss) for r in records if r.validation_loss is not None]
    best = int(np.argmin(curve)) if curve else 0
    lowest = min([*curve, end])
    lost = float(np.median(curve[-3:])) - lowest if len(curve) >= 5 else 0.0
    gained = max(nothing - lowest, LOST * nothing)
    rising = (
        learned > 0.1 * evidence.baseline and lost > max(LOST * gained, 0.1 * lowest)
        and records[-1].loss < records[best].loss
    )  # fmt: skip
    wide = learned > 0.3 * evidence.baseline and gap > GAP * learned
    if not (rising or wide):
        return
    told = (
        f"the validation loss was {lowest:.3g} after epoch {records[best].epoch} and is {end:.3g} now, while that of "
        f"the training rows fell on to {train:.3g}" if rising
        else f"the loss of rows held out is {end:.3g} and that of the training rows {train:.3g}: {gap / learned:.0%} "
        "of what was learned doesn't hold for others"
    )  # fmt: skip
    count, rows = evidence.model.network.count().total, len(evidence.rows)
    yield Finding(
        "overfitting",
        f"{told}; {count:,} parameters learn from {rows:,} rows",
        "Stop at the best epoch (stop=EarlyStopping(patience=10)), take dropout, l2 or fewer units, or more rows.",
        None,
        {"training loss": train, "validation loss": end, "best validation loss": lowest,
         "epoch of the best": float(records[best].epoch) if records else 0.0, "constant answer's loss": nothing},
    )  # fmt: skip


def _read_as_they_are(evidence: Evidence, slot: int) -> bool:
    steps = evidence.model.network.program.steps
    readers = [step for step in steps if slot in step.inputs]
    return any(
        isinstance(step.layer, Dense)
        or (not isinstance(step.layer, (BatchNorm, PiecewiseLinear)) and _read_as_they_are(evidence, step.output))
        for step in readers
    )


def _columns(evidence: Evidence) -> tuple[Doubles, list[str]]:
    """Every number of a row, and what to call it."""
    parts, names = [np.zeros((len(evidence.sample), 0))], []
    for slot, x in zip(evidence.model.network.program.inputs, evidence.sample.inputs, strict=True):
        numbers = x.reshape(len(x), -1).astype(np.float64)
        parts.append(numbers)
        names += [_column(evidence, slot.name, i) for i in range(numbers.shape[1])]
    return np.concatenate(parts, axis=1), names


def _column(evidence: Evidence, name: str, index: int) -> str:
    if evidence.names and index < len(evidence.names) and len(evidence.model.network.program.inputs) == 1:
        return f'column "{evidence.names[index]}"'
    where = f' of "{name}"' if len(evidence.model.network.program.inputs) > 1 else ""
    return f"column {index + 1}{where}"


def _told(columns: Doubles, targets: Doubles) -> Doubles:
    """For each column the share of the targets' variance that it tells: in a line, by ranks, or by the classes' means.

    Classes are one-hot: the column's variance between them, over all of it, counts then, and it must part all of them.
    """
    told = np.zeros(columns.shape[1])
    x = columns - columns.mean(axis=0)
    squares = (x**2).sum(axis=0)
    is_class = targets.shape[1] > 1 and bool(np.isin(targets, (0.0, 1.0)).all() and (targets.sum(axis=1) == 1).all())
    with np.errstate(all="ignore"):
        if is_class:
            counts = targets.sum(axis=0)
            means = (targets.T @ x)[counts > 0] / counts[counts > 0][:, None]
            told = (counts[counts > 0][:, None] * means**2).sum(axis=0) / squares
            nearest = np.abs(x[:, None, :] - means[None]).argmin(axis=1)
            right = nearest == np.flatnonzero(counts > 0).searchsorted(targets.argmax(axis=1))[:, None]
            told = np.minimum(told, np.where(right.mean(axis=0) > 0.97, 1.0, 0.0))
        else:
            for y in targets.T:
                c = y - y.mean()
                line = (x.T @ c) ** 2 / (squares * (c @ c))
                told = np.maximum(told, np.nan_to_num(line))
    return np.nan_to_num(told)


def _shared_rows(evidence: Evidence) -> Iterator[Finding]:
    """Validation rows that stand among the training rows, where rows don't come twice otherwise."""
    if evidence.validation is None or not len(evidence.validation):
        return
    mine, theirs = (_as_bytes(rows) for rows in (evidence.rows, evidence.validation))
    known = np.unique(mine)
    shared = float(np.isin(theirs, known).mean())
    if shared > 0.2 and len(known) > 0.95 * len(mine) and len(mine) >= 20:
        yield Finding(
            "leak",
            f"{shared:.0%} of the validation rows stand among the training rows: what they measure isn't learning",
            "Hold out rows that training doesn't see; take copies out before the split.",
            None,
            {"shared rows": shared},
        )


def _as_bytes(rows: Rows) -> AnyArray:
    """Each row as one thing that can be compared."""
    flat = np.concatenate([x.reshape(len(x), -1).astype(np.float64) + 0.0 for x in rows.inputs], axis=1)
    return np.ascontiguousarray(flat).view(np.dtype((np.void, flat.shape[1] * flat.itemsize))).ravel()


def _why_constant(evidence: Evidence, last: str) -> tuple[str, str]:
    """What makes answers constant, and what helps."""
    layers = evidence.layers
    for layer in layers:
        if not layer.bounded and least(evidence.of(evidence.after, "dead", layer.function)) > 0.9:
            return f'the units of "{layer.name}" are dead', f'Mend "{layer.name}" first.'
    ends, starts = (evidence.model.network.layout.views(vector[0]) for vector in (evidence.end, evidence.start))
    for layer in layers:
        now, began = (float(np.abs(views[layer.dense.index]["W"]).max()) for views in (ends, starts))
        if now < 1e-3 and began > 1e-2:
            how = f'the weights of "{layer.name}" are all but 0 now, as a penalty makes them'
            return how, "Take a weaker penalty (l1, l2, weight_decay)."
        if now < 1e-3:
            how = f'the weights of "{layer.name}" are all 0, or nearly'
            return how, "Start from random weights: the activation's own initializer (leave `initializer` out)."
    for layer in layers:
        spread = mean_of(evidence.of(evidence.after, "spread", layer.function))
        if spread < CONSTANT:
            how = f'the values of "{layer.name}" vary by only {spread:.1g} from row to row'
            return (
                how,
                f'See what is wrong with "{layer.name}" and the layers before it: nothing of the rows comes through.',
            )
    return f'the weights of "{last}" are small', "Train longer, or see whether the inputs tell the target at all."

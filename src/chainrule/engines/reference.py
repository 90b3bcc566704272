"""The reference engine: gives each layer its meaning by running it, one after another, in plain NumPy.

It is never made clever. Every other engine is checked against it, and explanations are generated from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from chainrule.arrays import AnyArray, Array, Doubles
from chainrule.engines.contract import NOTHING, Gradients, InPlace, Job, Outcome, Rows, Sums
from chainrule.engines.memo import CountingMemo, MemoReport, kept_arrays, steps_without_memo
from chainrule.engines.vitals import Recorder, sampled
from chainrule.layers import Arrays, Context
from chainrule.network import Network
from chainrule.objective import NetworkObjective
from chainrule.parameters import ParameterRun, Views

PREDICT_ROWS = 8192  # a chunk of rows that keeps memory small when predicting many


@dataclass
class Forward:
    """A forward pass: the value of every slot, and what each step keeps and leaves behind."""

    values: list[Array]
    memos: list[Arrays]
    states: list[Arrays]


class ReferenceEngine(InPlace):
    """Runs the steps of a network as they are written in `chainrule.layers`."""

    name = "reference"
    medium = "in NumPy"

    def __init__(
        self, network: Network, objective: NetworkObjective, threads: int | None = None, *, every_gradient: bool = False
    ):
        super().__init__(network, objective, threads)
        self.program = network.program
        # training asks for no gradient by what no parameter stands before; an explanation does
        self._wanted = self.program.differentiable() if every_gradient else self.program.reads_parameters()
        self._skipped = frozenset(head.skips for head in objective.heads)

    @classmethod
    def facts(cls) -> str:
        """It needs nothing but NumPy."""
        return "NumPy, always there"

    def forward(self, parameters: Views, state: Views, inputs: tuple[AnyArray, ...], context: Context) -> Forward:
        """Every step in order. Prediction is this same pass with the memos dropped."""
        values: list[Array] = [*inputs, *([None] * len(self.program.steps))]  # type: ignore[list-item]  # filled below
        memos, states = [], []
        for step in self.program.steps:
            if step.layer.is_random:
                context = replace(context, layer=step.index)
            reads = tuple(values[slot] for slot in step.inputs)
            values[step.output], memo, new_state = step.layer.forward(
                parameters[step.index], state[step.index], reads, context
            )
            memos.append(memo)
            states.append(new_state)
        return Forward(values, memos, states)

    def backward(
        self, parameters: Views, memos: list[Arrays], deltas: dict[int, Array], gradients: Views
    ) -> dict[int, Array]:
        """Every step in reverse: writes `dL/d(parameter)` into `gradients`, returns `dL/d(value)` by slot.

        `deltas` holds the gradients by the slots that losses read. A value that several steps read sums theirs.
        """
        for step in reversed(self.program.steps):
            delta = deltas.get(step.output)
            if delta is None or step.index in self._skipped or not self._wanted[step.output]:
                continue
            wanted = any(self._wanted[slot] for slot in step.inputs)
            d_inputs, d_parameters = step.layer.backward(parameters[step.index], memos[step.index], delta, wanted)
            for name, gradient in d_parameters.items():
                gradients[step.index][name][...] = gradient
            for slot, d_input in zip(step.inputs, d_inputs, strict=True):
                if d_input is not None and self._wanted[slot]:
                    deltas[slot] = deltas[slot] + d_input if slot in deltas else d_input
        return deltas

    def predict(self, parameters: Array, state: Array, inputs: tuple[AnyArray, ...]) -> tuple[Array, ...]:
        """The heads' outputs, each (members, rows, *shape), a chunk of rows at a time."""
        n_rows, context = len(inputs[0]), Context(dtype=parameters.dtype)
        outputs = tuple(
            np.empty((len(parameters), n_rows, *head.shape), dtype=parameters.dtype) for head in self.program.heads
        )
        for member in range(len(parameters)):
            p, s = self._views(parameters, state, member)
            for begin in range(0, n_rows, PREDICT_ROWS):
                chunk = slice(begin, begin + PREDICT_ROWS)
                with np.errstate(all="ignore"):  # whoever asked looks at the numbers
                    values = self.forward(p, s, tuple(x[chunk] for x in inputs), context).values
                for output, head in zip(outputs, self.program.heads, strict=True):
                    output[member, chunk] = values[head.slot]
        return outputs

    def losses(self, parameters: Array, state: Array, data: Rows) -> Sums:
        """Head losses over rows, as in prediction, and the penalties."""
        sums = Sums.zeros(len(parameters), len(self.objective.heads))
        sums.steps = 1
        for member in range(len(parameters)):
            p, s = self._views(parameters, state, member)
            losses, weights = np.zeros_like(sums.losses[member]), np.zeros_like(sums.weights[member])
            for begin in range(0, len(data), PREDICT_ROWS):
                part = data.take(np.arange(begin, min(begin + PREDICT_ROWS, len(data))))
                values = self.forward(p, s, part.inputs, Context(dtype=parameters.dtype)).values
                part_losses, part_weights = self._head_sums(values, part)
                losses += part_losses
                weights += part_weights
            penalty = self.objective.penalty(parameters[member])
            sums.add(self.objective, member, losses, weights, penalty, len(data))
        return sums

    def gradients(
        self, parameters: Array, state: Array, data: Rows, *, training: bool, seed: int, step: int,
        scheduled: Mapping[int, float] = NOTHING,
    ) -> Gradients:  # fmt: skip
        """The objective over all rows as one batch, and its gradient; nothing is changed."""
        return self._pass(parameters, state, data, Context(training, seed, step, scheduled=scheduled), report=False)[0]

    def memo_report(
        self, parameters: Array, state: Array, data: Rows, *, training: bool, seed: int, step: int,
        scheduled: Mapping[int, float] = NOTHING,
    ) -> MemoReport:  # fmt: skip
        """What memoization keeps and saves in one forward and backward pass over all rows."""
        report = self._pass(parameters, state, data, Context(training, seed, step, scheduled=scheduled), report=True)[1]
        assert report is not None
        return report

    def _pass(
        self, parameters: Array, state: Array, data: Rows, place: Context, report: bool
    ) -> tuple[Gradients, MemoReport | None]:
        members = len(parameters)
        sums = Sums.zeros(members, len(self.objective.heads))
        sums.steps = 1
        loss = np.zeros(members)
        vector = self.network.layout.zeros(members, parameters.dtype)
        new_state = state.copy()
        memo: MemoReport | None = None
        for member in range(members):
            p, s = self._views(parameters, state, member)
            forward = self.forward(p, s, data.inputs, replace(place, member=member, dtype=parameters.dtype))
            counted = [CountingMemo(m) for m in forward.memos] if report else None
            losses, weights = self._head_sums(forward.values, data)
            sums.add(self.objective, member, losses, weights, self.objective.penalty(parameters[member]), len(data))
            deltas = self._loss_deltas(forward.values, data, weights)
            entered = len(deltas)
            self.backward(
                p, list(counted) if counted else forward.memos, deltas, self.network.layout.views(vector[member])
            )
            self.objective.add_penalty_gradient(
                parameters[member], vector[member], self.objective.penalty_factor(weights)
            )
            loss[member] = sums.loss(self.objective, member)
            self._keep_state(forward.states, self.network.state_layout.views(new_state[member]))
            if counted:
                memo = self._memo_report(counted, deltas, entered)
        return Gradients(loss, vector, sums, new_state), memo

    def run(self, job: Job) -> Outcome:
        """Do the steps of a job: for each batch forward, loss, backward, penalties, clipping, update."""
        parameters, state, slots = self._loaded
        outcome = Outcome(job.sums.copy())
        looked = sampled(job.every, job.first_step, len(job.rates))
        recorder = Recorder(self.network, self.objective, job.every, len(parameters), looked)
        bound = [
            (*self._views(parameters, state, member), *self._gradient_vector(parameters))
            for member in range(len(parameters))
        ]
        for index, rate in enumerate(job.rates):
            begin = index * job.batch_size
            scheduled, decay = job.scheduled.at(index), job.scheduled.decay(index)
            done = []
            for member, (p, s, gradient, gradient_views) in enumerate(bound):
                batch = job.data.take(job.order[member, begin : begin + job.batch_size])
                context = Context(True, job.seed, job.first_step + index, 0, member, parameters.dtype, scheduled)
                forward = self.forward(p, s, batch.inputs, context)
                losses, weights = self._head_sums(forward.values, batch)
                penalty = self.objective.penalty(parameters[member])
                if not np.isfinite(losses.sum() + penalty):
                    outcome.diverged, outcome.diverged_member = index, member
                    outcome.vitals = recorder.vitals(job.first_step, outcome.steps)
                    return outcome
                deltas = self._loss_deltas(forward.values, batch, weights)
                self.backward(p, forward.memos, deltas, gradient_views)
                if index in looked:
                    recorder.look(index, member, forward.values, deltas, gradient, losses, weights)
                factor = self.objective.penalty_factor(weights)
                self.objective.add_penalty_gradient(parameters[member], gradient, factor)
                done.append((losses, weights, penalty, len(batch), forward.states))
            for member, (losses, weights, penalty, rows, states) in enumerate(done):
                self._keep_state(states, bound[member][1])
                before = parameters[member].copy() if index in looked else None
                own_step, runs = job.first_step - job.memory_from + index + 1, self.objective.trainable
                update(job, parameters[member], bound[member][2], slots[member], float(rate), decay, own_step, runs)
                if before is not None:
                    recorder.look_at_update(index, member, before, parameters[member])
                outcome.sums.add(self.objective, member, losses, weights, penalty, rows)
            outcome.sums.steps += 1
            outcome.steps += 1
            if job.should_stop():
                outcome.stopped = True
                break
        outcome.vitals = recorder.vitals(job.first_step, outcome.steps)
        return outcome

    def first_not_finite(
        self, parameters: Array, state: Array, inputs: tuple[AnyArray, ...], context: Context
    ) -> str | None:
        """The first layer of one member, in order, whose parameters or output hold a NaN or an infinity."""
        p = self.network.layout.views(parameters)
        forward = self.forward(p, self.network.state_layout.views(state), inputs, context)
        for step in self.program.steps:
            for array in (*p[step.index].values(), forward.values[step.output]):
                if not np.isfinite(array).all():
                    return step.name
        return None

    def _views(self, parameters: Array, state: Array, member: int) -> tuple[Views, Views]:
        return self.network.layout.views(parameters[member]), self.network.state_layout.views(state[member])

    def _gradient_vector(self, parameters: Array) -> tuple[Array, Views]:
        vector = self.network.layout.zeros(1, parameters.dtype)[0]
        return vector, self.network.layout.views(vector)

    def _head_sums(self, values: list[Array], data: Rows) -> tuple[Doubles, Doubles]:
        """Each head's weighted sum of row losses, and its sum of row weights."""
        losses, weights = np.zeros(len(self.objective.heads)), np.zeros(len(self.objective.heads))
        for i, (head, target, w) in enumerate(zip(self.objective.heads, data.targets, data.weights, strict=True)):
            losses[i] = head.sum_of_rows(target, values[head.slot], w)
            weights[i] = len(target) if w is None else w.sum()
        return losses, weights

    def _loss_deltas(self, values: list[Array], data: Rows, weight_sums: Doubles) -> dict[int, Array]:
        """The gradient of the batch's loss by each slot that a loss reads."""
        deltas: dict[int, Array] = {}
        for head, target, w, total in zip(self.objective.heads, data.targets, data.weights, weight_sums, strict=True):
            factor = head.weight / self.objective.divisor(float(total))
            delta = head.deltas(target, values[head.slot], factor if w is None else factor * w)
            deltas[head.slot] = deltas[head.slot] + delta if head.slot in deltas else delta
        return deltas

    def _keep_state(self, states: list[Arrays], views: Views) -> None:
        for new, old in zip(states, views, strict=True):
            for name, array in old.items():
                array[...] = new[name]

    def _memo_report(self, memos: list[CountingMemo], deltas: dict[int, Array], entered: int) -> MemoReport:
        readers = 0
        for step in self.program.steps:
            if step.output in deltas and step.index not in self._skipped:
                readers += len(step.parameters) + sum(self._wanted[slot] for slot in step.inputs)
        return MemoReport(
            kept_arrays(self.program, memos),
            len(deltas),
            readers,
            len(self.program.steps),
            steps_without_memo(self.program),
        )


def update(
    job: Job, parameters: Array, gradient: Array, slots: Array, rate: float, decay: float | None, step: int,
    runs: tuple[ParameterRun, ...],
) -> None:  # fmt: skip
    """Clip the gradient of one member and let the optimizer change what is trainable."""
    if job.clip_norm is not None:
        norm = float(np.sqrt(sum(float(gradient[run.slice] @ gradient[run.slice]) for run in runs)))
        if norm > job.clip_norm:
            gradient *= job.clip_norm / norm
    for run in runs:
        w, g, own = parameters[run.slice], gradient[run.slice], slots[:, run.slice]
        job.rule.decayed(run.decay_factor, decay).update(w, g, own, rate * run.rate_factor, step)

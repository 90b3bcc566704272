"""The native engine: the numbers of `reference`, computed by the C++ core, whole epochs in one call without the GIL.

`NativeEngine.covers` says whether the core knows a model, from what its layers, activations, losses and optimizer say
of themselves (their `native`); `docs/reference/native.md` lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from chainrule import compiled
from chainrule.arrays import AnyArray, Array
from chainrule.compiled import native_form
from chainrule.engines.contract import NOTHING, Gradients, InPlace, Job, Outcome, Rows, Sums, UpdateRule
from chainrule.engines.vitals import Recorder, sampled
from chainrule.network import Network
from chainrule.objective import HeadLoss, NetworkObjective
from chainrule.optimizers import Optimizer
from chainrule.steps import Step

LARGEST_WIDTH = 1 << 24  # numbers in a row of one value, in the core
LARGEST_VECTOR = 1 << 40  # parameters


class NativeEngine(InPlace):
    """Runs a network in the C++ core.

    Arguments:
        threads: how many threads a call may use; None leaves it to the core, which looks at the work.
    """

    name = "native"
    medium = "in the C++ core"
    brings_threads = True

    def __init__(self, network: Network, objective: NetworkObjective, threads: int | None = None):
        from chainrule import _native

        super().__init__(network, objective, threads)
        self.threads = threads or 0
        program = network.program
        self._core = _native.Program(
            widths=[prod(slot.shape) for slot in program.slots],
            inputs=[slot.index for slot in program.inputs],
            codes=[slot.index for slot in program.inputs if slot.dtype == "integer"],
            outputs=[head.slot for head in program.heads],
            steps=[_step_form(step) for step in program.steps],
            heads=[_head_form(head) for head in objective.heads],
            runs=[
                (run.begin, run.end, run.trainable, run.rate_factor, run.decay_factor, *run.charge)
                for run in objective.runs
            ],
            parameters=program.parameters.size,
            state=program.state.size,
            mean=objective.reduction == "mean",
            sklearn=objective.convention == "sklearn",
        )
        self._row_shapes = [head.shape for head in program.heads]
        self._idle = Recorder(network, objective, 0, 1, range(0))  # of jobs of which nothing is to be measured
        self._rule: tuple[UpdateRule | None, dict[str, Any]] = None, {}  # of the last job, as the core takes it

    @classmethod
    def missing(cls) -> str | None:
        """Why there is no core to use, or None if there is one."""
        return compiled.missing()

    @classmethod
    def switched_off(cls) -> bool:
        """Whether the environment switches the core off."""
        return compiled.switched_off()

    @classmethod
    def covers(cls, network: Network, objective: NetworkObjective, optimizer: Optimizer) -> str | None:
        """Why the core can't run a model, or None if it can."""
        unknown = _unknown(network, objective, optimizer)
        return None if unknown is None else f"the native core doesn't cover the model: {unknown}"

    @classmethod
    def facts(cls) -> str:
        """Instruction sets and threads."""
        from chainrule import _native

        threads = _native.available_threads()
        sets = ", ".join(_native.instruction_sets())
        return f"compiled in; {_native.instruction_set()} of {sets}; at most {threads} thread{'s' * (threads != 1)}"

    def predict(self, parameters: Array, state: Array, inputs: tuple[AnyArray, ...]) -> tuple[Array, ...]:
        """The heads' outputs, each (members, rows, *shape); inputs that are contiguous aren't copied."""
        return self.answer(parameters, state, inputs)[0]

    def answer(self, parameters: Array, state: Array, inputs: tuple[AnyArray, ...]) -> tuple[tuple[Array, ...], bool]:
        """What `predict` gives, and whether sums say that all is finite: numbers are looked at as they pass."""
        size = len(parameters), len(inputs[0])
        outputs = [np.empty(size + shape, parameters.dtype) for shape in self._row_shapes]
        finite = self._core.predict(
            parameters=parameters, state=state, inputs=inputs, outputs=outputs, threads=self.threads
        )
        return tuple(outputs), finite

    def losses(self, parameters: Array, state: Array, data: Rows) -> Sums:
        """Head losses over rows, as in prediction, and the penalties."""
        sums = self._one_step(len(parameters))
        self._core.losses(
            parameters=parameters, state=state, **_data(data, parameters), **_sums(sums), threads=self.threads
        )
        return sums

    def gradients(
        self, parameters: Array, state: Array, data: Rows, *, training: bool, seed: int, step: int,
        scheduled: Mapping[int, float] = NOTHING,
    ) -> Gradients:  # fmt: skip
        """The objective over all rows as one batch, and its gradient; nothing is changed."""
        sums = self._one_step(len(parameters))
        vector = self.network.layout.zeros(len(parameters), parameters.dtype)
        new_state = state.copy()
        self._core.gradients(
            parameters=parameters, state=new_state, **_data(data, parameters), training=training, seed=seed, step=step,
            scheduled=[(layer, np.array([value])) for layer, value in scheduled.items()],
            gradient=vector, **_sums(sums), threads=self.threads,
        )  # fmt: skip
        loss = np.array([sums.loss(self.objective, member) for member in range(len(parameters))])
        return Gradients(loss, vector, sums, new_state)

    def run(self, job: Job) -> Outcome:
        """Do the steps of a job in one call; `should_stop` is asked every 50 ms."""
        parameters, state, slots = self._loaded
        sums = job.sums.copy()
        if job.rule is not self._rule[0]:
            self._rule = job.rule, _rule_form(job.rule)
        recorder = self._idle
        if job.every:
            looked = sampled(job.every, job.first_step, len(job.rates))
            recorder = Recorder(self.network, self.objective, job.every, len(parameters), looked)
        steps, diverged, member, stopped = self._core.train(
            parameters=parameters, state=state, slots=slots, **_data(job.data, parameters),
            order=np.ascontiguousarray(job.order), batch_size=job.batch_size, rates=job.rates,
            first_step=job.first_step, memory_from=job.memory_from, **_sums(sums),
            optimizer=self._rule[1], weight_decays=job.scheduled.decays,
            scheduled=list(job.scheduled.numbers.items()), seed=job.seed,
            clip_norm=job.clip_norm, every=job.every, watched=recorder.watched, vitals=recorder.numbers,
            vital_losses=recorder.head_losses, vital_weights=recorder.head_weights,
            should_stop=job.should_stop, threads=self.threads,
        )  # fmt: skip
        sums.steps += steps
        vitals = recorder.vitals(job.first_step, steps)
        return Outcome(sums, steps, None if diverged < 0 else diverged, max(member, 0), stopped, vitals)

    def _one_step(self, members: int) -> Sums:
        sums = Sums.zeros(members, len(self.objective.heads))
        sums.steps = 1
        return sums


def _unknown(network: Network, objective: NetworkObjective, optimizer: Optimizer) -> str | None:
    """What of a model the core doesn't know, or None."""
    for slot in network.program.slots:
        if prod(slot.shape) > LARGEST_WIDTH:
            return f'the value of "{slot.name}" has {prod(slot.shape):,} numbers in a row, above {LARGEST_WIDTH:,}'
    if network.layout.size > LARGEST_VECTOR:
        return f"the network has {network.layout.size:,} parameters, above {LARGEST_VECTOR:,}"
    for step in network.steps:
        layer, function = step.layer, step.layer.applies
        if native_form(layer) is None:
            return f'it doesn\'t know the layer "{step.name}", a {type(layer).__name__}'
        if function is not None and native_form(function) is None:
            return f'it doesn\'t know the activation of "{step.name}", {type(function).__name__}'
    for head in objective.heads:
        if native_form(head.loss) is None:
            return f'it doesn\'t know the loss of "{head.head}", {type(head.loss).__name__}'
    if native_form(optimizer) is None:
        return f"it doesn't know the optimizer {type(optimizer).__name__}"
    return None


def _step_form(step: Step) -> dict[str, Any]:
    """What a layer says of itself, and where its arrays lie in their vectors."""
    form = native_form(step.layer)
    assert form is not None, "`covers` has looked"
    if step.layer.applies is not None:
        form |= native_form(step.layer.applies, kind="function") or {}
    return form | {
        "inputs": step.inputs,
        "output": step.output,
        **{s.name: s.offset for s in (*step.parameters, *step.state)},
    }


def _head_form(head: HeadLoss) -> dict[str, Any]:
    return {
        "slot": head.slot,
        "weight": head.weight,
        "fused": head.fused,
        **(native_form(head.loss, kind="loss") or {}),
    }


def _rule_form(rule: UpdateRule) -> dict[str, Any]:
    """The rule by its name in the core; of the conventions there is one besides PyTorch's."""
    return {"sklearn": getattr(rule, "convention", "") == "sklearn", **(native_form(rule) or {})}


def _data(data: Rows, parameters: Array) -> dict[str, Any]:
    """Rows, as the core takes them: numbers of one type, classes as int64, codes as int32. Mostly they are."""
    dtype = parameters.dtype
    return {
        "inputs": [_laid_out(x, x.dtype if x.dtype.kind == "i" else dtype) for x in data.inputs],
        "targets": [_laid_out(y, np.int64 if y.ndim == 1 else dtype) for y in data.targets],
        "weights": [None if w is None else _laid_out(w, dtype) for w in data.weights],
    }


def _laid_out(x: AnyArray, dtype: Any) -> AnyArray:
    x = np.ascontiguousarray(x, dtype)
    return x if x.flags.aligned else x.copy()


def _sums(sums: Sums) -> dict[str, Any]:
    return {"loss_sums": sums.losses, "weight_sums": sums.weights, "penalty_sums": sums.penalties}

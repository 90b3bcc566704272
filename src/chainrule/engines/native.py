"""The native engine: the numbers of `reference`, computed by the C++ core, whole epochs in one call without the GIL.

`covers` says whether the core knows a model, from the four tables below; `docs/reference/native.md` lists them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from chainrule import activations, losses, optimizers
from chainrule.activations import ActivationFunction
from chainrule.arrays import Array
from chainrule.engines.contract import Gradients, Job, Outcome, Rows, Sums, UpdateRule
from chainrule.engines.reference import ReferenceEngine
from chainrule.layers import Activation, Add, BatchNorm, Concatenate, Dense, Dropout, Flatten, Layer
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.objective import HeadLoss, Objective
from chainrule.optimizers import Optimizer
from chainrule.parameters import Span
from chainrule.steps import Step

LARGEST_WIDTH = 1 << 24  # numbers in a row of one value, in the core
LARGEST_VECTOR = 1 << 40  # parameters


@dataclass(frozen=True)
class Known:
    """What the core calls a type, and what it takes: fields and arrays, its name of them first."""

    kind: str
    fields: tuple[tuple[str, str], ...] = ()
    arrays: tuple[tuple[str, str], ...] = ()

    def form(self, thing: object, spans: Iterable[Span] = ()) -> dict[str, Any]:
        """The fields' values and the arrays' places in their vectors; -1 for an array that there isn't."""
        offsets = {span.name: span.offset for span in spans}
        return {name: getattr(thing, field) for name, field in self.fields} | {
            name: offsets.get(array, -1) for name, array in self.arrays
        }


def _same(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in names)


# Types match exactly: a subclass may compute anything.
LAYERS: dict[type[Layer], Known] = {
    Dense: Known("dense", arrays=(("weights", "W"), ("bias", "b"))),
    Activation: Known("activation"),
    BatchNorm: Known("batch_norm", _same("momentum", "epsilon"), _same("scale", "shift", "mean", "variance")),
    Dropout: Known("dropout", (("parameter", "rate"),)),
    Flatten: Known("flatten"),
    Add: Known("add"),
    Concatenate: Known("concatenate"),
}
ACTIVATIONS: dict[type[ActivationFunction], Known] = {
    activations.Linear: Known("linear"),
    activations.Sigmoid: Known("sigmoid"),
    activations.Tanh: Known("tanh"),
    activations.ReLU: Known("relu"),
    activations.LeakyReLU: Known("leaky_relu", (("parameter", "slope"),)),
    activations.ELU: Known("elu", (("parameter", "alpha"),)),
    activations.SELU: Known("selu"),
    activations.GELU: Known("gelu"),
    activations.SiLU: Known("silu"),
    activations.Mish: Known("mish"),
    activations.Softplus: Known("softplus"),
    activations.Exponential: Known("exponential"),
    activations.Softmax: Known("softmax"),
    activations.Threshold: Known("threshold"),
}
LOSSES: dict[type[Loss], Known] = {
    losses.SquaredError: Known("squared_error"),
    losses.HalfSquaredError: Known("half_squared_error"),
    losses.AbsoluteError: Known("absolute_error"),
    losses.Huber: Known("huber", (("parameter", "delta"),)),
    losses.Quantile: Known("quantile", (("parameter", "level"),)),
    losses.Poisson: Known("poisson"),
    losses.PoissonDeviance: Known("poisson_deviance"),
    losses.BinaryCrossEntropy: Known("binary_cross_entropy"),
    losses.CrossEntropy: Known("cross_entropy", (("parameter", "label_smoothing"),)),
}
_ADAM = Known("adam", _same("beta1", "beta2", "epsilon", "weight_decay", "amsgrad", "decoupled"))
OPTIMIZERS: dict[type[Optimizer], Known] = {
    optimizers.SGD: Known("sgd", _same("momentum", "nesterov", "dampening", "weight_decay")),
    optimizers.AdaGrad: Known("adagrad", _same("epsilon", "rate_decay", "weight_decay")),
    optimizers.RMSProp: Known("rmsprop", _same("rho", "epsilon", "momentum", "centered", "weight_decay")),
    optimizers.Adam: _ADAM,
    optimizers.AdamW: _ADAM,
    optimizers.LBFGS: Known("lbfgs"),  # SciPy's steps over the core's gradients
}


def covers(network: Network, objective: Objective, optimizer: Optimizer) -> str | None:
    """Why the core can't run a model, or None if it can."""
    for slot in network.program.slots:
        if prod(slot.shape) > LARGEST_WIDTH:
            return f'the value of "{slot.name}" has {prod(slot.shape):,} numbers in a row, above {LARGEST_WIDTH:,}'
    if network.layout.size > LARGEST_VECTOR:
        return f"the network has {network.layout.size:,} parameters, above {LARGEST_VECTOR:,}"
    for step in network.steps:
        layer = step.layer
        if type(layer) not in LAYERS:
            return f'it doesn\'t know the layer "{step.name}", a {type(layer).__name__}'
        if type(layer) is Activation and type(layer.f) not in ACTIVATIONS:
            return f'it doesn\'t know the activation of "{step.name}", {type(layer.f).__name__}'
    for head in objective.heads:
        if type(head.loss) not in LOSSES:
            return f'it doesn\'t know the loss of "{head.head}", {type(head.loss).__name__}'
    if type(optimizer) not in OPTIMIZERS:
        return f"it doesn't know the optimizer {type(optimizer).__name__}"
    return None


class NativeEngine:
    """Runs a network in the C++ core.

    Arguments:
        threads: how many threads a call may use; None leaves it to the core, which looks at the work.
    """

    name = "native"

    def __init__(self, network: Network, objective: Objective, threads: int | None = None):
        from chainrule import _native

        self.network = network
        self.objective = objective
        self.threads = threads or 0
        program = network.program
        self._core = _native.Program(
            widths=[prod(slot.shape) for slot in program.slots],
            inputs=[slot.index for slot in program.inputs],
            outputs=[head.slot for head in program.heads],
            steps=[_step_form(step) for step in program.steps],
            heads=[_head_form(head) for head in objective.heads],
            penalties=[(run.begin, run.end, run.l1, run.l2) for run in objective.penalties],
            parameters=program.parameters.size,
            state=program.state.size,
            mean=objective.reduction == "mean",
            sklearn=objective.convention == "sklearn",
        )
        self._row_shapes = [head.shape for head in program.heads]

    def predict(self, parameters: Array, state: Array, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
        """The heads' outputs, each (members, rows, *shape); inputs that are contiguous aren't copied."""
        size = len(parameters), len(inputs[0])
        outputs = [np.empty(size + shape, parameters.dtype) for shape in self._row_shapes]
        self._core.predict(parameters=parameters, state=state, inputs=inputs, outputs=outputs, threads=self.threads)
        return tuple(outputs)

    def losses(self, parameters: Array, state: Array, data: Rows) -> Sums:
        """Head losses over rows, as in prediction, and the penalties."""
        sums = self._one_step(len(parameters))
        self._core.losses(
            parameters=parameters, state=state, **_data(data, parameters), **_sums(sums), threads=self.threads
        )
        return sums

    def gradients(
        self, parameters: Array, state: Array, data: Rows, *, training: bool, seed: int, step: int, report: bool = False
    ) -> Gradients:
        """The objective over all rows as one batch, and its gradient; the report of the memo is the reference's."""
        if report:
            return ReferenceEngine(self.network, self.objective).gradients(
                parameters, state, data, training=training, seed=seed, step=step, report=True
            )
        sums = self._one_step(len(parameters))
        vector = self.network.layout.zeros(len(parameters), parameters.dtype)
        new_state = state.copy()
        self._core.gradients(
            parameters=parameters, state=new_state, **_data(data, parameters), training=training, seed=seed, step=step,
            gradient=vector, **_sums(sums), threads=self.threads,
        )  # fmt: skip
        loss = np.array([sums.loss(self.objective, member) for member in range(len(parameters))])
        return Gradients(loss, vector, sums, new_state)

    def run(self, job: Job) -> Outcome:
        """Do the steps of a job in one call; `should_stop` is asked every 50 ms."""
        steps, diverged, member, stopped = self._core.train(
            parameters=job.parameters, state=job.state, slots=job.slots, **_data(job.data, job.parameters),
            order=np.ascontiguousarray(job.order), batch_size=job.batch_size, rates=job.rates,
            first_step=job.first_step, memory_from=job.memory_from, **_sums(job.sums),
            optimizer=_rule_form(job.rule), seed=job.seed,
            trainable=[(run.start, run.stop) for run in job.trainable], clip_norm=job.clip_norm,
            should_stop=job.should_stop, threads=self.threads,
        )  # fmt: skip
        job.sums.steps += steps
        return Outcome(steps, None if diverged < 0 else diverged, max(member, 0), stopped)

    def _one_step(self, members: int) -> Sums:
        sums = Sums.zeros(members, len(self.objective.heads))
        sums.steps = 1
        return sums


def _step_form(step: Step) -> dict[str, Any]:
    known = LAYERS[type(step.layer)]
    form = {"kind": known.kind, "inputs": step.inputs, "output": step.output}
    if isinstance(step.layer, Activation):
        f = step.layer.f
        function = ACTIVATIONS[type(f)]
        name = "gelu_tanh" if isinstance(f, activations.GELU) and f.approximate else function.kind
        return form | {"activation": name} | function.form(f)
    return form | known.form(step.layer, (*step.parameters, *step.state))


def _head_form(head: HeadLoss) -> dict[str, Any]:
    known = LOSSES[type(head.loss)]
    return {"slot": head.slot, "loss": known.kind, "weight": head.weight, "fused": head.fused, **known.form(head.loss)}


def _rule_form(rule: UpdateRule) -> dict[str, Any]:
    known = OPTIMIZERS[type(rule)]  # type: ignore[index]  # `covers` has looked
    return {"kind": known.kind, "sklearn": getattr(rule, "convention", "") == "sklearn", **known.form(rule)}


def _data(data: Rows, parameters: Array) -> dict[str, Any]:
    """Rows as the core takes them: the numbers of the parameters' type, classes as int64. Mostly they are."""
    dtype = parameters.dtype
    return {
        "inputs": [_laid_out(x, dtype) for x in data.inputs],
        "targets": [_laid_out(y, np.int64 if y.ndim == 1 else dtype) for y in data.targets],
        "weights": [None if w is None else _laid_out(w, dtype) for w in data.weights],
    }


def _laid_out(x: Array, dtype: Any) -> Array:
    x = np.ascontiguousarray(x, dtype)
    return x if x.flags.aligned else x.copy()


def _sums(sums: Sums) -> dict[str, Any]:
    return {"loss_sums": sums.losses, "weight_sums": sums.weights, "penalty_sums": sums.penalties}

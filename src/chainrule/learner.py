"""What learns: a network with its parameters, its objective, its optimizer and its engine, on rows that are prepared.

`Model` stands on it, takes arrays, and answers in arrays. Whoever prepares rows in a way of their own (the
scikit-learn face does) has here all that fitting, asking and copying need.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from threading import Lock
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from chainrule import random
from chainrule.arrays import Array, is_finite
from chainrule.augment import Augment, get_augment
from chainrule.averaged import mean_network, mean_parameters, mean_state
from chainrule.data import check_dtype, check_weights
from chainrule.engines.choose import choose
from chainrule.engines.contract import Engine, Rows
from chainrule.errors import InputError, TrainingError
from chainrule.limits import COUNT, POSITIVE, check
from chainrule.network import Network
from chainrule.objective import Objective
from chainrule.optimizers import Optimizer, get_optimizer
from chainrule.parameters import Named
from chainrule.starting import ROWS, start_from_rows
from chainrule.training.batches import Shuffle, check_batch_norm
from chainrule.training.callbacks import get_callback
from chainrule.training.evaluation import metrics_by_head
from chainrule.training.history import History
from chainrule.training.interrupt import Interrupt
from chainrule.training.lifecycle import train
from chainrule.training.run import Plan, Run
from chainrule.training.scheduled import scheduled
from chainrule.training.state import TrainingState
from chainrule.training.stopping import Stop


class Learner:
    """A network at work: what it is told, its training state, and the engine that computes.

    Arguments:
        members: how many networks side by side, or the parameters that each begins with.
        network, loss, optimizer, metrics, l1, l2, seed, dtype, engine, threads: as for `Model`.
    """

    def __init__(
        self,
        members: int | Array,
        network: Network,
        loss: object,
        optimizer: str | Optimizer,
        *,
        metrics: Any = (),
        l1: float = 0.0,
        l2: float = 0.0,
        seed: int = 0,
        dtype: DTypeLike = "float32",
        engine: str = "auto",
        threads: int | None = None,
    ):
        if not isinstance(network, Network):
            raise InputError(f"network is {network!r}; it must be a chainrule.Network, such as Network.mlp(4, [16], 1)")
        self.network = network
        self.optimizer = get_optimizer(optimizer)
        self.seed = random.check_seed(seed)
        self.dtype = check_dtype(dtype)
        self.objective = Objective.of(loss).on(network, l1=l1, l2=l2)
        self.metrics = metrics_by_head(self.objective, metrics)
        self._penalties = {"l1": l1, "l2": l2}
        self._asked = engine, threads
        self._start_engine()
        self._shown = False  # whether somebody was given views of parameters or statistics
        self.training = TrainingState.initial(network, self.optimizer, self.seed, self.dtype, members)

    def _start_engine(self) -> None:
        engine, threads = self._asked
        self._engine, self.engine_ = choose(engine, self.network, self.objective, self.optimizer, threads)
        self._at_work = Lock()  # held while the model trains
        self._is_finite = False  # whether parameters and statistics are known to be

    @property
    def members(self) -> int:
        """How many networks train side by side: 1, unless it is an `ensemble`."""
        return len(self.training.parameters)

    @property
    def history(self) -> History:
        """The record of the last fit; the first member's where each was trained by itself."""
        return self.training.history

    @property
    def histories(self) -> list[History]:
        """The record of the last fit of each member, where each was trained by itself; else the one of all."""
        return [self.training.history, *self.training.other_histories]

    @property
    def parameters(self) -> Named:
        """The parameters by layer and name, as views: `model.parameters["hidden"]["W"]` (inputs x units).

        Where several members train side by side these are the first one's; `training.parameters` has them all.
        """
        self._shown = True
        return self.network.layout.named(self.training.parameters[0])

    @property
    def state(self) -> Named:
        """What is kept but not learned, by layer and name: running means and variances."""
        self._shown = True
        return self.network.state_layout.named(self.training.state[0])

    def set_parameters(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Set parameters by layer and name; those that aren't named stay. Nothing changes unless all of them fit.

        Arguments:
            values: arrays by layer and name.

        >>> from chainrule import Model
        >>> model = Model(Network.mlp(1, [], 1), "squared_error")
        >>> model.set_parameters({"output": {"W": [[2.0]], "b": [1.0]}})
        >>> model.predict([[3.0]]).tolist()
        [[7.0]]
        """
        self.network.layout.assign(self.training.parameters[0], values)
        self._is_finite = False

    def set_state(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Set running means and variances by layer and name; those that aren't named stay.

        Arguments:
            values: arrays by layer and name.

        >>> from chainrule import Model
        >>> model = Model(Network.mlp(1, [2], 1, batch_norm=True), "squared_error")
        >>> model.set_state({"hidden_norm": {"mean": [0.5, 0.25]}})
        >>> model.state["hidden_norm"]["mean"].tolist()
        [0.5, 0.25]
        """
        self.network.state_layout.assign(self.training.state[0], values)
        self._is_finite = False

    def fit_rows(
        self,
        rows: Rows,
        *,
        epochs: int,
        batch_size: int,
        validation: Rows | None = None,
        shuffle: Shuffle = True,
        stop: Stop | Sequence[Stop] = (),
        callbacks: Sequence[Any] = (),
        clip_norm: float | None = None,
        resume: bool = False,
        augment: Augment | None = None,
        keep_schedule: bool = False,
        halt: Interrupt | None = None,
        initialize: bool = False,
    ) -> Run:
        """Train on rows that are prepared: what `fit` does with them, and others that prepare rows their own way.

        Arguments:
            rows, validation: as engines take them.
            batch_size: rows of a step; all of them for a full-batch optimizer.
            epochs, shuffle, stop, callbacks, clip_norm, resume, augment: as for `fit`.
            keep_schedule: learning rates go on where the last fit left them.
            halt: what ends the fit together with others; left out, Ctrl-C alone does.
            initialize: whether the starting weights look at the rows first, as by `initialize_from_rows`.

        Returns:
            the run, for `solver_results`.

        >>> from chainrule import Model
        >>> model = Model(Network.mlp(1, [], 1), "squared_error")
        >>> rows = Rows((np.ones((8, 1), "float32"),), (np.ones((8, 1), "float32"),), (None,))
        >>> model.fit_rows(rows, epochs=3, batch_size=4).state.step
        6
        """
        check("fit", "epochs", epochs, COUNT)
        if clip_norm is not None:
            check("fit", "clip_norm", clip_norm, POSITIVE)
        self.objective.check_trainable(self.network)
        check_batch_norm(self.network, batch_size)
        augment = get_augment(augment)
        if augment is not None:
            if self.optimizer.full_batch:
                raise InputError(
                    "L-BFGS compares losses between evaluations, and augmented rows change the loss itself: leave "
                    "augment out, or train with Adam or SGD"
                )
            augment.check(rows.inputs, min(batch_size, len(rows)))
        heads = [head.head for head in self.objective.heads]
        if len(heads) > 1:
            check_weights(rows, "to train on", heads)
        if validation is not None:
            check_weights(validation, "held out for validation", heads)
        stops: list[Stop] = [stop] if isinstance(stop, Stop) else list(stop)
        for rule in stops:
            if not isinstance(rule, Stop):
                raise InputError(f"stop takes stopping rules such as EarlyStopping(patience=10), not {rule!r}")
        self.engine_.say()
        plan = Plan(
            self._engine_for(rows, validation), self.optimizer, rows, epochs, batch_size, self.seed, shuffle,
            validation, self.metrics, stops, [get_callback(callback) for callback in callbacks], clip_norm,
            augment, halt,
        )  # fmt: skip
        if not self._at_work.acquire(blocking=False):
            raise TrainingError(
                "the model is being trained already, by another thread or by the fit whose callback this is: "
                "wait for its end, or train a copy (copy.deepcopy)"
            )
        self._is_finite = False
        try:
            if resume:
                self.training.go_on()
            else:
                if initialize:
                    self.initialize_from_rows(rows.inputs)
                self.training.begin_run(keep_schedule=keep_schedule)
            run = Run(plan, self.training, self)
            train(run)
        finally:
            self._at_work.release()
        return run

    def anew(self, *, seed: int | None = None, members: int | Array = 1, threads: int | None = None) -> Self:
        """Another of the same description that has learned nothing yet.

        Arguments:
            seed: of its own; left out, this one's.
            members: how many networks side by side, or the parameters that each begins with.
            threads: how many an engine with threads of its own may use; left out, as this one was asked.

        >>> from chainrule import Model
        >>> model = Model(Network.mlp(1, [], 1), "squared_error", "sgd")
        >>> other = model.anew(seed=7)
        >>> other.seed, other.optimizer == model.optimizer
        (7, True)
        """
        other = type(self).__new__(type(self))
        vars(other).update(self.__getstate__())
        other.seed = self.seed if seed is None else random.check_seed(seed)
        other._asked = self._asked[0], self._asked[1] if threads is None else threads
        other._shown = False
        other._start_engine()
        other.training = TrainingState.initial(self.network, self.optimizer, other.seed, self.dtype, members)
        return other

    def member(self, number: int | str) -> Self:
        """One of the members as a model of its own: to explain it, or to ask for its gradients.

        Arguments:
            number: which one, from 1; or `"mean"`, one network in which all of them stand beside each other and whose
                outputs are their mean. Its layers have the members' numbers after their names, and its loss is that of
                the mean, without the penalties that the model was told.

        Raises:
            InputError: there is none of that number.

        >>> from chainrule import Model
        >>> model = Model.ensemble(Network.mlp(1, [], 1), "squared_error", members=3)
        >>> X = np.ones((8, 1), "float32")
        >>> bool((model.member(2).predict(X) == model.outputs((X,))[0][1]).all())
        True
        >>> model.member("mean").network.count().total
        7
        """
        if number == "mean":
            return self._mean()
        if not isinstance(number, int) or not COUNT.holds(number) or number > self.members:
            raise InputError(f'member is {number!r}; the model has {self.members}, from 1 to {self.members}, or "mean"')
        now, i = self.training, number - 1
        seed = self.seed + i if now.other_histories else self.seed  # trained by itself, it had its own
        one = self.anew(members=now.parameters[i : i + 1], seed=seed % 2**64)
        one.training.state[...] = now.state[i : i + 1]
        one.training.slots[...] = now.slots[i : i + 1]
        one.training.step, one.training.epoch, one.training.memory_from = now.step, now.epoch, now.memory_from
        one.training.history = (self.histories * self.members)[i]
        return one

    def _mean(self) -> Self:
        told, heads, now = self.objective, self.objective.heads, self.training
        losses = {head.head: head.loss for head in heads}
        weights = {head.head: head.weight for head in heads}
        mean = type(self).__new__(type(self))
        Learner.__init__(
            mean, 1, mean_network(self.network, self.members),
            Objective(losses, weights, told.reduction, told.convention, told.fuse), self.optimizer,
            seed=self.seed, dtype=self.dtype, engine=self._asked[0], threads=self._asked[1],
        )  # fmt: skip
        mean.set_parameters(mean_parameters(self.network, now.parameters))
        mean.set_state(mean_state(self.network, now.state))
        return mean

    def initialize_from_rows(self, inputs: tuple[Array, ...], rows: int = ROWS) -> None:
        """`Model.initialize_from` for rows that are prepared.

        Arguments:
            inputs: an array (rows, ...) for each input of the network.
            rows: how many of them are looked at, drawn by the seed where there are more.

        >>> from chainrule import Model
        >>> model = Model(Network.mlp(1, [4], 1), "squared_error")
        >>> model.initialize_from_rows((np.array([[-2.0], [2.0]], "float32"),))
        >>> bool(np.allclose(abs(model.parameters["hidden"]["W"]), 0.5))
        True
        """
        check(type(self).__name__, "rows", rows, COUNT)
        with np.errstate(all="ignore"):
            start_from_rows(self.network, self.training.parameters, self.training.state, inputs, self.seed, rows)
        self._is_finite = False

    def outputs(self, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
        """What every member says of rows that are prepared, for each head: (members, rows, outputs).

        Arguments:
            inputs: an array (rows, ...) for each input of the network.

        >>> from chainrule import Model
        >>> model = Model.ensemble(Network.mlp(1, [], 1), "squared_error", members=3)
        >>> [output.shape for output in model.outputs((np.ones((8, 1), "float32"),))]
        [(3, 8, 1)]
        """
        return self._engine_for(inputs).predict(self.training.parameters, self.training.state, inputs)

    def gradients(self, rows: Rows, *, training: bool = False) -> tuple[float, Named]:
        """Loss and gradients of the first member, as `loss_and_gradients`, from rows that are prepared.

        Arguments:
            rows: as engines take them.
            training: dropout and batch normalization work as in the next training step.

        Raises:
            TrainingError: the loss or a gradient isn't finite, or a threshold unit is in the way.

        >>> from chainrule import Model
        >>> model = Model(Network.mlp(1, [], 1), "squared_error")
        >>> model.set_parameters({"output": {"W": [[2.0]], "b": [1.0]}})
        >>> model.gradients(Rows((np.array([[3.0]], "float32"),), (np.array([[5.0]], "float32"),), (None,)))[0]
        4.0
        """
        self.objective.check_trainable(self.network)
        state = self.training
        with np.errstate(all="ignore"):
            result = self._engine_for(rows).gradients(
                state.parameters[:1], state.state[:1], rows, training=training, seed=self.seed, step=state.step,
                scheduled=self._scheduled(),
            )  # fmt: skip
        loss, vector = float(result.loss[0]), result.vector[0]
        if not (math.isfinite(loss) and is_finite(vector)):
            raise TrainingError(
                "the loss of these rows or its gradient is NaN or infinite: something overflows on the way; "
                "are inputs and targets scaled?"
            )
        return loss, self.network.layout.named(vector)

    def take_over(self, other: Learner) -> None:
        """Go on where another model stands: parameters as far as they fit, what an optimizer of its kind remembers.

        Arguments:
            other: a model whose network has the same shapes; its loss and its options may differ.

        >>> from chainrule import Model
        >>> first, second = (Model(Network.mlp(2, [], 1), loss, seed=i) for i, loss in enumerate(["mse", "huber"]))
        >>> second.take_over(first)
        >>> bool((second.parameters["output"]["W"] == first.parameters["output"]["W"]).all())
        True
        """
        self._is_finite = False
        self.training.take_over(other.training, optimizer=self.optimizer.name == other.optimizer.name)

    def _scheduled(self) -> dict[int, float]:
        """The numbers of layers that follow schedules, as in the next training step."""
        return scheduled(self.network, self.optimizer, self.training).at(0)

    def _engine_for(self, *rows: Any) -> Engine:
        """The engine that computes these rows or inputs; a kind of model with rows of its own may take another."""
        return self._engine

    def _check_finite(self) -> None:
        """Raise a `TrainingError` unless all parameters and statistics are finite."""
        network, state = self.network, self.training
        for what, setter, layout, vectors in (
            ("parameter", "set_parameters", network.layout, state.parameters),
            ("statistic", "set_state", network.state_layout, state.state),
        ):
            span = layout.first_not_finite(vectors)
            if span is not None:
                raise TrainingError(
                    f"the {what} {span.key} holds NaN or infinite numbers: set it anew ({setter}), or train a new model"
                )
        self._is_finite = True

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the engine, which is chosen again: pickling and copying begin here."""
        anew = ("_engine", "engine_", "_at_work", "_is_finite")
        return {name: value for name, value in vars(self).items() if name not in anew}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start_engine()

    def __copy__(self) -> Self:
        """A copy of its own: two models that share their weights would train each other."""
        return deepcopy(self)

"""A model: a network with its parameters, its losses and its optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from chainrule import __version__, container, random
from chainrule.arrays import Array
from chainrule.data import prepare_inputs, prepare_rows
from chainrule.engines.choose import Choice, choose
from chainrule.engines.contract import Engine, Gradients, Rows
from chainrule.engines.memo import MemoReport
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import FileError, InputError
from chainrule.limits import COUNT, OPEN_FRACTION, POSITIVE, check
from chainrule.metrics import Metric, get_metric
from chainrule.network import Network
from chainrule.objective import Convention, Objective, Reduction
from chainrule.optimizers import Optimizer, get_optimizer
from chainrule.parameters import Named
from chainrule.resolve import to_form
from chainrule.saving import check_sizes, damaged, load_training, loss_of, losses_form, metrics_form, save_training
from chainrule.training.batches import Shuffle, resolve_batch_size
from chainrule.training.callbacks import get_callback
from chainrule.training.evaluation import mean_output, measure
from chainrule.training.history import History
from chainrule.training.loop import Plan, Run
from chainrule.training.progress import ProgressBar, wanted
from chainrule.training.state import TrainingState
from chainrule.training.stopping import Stop

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation


class Model:
    """A network that can be trained and asked.

    `Model(network, loss)` is enough: it trains with Adam, in float32, on the fastest engine that covers it.

    Arguments:
        network: the description, such as `Network.mlp(4, [16], 3, output="softmax")`; `seed` draws its parameters.
        loss: a loss by name or as an object (`"squared_error"`, `"cross_entropy"`, `Quantile(0.9)`); several heads take
            one for each, by name.
        optimizer: a name, or an optimizer with a learning rate of your own such as `Adam(1e-2)`.
        metrics: what is measured after every epoch besides the loss, such as `["accuracy"]`; by head where there are
            several.
        loss_weights: how much each head's loss counts, by name; 1 where nothing is said.
        l1, l2: penalties `l1 sum|W| + l2 sum W^2` on all weights whose layer says nothing else; never on biases.
        reduction: a batch's loss is the `"mean"` over its rows, or their `"sum"`.
        convention: `"chainrule"` adds penalties as they are; `"sklearn"` divides them by the weight of a batch.
        fuse: whether a loss and its output activation are computed together, which stays finite for large logits;
            False sends every gradient through the activation by the plain chain rule, as one does by hand.
        seed: decides the parameters, the order of rows and the dropout masks.
        dtype: `"float32"` or `"float64"`, throughout; explanations are always in float64.
        engine: `"auto"`, `"reference"` or `"native"`; what was chosen and why is in `engine_`.
        n_jobs: threads of the native engine; None lets it choose from the work, at most CHAINRULE_THREADS or all cores.
        members: how many networks train side by side, each from its own start; they answer with their mean.
        start: the parameters to begin with, shape (members, `network.layout.size`), in place of drawn ones; for a few
            of them, `set_parameters` is easier.

    Raises:
        InputError: an argument can't be used, or the loss doesn't fit the network's outputs.
        EngineError: `engine="native"` where the core doesn't cover the model.

    >>> import numpy as np
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]); y = np.array([0, 1, 1, 0])
    >>> model = Model(Network.mlp(2, [8], 1, activation="tanh", output="sigmoid"), "binary_cross_entropy", "lbfgs")
    >>> history = model.fit(X, y)
    >>> model.predict(X).round().ravel().tolist()
    [0.0, 1.0, 1.0, 0.0]
    """

    def __init__(
        self,
        network: Network,
        loss: object,
        optimizer: str | Optimizer = "adam",
        *,
        metrics: Sequence[str | Metric] | Mapping[str, Sequence[str | Metric]] = (),
        loss_weights: Mapping[str, float] | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        reduction: Reduction = "mean",
        convention: Convention = "chainrule",
        fuse: bool = True,
        seed: int = 0,
        dtype: DTypeLike = "float32",
        engine: str = "auto",
        n_jobs: int | None = None,
        members: int = 1,
        start: Array | None = None,
    ):
        if not isinstance(network, Network):
            raise InputError(f"network is {network!r}; it must be a chainrule.Network, such as Network.mlp(4, [16], 1)")
        self.network = network
        self.optimizer = get_optimizer(optimizer)
        self.seed = random.check_seed(seed)
        self.dtype = _check_dtype(dtype)
        self.objective = Objective.of(
            network, loss, loss_weights=loss_weights, l1=l1, l2=l2, reduction=reduction,
            convention=convention, fuse=fuse,
        )  # fmt: skip
        self.metrics = _metrics(self.objective, metrics)
        check("Model", "members", members, COUNT)
        self.members = members
        self.options = {"l1": l1, "l2": l2, "reduction": reduction, "convention": convention, "fuse": fuse}
        self._engine, self.engine_ = choose(engine, network, self.objective, self.optimizer, n_jobs)
        self.training = TrainingState.initial(network, self.optimizer, self.seed, self.dtype, members, start)

    engine_: Choice
    _engine: Engine

    @property
    def history(self) -> History:
        """The record of the last fit."""
        return self.training.history

    @property
    def parameters(self) -> Named:
        """The parameters by layer and name, as views: `model.parameters["hidden"]["W"]` (inputs x units).

        Where several members train side by side these are the first one's; `training.parameters` has them all.
        """
        return self.network.layout.named(self.training.parameters[0])

    @property
    def state(self) -> Named:
        """What is kept but not learned, by layer and name: running means and variances."""
        return self.network.state_layout.named(self.training.state[0])

    def set_parameters(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Set parameters by layer and name; those that aren't named stay. Nothing changes unless all of them fit.

        >>> model = Model(Network.mlp(1, [], 1), "squared_error")
        >>> model.set_parameters({"output": {"W": [[2.0]], "b": [1.0]}})
        >>> model.predict([[3.0]]).tolist()
        [[7.0]]
        """
        self.network.layout.assign(self.training.parameters[0], values)

    def set_state(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Set running means and variances by layer and name."""
        self.network.state_layout.assign(self.training.state[0], values)

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        epochs: int = 100,
        batch_size: int | str = "auto",
        validation: float | tuple[Any, ...] | None = None,
        sample_weight: Any = None,
        shuffle: Shuffle = True,
        stop: Stop | Sequence[Stop] = (),
        callbacks: Any = (),
        clip_norm: float | None = None,
        progress: bool | str = "auto",
        resume: bool = False,
    ) -> History:
        """Train, and return the history.

        Ctrl-C stops after the step at hand and keeps what was learned. Fitting again goes on from the present
        parameters; `resume=True` takes up an interrupted fit where it stood, `epochs` counting from its beginning.

        Arguments:
            X, y: rows; mappings by name where the network has several inputs or heads.
            epochs: passes over the rows, at most.
            batch_size: rows of a step: a number, `"full"`, or `"auto"` (32). The last step of an epoch takes what is
                left; with batch normalization, which needs two rows, a row left alone is left out.
            validation: a fraction of the rows to hold out, or `(X, y)` or `(X, y, sample_weight)`.
            sample_weight: a weight for each row, or by head.
            shuffle: True, False, `"replace"` (rows drawn with replacement), or a function from the epoch to its order.
            stop: stopping rules such as `EarlyStopping(patience=10)`.
            callbacks: `Callback` objects, or functions of the epoch's record.
            clip_norm: the greatest norm of a step's whole gradient.
            progress: a bar on standard error: True, False, or `"auto"` (where it is a terminal).

        Raises:
            InputError: X, y or an argument can't be used.
            DivergenceError: the loss became NaN or infinite; the model has the weights of the epoch before.
        """
        check("fit", "epochs", epochs, COUNT)
        if clip_norm is not None:
            check("fit", "clip_norm", clip_norm, POSITIVE)
        if self.optimizer.full_batch and (clip_norm is not None or batch_size not in ("auto", "full")):
            raise InputError("L-BFGS takes all rows and whole gradients: leave batch_size and clip_norm out")
        self.objective.check_trainable(self.network)
        self.engine_.say()
        data, held_out = self._split(
            prepare_rows(self.network, self.objective, X, y, sample_weight, self.dtype), validation
        )
        size = resolve_batch_size("full" if self.optimizer.full_batch else batch_size, len(data))
        self._check_batch_norm(size)
        callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        stops: list[Stop] = [stop] if isinstance(stop, Stop) else list(stop)
        for rule in stops:
            if not isinstance(rule, Stop):
                raise InputError(f"stop takes stopping rules such as EarlyStopping(patience=10), not {rule!r}")
        bar = ProgressBar() if wanted(progress) else None
        plan = Plan(
            self._engine, self.optimizer, data, epochs, size, self.seed, shuffle, held_out, self.metrics,
            stops,
            [get_callback(callback) for callback in callbacks] + ([bar] if bar else []),
            clip_norm,
        )  # fmt: skip
        if resume:
            self.training.go_on()
        else:
            self.training.begin_run()
        try:
            Run(plan, self.training, self).train()
        finally:
            if bar is not None:
                bar.close()
        return self.history

    def predict(self, X: Any) -> Any:
        """The output of every row, shape (rows, outputs); by head where the network has several."""
        inputs = prepare_inputs(self.network, X, self.dtype)
        outputs = self._engine.predict(self.training.parameters, self.training.state, inputs)
        if len(outputs) == 1:
            return mean_output(outputs[0])
        return {head.name: mean_output(output) for head, output in zip(self.network.heads, outputs, strict=True)}

    def evaluate(self, X: Any, y: Any, sample_weight: Any = None) -> dict[str, float]:
        """The loss (penalties included) and the metrics on rows, by name."""
        data = prepare_rows(self.network, self.objective, X, y, sample_weight, self.dtype)
        with np.errstate(all="ignore"):
            loss, metrics = measure(self._engine, self.training.parameters, self.training.state, data, self.metrics)
        return {"loss": loss, **metrics}

    def loss_and_gradients(
        self, X: Any, y: Any, sample_weight: Any = None, *, training: bool = False
    ) -> tuple[float, Named]:
        """The loss of the rows as one batch (penalties included), and its gradient by every parameter.

        With `training=True` dropout and batch normalization work as in the next training step.

        >>> model = Model(Network.mlp(1, [], 1), "squared_error")
        >>> model.set_parameters({"output": {"W": [[2.0]], "b": [1.0]}})
        >>> loss, gradients = model.loss_and_gradients([[3.0]], [5.0])
        >>> loss, gradients["output"]["W"].tolist()
        (4.0, [[12.0]])
        """
        result = self._gradients(X, y, sample_weight, training, self._engine)
        return float(result.loss[0]), self.network.layout.named(result.vector[0])

    def memo_report(self, X: Any, y: Any, sample_weight: Any = None, *, training: bool = True) -> MemoReport:
        """What memoization keeps and saves in one forward and backward pass over the rows, by the reference engine."""
        engine = ReferenceEngine(self.network, self.objective)
        report = self._gradients(X, y, sample_weight, training, engine, report=True).memo
        assert report is not None
        return report

    def explain(
        self, X: Any, y: Any = None, sample_weight: Any = None, *, training: bool = False, notation: str = "ours"
    ) -> Derivation:
        """Every quantity of a forward and a backward pass over one row (or several as one batch), by name.

        Without `y` there is the forward pass alone. With `training=True` dropout and batch normalization work as in the
        next training step.

        >>> model = Model(Network.mlp(1, [], 1), "squared_error", "sgd")
        >>> model.set_parameters({"output": {"W": [[2.0]], "b": [1.0]}})
        >>> model.explain([3.0], 5.0)["dL/dW[output,1,1]"]
        dL/dW[output,1,1] = dL/dz[output,1]*dz/dW[output,1,1] = 4*3 = 12
        """
        from chainrule.explain.derivation import explain

        return explain(self, X, y, sample_weight, training=training, notation=notation)

    def save(self, path: str | Path, *, training: bool = False) -> None:
        """Save to one `.safetensors` file; with `training`, everything that `fit(resume=True)` needs to go on."""
        container.write(path, self.to_contents(training=training), __version__)

    def to_contents(self, *, training: bool = False) -> container.Contents:
        """What `save` writes: JSON and tensors."""
        tensors, form = save_training(self.network, self.optimizer, self.training, whole=training)
        form |= {
            "network": self.network.to_dict(),
            "loss": losses_form(self.objective),
            "optimizer": to_form(self.optimizer),
            "metrics": metrics_form(self.metrics),
            "loss_weights": {head.head: head.weight for head in self.objective.heads},
            "seed": self.seed,
            "dtype": str(self.dtype),
            "members": self.members,
            **self.options,
        }
        return container.Contents("model", form, tensors)

    @classmethod
    def from_contents(cls, contents: container.Contents, *, loss: object = None, engine: str = "auto") -> Model:
        """The model of a file; `loss` takes the place of one of your own, which files don't hold."""
        form = contents.form
        try:
            network, members = Network.from_dict(form["network"]), form.get("members", 1)
            check_sizes(network, members, form["dtype"], contents.tensors)
            model = cls(
                network,
                loss if loss is not None else {head: loss_of(entry) for head, entry in form["loss"].items()},
                get_optimizer(form["optimizer"]),
                metrics=form["metrics"],
                loss_weights=form["loss_weights"],
                l1=form["l1"],
                l2=form["l2"],
                reduction=form["reduction"],
                convention=form.get("convention", "chainrule"),
                fuse=form["fuse"],
                seed=form["seed"],
                dtype=form["dtype"],
                engine=engine,
                members=members,
                start=network.layout.zeros(members, form["dtype"]),
            )
            load_training(model.network, model.optimizer, model.training, contents.tensors, form)
        except FileError:
            raise
        except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(error) from error
        return model

    def summary(self) -> str:
        """The network's layers as a table of text."""
        return self.network.summary()

    def __repr__(self) -> str:
        losses = ", ".join(f"{head.head}: {head.loss.name}" for head in self.objective.heads)
        return f"<Model of {self.network!r}, {losses}, {self.optimizer.name}, {self.dtype}, engine {self.engine_.name}>"

    def _gradients(
        self, X: Any, y: Any, sample_weight: Any, training: bool, engine: Engine, report: bool = False
    ) -> Gradients:
        self.objective.check_trainable(self.network)
        data = prepare_rows(self.network, self.objective, X, y, sample_weight, self.dtype)
        state = self.training
        with np.errstate(all="ignore"):
            return engine.gradients(
                state.parameters, state.state, data, training=training, seed=self.seed, step=state.step, report=report
            )

    def _split(self, data: Rows, validation: Any) -> tuple[Rows, Rows | None]:
        if validation is None:
            return data, None
        if isinstance(validation, tuple):
            if len(validation) not in (2, 3):
                raise InputError("validation is a fraction, (X, y) or (X, y, sample_weight)")
            X, y, *weights = validation
            held_out = prepare_rows(self.network, self.objective, X, y, weights[0] if weights else None, self.dtype)
            return data, held_out
        check("fit", "validation", validation, OPEN_FRACTION)
        n_held_out = max(round(validation * len(data)), 1)
        if n_held_out >= len(data):
            raise InputError(f"validation={validation} of {len(data)} rows leaves none to train on")
        order = random.permutation(len(data), self.seed, 0, stream=random.SPLIT)
        return data.take(np.sort(order[n_held_out:])), data.take(np.sort(order[:n_held_out]))

    def _check_batch_norm(self, batch_size: int) -> None:
        for step in self.network.steps:
            if batch_size < step.layer.least_rows:
                raise InputError(
                    f'batch normalization (layer "{step.name}") needs at least two rows a batch: with one, '
                    "every value is its own mean; use a larger batch_size"
                )


def _check_dtype(dtype: DTypeLike) -> np.dtype:
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    if found not in (np.dtype("float32"), np.dtype("float64")):
        raise InputError(f'dtype is {dtype!r}; it must be "float32" or "float64"')
    return found


def _metrics(objective: Objective, given: Any) -> dict[str, tuple[Metric, ...]]:
    heads = [head.head for head in objective.heads]
    if isinstance(given, (str, Metric)):
        given = [given]
    by_head = given if isinstance(given, Mapping) else dict.fromkeys(heads, given)
    for name in by_head:
        if name not in heads:
            raise InputError(f'metrics: there is no head "{name}"; there are {", ".join(heads)}')
    return {head: tuple(get_metric(metric) for metric in by_head.get(head, ())) for head in heads}

"""A model: a network with its parameters, its losses and its optimizer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import DTypeLike

from chainrule import __version__, container
from chainrule.arrays import Array
from chainrule.augment import Augment
from chainrule.data import hold_out, is_laid_out, prepare_inputs, prepare_rows
from chainrule.engines.contract import Rows
from chainrule.engines.memo import MemoReport
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import FileError, InputError, TrainingError, listed
from chainrule.former import former_arguments
from chainrule.learner import Learner
from chainrule.metrics import Metric
from chainrule.network import Network
from chainrule.objective import Objective
from chainrule.optimizers import Optimizer, get_optimizer
from chainrule.parameters import Named
from chainrule.resolve import to_form
from chainrule.saliency import input_gradients, which_outputs
from chainrule.saving import check_sizes, damaged, load_training, loss_of, losses_form, metrics_form, save_training
from chainrule.starting import ROWS
from chainrule.training.batches import Shuffle, resolve_batch_size
from chainrule.training.evaluation import check_numbers, mean_output, measure
from chainrule.training.history import History
from chainrule.training.progress import ProgressBar, wanted
from chainrule.training.stopping import Stop

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation
    from chainrule.health.report import Diagnosis
    from chainrule.knobs.trail import Trail
    from chainrule.knobs.turning import Turned


class Model(Learner):
    """A network that can be trained and asked.

    `Model(network, loss)` is enough: it trains with Adam, in float32, on the fastest engine that covers it.

    Arguments:
        network: the description, such as `Network.mlp(4, [16], 3, output="softmax")`; `seed` draws its parameters.
        loss: a loss by name or as an object (`"squared_error"`, `"cross_entropy"`, `Quantile(0.9)`); several heads take
            one for each, by name. What else there is to say of it (how heads count, mean or sum, plain gradients)
            an `Objective` says: `Objective(loss, reduction="sum")`.
        optimizer: a name, or an optimizer with a learning rate of your own such as `Adam(1e-2)`.
        metrics: what is measured after every epoch besides the loss, such as `["accuracy"]`; by head where there are
            several.
        l1, l2: penalties `l1 sum|W| + l2 sum W^2` on all weights whose layer says nothing else; never on biases.
        seed: decides the parameters, the order of rows and the dropout masks.
        dtype: `"float32"` or `"float64"`, throughout; explanations are always in float64.
        engine: `"auto"`, or an engine by name; what was chosen and why is in `engine_`.
        threads: threads of an engine that brings its own (`"native"`); None lets it choose from the work, at most
            CHAINRULE_THREADS or all cores.

    Raises:
        InputError: an argument can't be used, or the loss doesn't fit the network's outputs.
        EngineError: an engine was asked for by name that isn't there or doesn't cover the model.

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
        l1: float = 0.0,
        l2: float = 0.0,
        seed: int = 0,
        dtype: DTypeLike = "float32",
        engine: str = "auto",
        threads: int | None = None,
        **former: Any,
    ):
        members: Any = 1
        if former:
            loss, threads, members = former_arguments(former, loss, threads)
        super().__init__(
            members, network, loss, optimizer, metrics=metrics, l1=l1, l2=l2, seed=seed, dtype=dtype, engine=engine,
            threads=threads,
        )  # fmt: skip

    @classmethod
    def ensemble(
        cls,
        network: Network,
        loss: object,
        optimizer: str | Optimizer = "adam",
        *,
        members: int | Array,
        **options: Any,
    ) -> Self:
        """Several networks that train side by side, each from its own start, and answer with their mean.

        Arguments:
            network, loss, optimizer: as for `Model`.
            members: how many; or the parameters that each begins with, shape (members, `network.layout.size`).
            options: the others of `Model`.

        >>> model = Model.ensemble(Network.mlp(2, [8], 1), "squared_error", members=5)
        >>> model.members, model.predict([[0.0, 1.0]]).shape
        (5, (1, 1))
        """
        model = cls.__new__(cls)
        Learner.__init__(model, members, network, loss, optimizer, **options)
        return model

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
        augment: Augment | None = None,
        progress: bool | str = "auto",
        resume: bool = False,
    ) -> History:
        """Train, and return the history.

        Ctrl-C stops after the step at hand and keeps what was learned. Fitting again goes on from the present
        parameters; `resume=True` takes up an interrupted fit where it stood, `epochs` counting from its beginning.

        Arguments:
            X, y: rows; mappings by name where the network has several inputs or heads. A row counts nothing to one of
                several heads if its label there is missing (NaN or None).
            epochs: passes over the rows, at most.
            batch_size: rows of a step: a number, `"full"`, or `"auto"` (32). The last step of an epoch takes what is
                left; with batch normalization, which needs two rows, a row left alone is left out.
            validation: a fraction of the rows to hold out, or `(X, y)` or `(X, y, sample_weight)`.
            sample_weight: a weight for each row, or by head.
            shuffle: True, False, `"replace"` (rows drawn with replacement), or a function from the epoch to its order.
            stop: stopping rules such as `EarlyStopping(patience=10)`.
            callbacks: `Callback` objects, or functions of the epoch's record.
            clip_norm: the greatest norm of a step's whole gradient.
            augment: what is done to rows at random before each epoch, such as `Augment(noise=0.1)`; a thread does it
                while the engine trains. To resume bit for bit hand it in again.
            progress: a bar on standard error: True, False, or `"auto"` (where it is a terminal).
            resume: whether to take up the last fit where it stood.

        Raises:
            InputError: X, y or an argument can't be used.
            DivergenceError: the loss, a weight or a running statistic became NaN or infinite; the model has the weights
                of the epoch before.
            TrainingError: it is being trained already, by another thread or by the fit whose callback this is.
        """
        if self.optimizer.full_batch and (clip_norm is not None or batch_size not in ("auto", "full")):
            raise InputError("L-BFGS takes all rows and whole gradients: leave batch_size and clip_norm out")
        rows = self._rows(X, y, sample_weight)
        held_out = None
        if isinstance(validation, tuple):
            if len(validation) not in (2, 3):
                raise InputError("validation is a fraction, (X, y) or (X, y, sample_weight)")
            held_out = self._rows(*validation)
        elif validation is not None:
            rows, held_out = hold_out(rows, validation, self.seed, [head.head for head in self.objective.heads])
        size = resolve_batch_size("full" if self.optimizer.full_batch else batch_size, len(rows))
        callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        if wanted(progress):
            callbacks.append(ProgressBar())
        self.fit_rows(
            rows, epochs=epochs, batch_size=size, validation=held_out, shuffle=shuffle, stop=stop, callbacks=callbacks,
            clip_norm=clip_norm, augment=augment, resume=resume,
        )  # fmt: skip
        return self.history

    def initialize_from(self, X: Any, *, rows: int = ROWS) -> None:
        """Have the starting weights look at rows: for once before the first `fit`, with its rows.

        Layer by layer the weights of each unit are divided by the standard deviation of its pre-activation, which then
        has variance 1 over the rows; its bias becomes minus a random convex combination of what five rows give it
        (Steinwart, 2019, "A sober look at neural network initializations"), so that it is 0 somewhere among them. Where
        an `Add` sums several layers that are affine, their sum is meant. Layers that don't learn stay as they are, and
        a layer of zeros keeps them. Each member of an ensemble begins in its own way.

        Arguments:
            X: training rows; a mapping by name where the network has several inputs.
            rows: how many of them are looked at, drawn by the seed where there are more.

        Raises:
            InputError: X can't be used, or rows isn't a whole number of at least 1.

        >>> X = np.array([[1.0, 50.0], [2.0, 70.0], [4.0, 10.0]])
        >>> model = Model(Network.mlp(2, [], 3), "squared_error", dtype="float64")
        >>> model.initialize_from(X)
        >>> model.predict(X).std(axis=0).round(12).tolist()
        [1.0, 1.0, 1.0]
        """
        self.initialize_from_rows(prepare_inputs(self.network, X, self.dtype), rows)

    def predict(self, X: Any) -> Any:
        """The output of every row, shape (rows, outputs); by head where the network has several.

        Arguments:
            X: rows; a mapping by name where the network has several inputs.

        Raises:
            InputError: X can't be used.
            TrainingError: the model holds, or makes of a row, what is NaN or infinite: that is no answer.
        """
        if self._shown or not self._is_finite:
            self._check_finite()
        taken = is_laid_out(self.network, X, self.dtype)
        inputs = (X,) if taken else prepare_inputs(self.network, X, self.dtype)
        state = self.training
        outputs, finite = self._engine_for(inputs).answer(state.parameters, state.state, inputs)
        answers = [mean_output(output) for output in outputs]
        if not finite or len(outputs[0]) > 1:  # the mean over members may be larger than any number
            if taken:
                prepare_inputs(self.network, X, self.dtype)  # where numbers are looked at
            for answer in answers:
                check_numbers(answer)
        return (
            answers[0]
            if len(answers) == 1
            else {head.name: answer for head, answer in zip(self.network.heads, answers, strict=True)}
        )

    def evaluate(self, X: Any, y: Any, sample_weight: Any = None) -> dict[str, float]:
        """The loss (penalties included) and the metrics on rows, by name; what is larger than any number is infinite.

        Arguments:
            X, y: rows and targets; mappings by name where the network has several inputs or heads.
            sample_weight: a weight for each row, or by head.

        Raises:
            InputError: rows, targets or weights can't be used.
            TrainingError: the model holds, or makes of the rows, what is no number: that is no answer.

        >>> model = Model(Network.mlp(1, [], 1), "squared_error", metrics=["mean_absolute_error"])
        >>> model.set_parameters({"output": {"W": [[2.0]], "b": [1.0]}})
        >>> model.evaluate([[3.0]], [5.0])
        {'loss': 4.0, 'mean_absolute_error': 2.0}
        """
        self._check_finite()
        rows = self._rows(X, y, sample_weight)
        with np.errstate(all="ignore"):
            loss, metrics = measure(self._engine, self.training.parameters, self.training.state, rows, self.metrics)
        if math.isnan(loss):
            raise TrainingError("the loss of these rows is no number: something overflows on the way; are they scaled?")
        return {"loss": loss, **metrics}

    def loss_and_gradients(
        self, X: Any, y: Any, sample_weight: Any = None, *, training: bool = False
    ) -> tuple[float, Named]:
        """The loss of the rows as one batch (penalties included), and its gradient by every parameter.

        Arguments:
            X, y: rows and targets; mappings by name where the network has several inputs or heads.
            sample_weight: a weight for each row, or by head.
            training: dropout and batch normalization work as in the next training step.

        >>> model = Model(Network.mlp(1, [], 1), "squared_error")
        >>> model.set_parameters({"output": {"W": [[2.0]], "b": [1.0]}})
        >>> loss, gradients = model.loss_and_gradients([[3.0]], [5.0])
        >>> loss, gradients["output"]["W"].tolist()
        (4.0, [[12.0]])
        """
        rows = self._rows(X, y, sample_weight, every_head=False)
        return self.gradients(rows, training=training)

    def saliency(self, X: Any, output: Any = None, *, head: str | None = None) -> Any:
        """How much each input number moves an output: `dz_k/dx` for each row, of the shape of X, in float64.

        `z_k` is the pre-activation of output k where the loss is computed together with the activation (softmax, a
        sigmoid ...), so that it doesn't vanish where the network is sure; else the output itself. Of several members it
        is the mean. The larger it is, the more a small change of this number changes the answer: it says nothing of
        large ones (Simonyan, Vedaldi and Zisserman, 2013, "Deep inside convolutional networks").

        Arguments:
            X: rows; a mapping by name where the network has several inputs.
            output: which output, from 0; or one for each row. Left out, the largest of each row.
            head: of which head, where there are several.

        Returns:
            an array of X's shape; by name where the network has several inputs, without those of codes.

        Raises:
            InputError: X or output can't be used, or all inputs are codes.
            TrainingError: the model holds NaN or infinite numbers.

        >>> model = Model(Network.mlp(2, [], 1), "squared_error")
        >>> model.set_parameters({"output": {"W": [[2.0], [-3.0]], "b": [1.0]}})
        >>> model.saliency([[5.0, 7.0]]).tolist()
        [[2.0, -3.0]]
        """
        self._check_finite()
        self.objective.check_trainable(self.network)
        names = [one.head for one in self.objective.heads]
        if (head is None and len(names) > 1) or (head is not None and head not in names):
            raise InputError(f"head is {head!r}; the network has {listed(names)}: say one of them")
        place = 0 if head is None else names.index(head)
        inputs = prepare_inputs(self.network, X, self.dtype)
        if output is None:
            chosen = mean_output(self.outputs(inputs)[place]).reshape(len(inputs[0]), -1).argmax(axis=1)
        else:
            chosen = which_outputs(output, len(inputs[0]), self.objective.heads[place].outputs)
        found = input_gradients(
            self.network, self.objective, self.training.parameters, self.training.state, inputs, place, chosen
        )
        named = dict(zip(self.network.input_shapes, found, strict=True))
        kept = {name: gradient for name, gradient in named.items() if gradient is not None}
        if not kept:
            raise InputError("all inputs of the network are codes, and there is no derivative by a code")
        return kept[next(iter(kept))] if len(named) == 1 else kept

    def memo_report(self, X: Any, y: Any, sample_weight: Any = None, *, training: bool = True) -> MemoReport:
        """What memoization keeps and saves in one forward and backward pass over the rows, by the reference engine.

        Arguments:
            X, y: rows and targets; mappings by name where the network has several inputs or heads.
            sample_weight: a weight for each row, or by head.
            training: dropout and batch normalization work as in the next training step.

        >>> report = Model(Network.mlp(4, [3, 2], 1), "squared_error").memo_report([[1.0, 2.0, 3.0, 4.0]], [1.0])
        >>> report.forward_steps, report.steps_without_memo
        (6, 27)
        """
        self.objective.check_trainable(self.network)
        rows = self._rows(X, y, sample_weight, every_head=False)
        state = self.training
        with np.errstate(all="ignore"):
            return ReferenceEngine(self.network, self.objective).memo_report(
                state.parameters, state.state, rows, training=training, seed=self.seed, step=state.step,
                scheduled=self._scheduled(),
            )  # fmt: skip

    def explain(
        self, X: Any, y: Any = None, sample_weight: Any = None, *, training: bool = False, notation: str = "ours"
    ) -> Derivation:
        """Every quantity of a forward and a backward pass over one row (or several as one batch), by name.

        Of several members it is the first; `model.member(2).explain(...)` is of another, `model.member("mean")` of all.

        Arguments:
            X, y: a row and its target, or rows and targets; without `y` there is the forward pass alone.
            sample_weight: a weight for each row, or by head.
            training: dropout and batch normalization work as in the next training step.
            notation: how quantities are called: `"ours"`, or another by its name.

        >>> model = Model(Network.mlp(1, [], 1), "squared_error", "sgd")
        >>> model.set_parameters({"output": {"W": [[2.0]], "b": [1.0]}})
        >>> model.explain([3.0], 5.0)["dL/dW[output,1,1]"]
        dL/dW[output,1,1] = dL/dz[output,1]*dz/dW[output,1,1] = 4*3 = 12
        """
        from chainrule.explain.derivation import explain

        return explain(self, X, y, sample_weight, training=training, notation=notation)

    def turn(
        self, *names: str, X: Any, y: Any, sample_weight: Any = None, reach: float | None = None,
        points: int | None = None, values: Any = None, trail: Trail | None = None,
    ) -> Turned:  # fmt: skip
        """The loss as a function of one weight, or of two, all others as they are: a knob turned, the bulb watched.

        The engine computes it in float64, as `evaluate` does (without dropout, penalties included); the model stays as
        it is. Of several members it is the first.

        Arguments:
            names: of one weight or two, as in `explain`: `"W[hidden,1,2]"`, `"b[output,1]"`, or a notation's symbol.
            X, y: rows and targets; mappings by name where the network has several inputs or heads.
            sample_weight: a weight for each row, or by head.
            reach: how far to turn each from where it is; 2, or twice its size, or as far as a trail went.
            points: how many values of each, evenly spaced: 121 for one weight, 41 for each of two. What it is now comes
                to them where it isn't among them.
            values: the values themselves, a list for each weight.
            trail: the way that a fit went, recorded by the callback `Trail`.

        Raises:
            InputError: there is no such weight, or rows or an argument can't be used.

        >>> model = Model(Network.mlp(1, [], 1), "squared_error")
        >>> model.set_parameters({"output": {"W": [[2.0]], "b": [1.0]}})
        >>> turned = model.turn("W[output,1,1]", "b[output,1]", X=[[3.0]], y=[5.0], points=5)
        >>> turned.loss.shape, turned.loss_now, turned.gradient
        ((5, 5), 4.0, (12.0, 4.0))
        """
        from chainrule.knobs.turning import turn

        return turn(self, names, X, y, sample_weight, reach=reach, points=points, values=values, trail=trail)

    def diagnose(
        self,
        X: Any,
        y: Any,
        validation: tuple[Any, ...] | None = None,
        *,
        sample_weight: Any = None,
        probe: bool = True,
    ) -> Diagnosis:
        """What is wrong with the model's last fit, or, before any, with a fit that would begin from here.

        The model stays as it is: what has to be tried is tried on copies, in a few hundred steps. Of a fit that is
        still to come `Doctor` sees more: every step that it has measured, and where it really began.

        Arguments:
            X, y: the rows that it is trained on, and their targets; mappings by name where the network has several
                inputs or heads.
            validation: rows held out, as (X, y) or (X, y, sample_weight): without them nobody sees overfitting.
            sample_weight: a weight for each row, or by head.
            probe: whether short trainings on copies may be made; without them learning rates aren't judged.

        Raises:
            InputError: rows, targets or weights can't be used.
            TrainingError: the network can't be trained: a threshold unit is in the way.

        >>> X = np.array([[-1.0, 2.0], [0.5, 1.0], [1.5, -1.0], [0.25, 0.5]] * 8)
        >>> model = Model(Network.mlp(2, [8], 1), "squared_error")
        >>> sorted(model.diagnose(X * [1.0, 5000.0], X[:, 0]).codes)
        ['unscaled-inputs']
        """
        from chainrule.health.diagnosing import diagnose

        rows = self._rows(X, y, sample_weight)
        if validation is not None and (not isinstance(validation, tuple) or len(validation) not in (2, 3)):
            raise InputError("validation is (X, y) or (X, y, sample_weight)")
        return diagnose(self, rows, None if validation is None else self._rows(*validation), probe=probe)

    def save(self, path: str | Path, *, training: bool = False) -> None:
        """Save to one `.safetensors` file.

        Arguments:
            path: where to.
            training: whether to save all that `fit(resume=True)` needs to go on.

        Raises:
            InputError: a part of the model is code of its user's own, which files don't hold.
            TrainingError: a parameter isn't finite.

        >>> import tempfile
        >>> from chainrule import load
        >>> model = Model(Network.mlp(1, [], 1), "squared_error")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.safetensors")
        ...     load(f"{folder}/model.safetensors").network == model.network
        True
        """
        container.write(path, self.to_contents(training=training), __version__)

    def to_contents(self, *, training: bool = False) -> container.Contents:
        """What `save` writes: JSON and tensors.

        Arguments:
            training: whether to save all that `fit(resume=True)` needs to go on.

        >>> sorted(Model(Network.mlp(1, [], 1), "squared_error").to_contents().tensors)[-2:]
        ['parameters/output/b', 'times']
        """
        self._check_finite()
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
            "reduction": self.objective.reduction,
            "convention": self.objective.convention,
            "fuse": self.objective.fuse,
            **self._penalties,
        }
        return container.Contents("model", form, tensors)

    @classmethod
    def from_contents(cls, contents: container.Contents, *, loss: object = None, engine: str = "auto") -> Model:
        """The model of a file's contents.

        Arguments:
            contents: what `to_contents` gave.
            loss: the model's loss, if it was one of your own: files don't hold it.
            engine: who computes, as for `Model`.

        >>> model = Model(Network.mlp(1, [], 1), "squared_error")
        >>> Model.from_contents(model.to_contents(), engine="reference").engine_.name
        'reference'
        """
        form = contents.form
        try:
            network, members = Network.from_dict(form["network"]), form.get("members", 1)
            check_sizes(network, members, form["dtype"], contents.tensors)
            losses = loss if loss is not None else {head: loss_of(entry) for head, entry in form["loss"].items()}
            convention = form.get("convention", "chainrule")
            model = cls.ensemble(
                network,
                Objective(losses, form["loss_weights"], form["reduction"], convention, form["fuse"]),
                get_optimizer(form["optimizer"]),
                members=network.layout.zeros(members, form["dtype"]),
                metrics=form["metrics"],
                l1=form["l1"],
                l2=form["l2"],
                seed=form["seed"],
                dtype=form["dtype"],
                engine=engine,
            )
            load_training(model.network, model.optimizer, model.training, contents.tensors, form)
        except FileError:
            raise
        except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(error) from error
        return model

    def summary(self) -> str:
        """The network's layers as a table of text.

        >>> print(Model(Network.mlp(2, [], 1), "squared_error").summary().splitlines()[-1])
        heads: output (1)
        """
        return self.network.summary()

    def _repr_html_(self) -> str:
        """What notebooks show: the weights of the (first) network as a diagram, and the description in words."""
        from chainrule.explain.derivation import picture_of_weights

        return picture_of_weights(self, repr(self))

    def __repr__(self) -> str:
        losses = ", ".join(f"{head.head}: {head.loss.name}" for head in self.objective.heads)
        return f"<Model of {self.network!r}, {losses}, {self.optimizer.name}, {self.dtype}, engine {self.engine_.name}>"

    def _rows(self, X: Any, y: Any, sample_weight: Any = None, *, every_head: bool = True) -> Rows:
        return prepare_rows(self.network, self.objective, X, y, sample_weight, self.dtype, every_head=every_head)

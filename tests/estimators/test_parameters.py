"""Every parameter is documented, limited and in the signature; and each of scikit-learn's does what it says."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from estimators.fitted import X, classifier, y
from sklearn import neural_network
from sklearn.utils._param_validation import InvalidParameterError

import chainrule as cr
from chainrule import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def documented(cls: type) -> list[str]:
    text = inspect.getdoc(cls)
    assert text is not None
    arguments = text[text.index("Arguments:") : text.index("Attributes:")]
    return re.findall(r"^    (\w+): ", arguments, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("cls", "twin"),
    [(MLPClassifier, neural_network.MLPClassifier), (MLPRegressor, neural_network.MLPRegressor)],
    ids=["classifier", "regressor"],
)
def test_documentation_constraints_and_signature_agree(cls: Any, twin: Any) -> None:
    signature = inspect.signature(cls.__init__).parameters
    names = [name for name in signature if name != "self"]
    assert documented(cls) == names
    assert list(cls._parameter_constraints) == names
    theirs = inspect.signature(twin.__init__).parameters
    assert names[: len(theirs) - 1] == [name for name in theirs if name != "self"]  # ours come after
    for name, parameter in theirs.items():
        assert signature[name].default == parameter.default, name
        assert signature[name].kind == parameter.kind, name
    assert all(signature[name].kind is inspect.Parameter.KEYWORD_ONLY for name in names[len(theirs) - 1 :])
    assert cls().get_params() == {name: signature[name].default for name in names}


def test_there_is_a_test_for_every_parameter() -> None:
    """In this file for scikit-learn's own, in the other one for ours."""
    files = (Path(__file__), Path(__file__).with_name("test_added_parameters.py"))
    own, ours = (set(re.findall(r"^def test_(\w+)\(", file.read_text("utf-8"), re.MULTILINE)) for file in files)
    for cls, twin in ((MLPClassifier, neural_network.MLPClassifier), (MLPRegressor, neural_network.MLPRegressor)):
        names, theirs = set(cls().get_params()), set(twin().get_params()) - {"loss"}  # it takes any of ours
        assert theirs <= own
        assert names - theirs <= ours


# equal numbers show more of them in test_parity


def assert_as_theirs(ours: Any) -> None:
    """It does what scikit-learn's parameter of that name and value does."""
    known = set(inspect.signature(neural_network.MLPClassifier).parameters)
    given = {name: value for name, value in ours.get_params().items() if name in known}
    np.testing.assert_allclose(ours.loss_curve_, neural_network.MLPClassifier(**given).fit(X, y).loss_curve_)


def test_hidden_layer_sizes() -> None:
    assert [W.shape for W in classifier(hidden_layer_sizes=[5, 4]).coefs_] == [(4, 5), (5, 4), (4, 3)]
    assert classifier(hidden_layer_sizes=()).network_.count().total == 15


def test_activation() -> None:
    one = classifier(hidden_layer_sizes=(5, 4), activation=["gelu", cr.activations.LeakyReLU(0.3)])
    functions = [str(step.layer.f) for step in one.network_.steps if hasattr(step.layer, "f")]
    assert functions == ["GELU(approximate=False)", "LeakyReLU(slope=0.3)", "Softmax()"]
    with pytest.raises(ValueError, match="activation has 1 entries for 2 hidden layers"):
        classifier(hidden_layer_sizes=(5, 4), activation=["gelu"])
    with pytest.raises(InvalidParameterError, match="activation"):
        classifier(activation="threshold")


def test_solver() -> None:
    losses = {
        name: classifier(solver=name, learning_rate_init=0.01).history_["loss"]
        for name in ("sgd", "adam", "adamw", "rmsprop", "adagrad", "lbfgs")
    }
    assert len({round(curve[-1], 6) for curve in losses.values()}) == 6
    assert all(curve[-1] < curve[0] for curve in losses.values())
    given = classifier(solver=cr.Adam(0.01, amsgrad=True))
    assert given.loss_curve_[-1] < given.loss_curve_[0]
    by_name = classifier(solver="sgd", learning_rate_init=0.1, momentum=0)
    np.testing.assert_allclose(classifier(solver=cr.SGD(0.1)).loss_curve_, by_name.loss_curve_)


def test_alpha() -> None:
    sizes = [sum((W**2).sum() for W in classifier(alpha=alpha, solver="lbfgs").coefs_) for alpha in (0, 1, 100)]
    assert sizes[0] > sizes[1] > sizes[2]
    decayed = classifier(solver="adamw", alpha=1.0, learning_rate_init=0.1)
    assert abs(decayed.coefs_[0]).mean() < abs(classifier(solver="adamw", learning_rate_init=0.1).coefs_[0]).mean()


def test_batch_size() -> None:
    steps = {size: classifier(batch_size=size)._model.training.step for size in ("auto", 1, 40, 150)}
    assert steps == {"auto": 20, 1: 3000, 40: 80, 150: 20}


def test_learning_rate() -> None:
    rates = {
        kind: classifier(solver="sgd", learning_rate=kind, tol=0.5, n_iter_no_change=1).history_["learning_rate"]
        for kind in ("constant", "invscaling", "adaptive")
    }
    assert set(rates["constant"]) == {0.001}
    np.testing.assert_allclose(
        rates["invscaling"], [0.001, *(0.001 / np.sqrt(150 * i + 1) for i in (1, 2))][: len(rates["invscaling"])]
    )
    assert rates["adaptive"][0] == 0.001
    assert rates["adaptive"][-1] == pytest.approx(0.001 / 5 ** round(np.log(0.001 / rates["adaptive"][-1]) / np.log(5)))
    assert rates["adaptive"][-1] < 1e-4


def test_learning_rate_init() -> None:
    assert classifier(learning_rate_init=0.03).history_["learning_rate"][0] == 0.03


def test_power_t() -> None:
    rates = classifier(solver="sgd", learning_rate="invscaling", power_t=1.0, tol=0).history_["learning_rate"]
    np.testing.assert_allclose(rates[:3], [0.001, 0.001 / 151, 0.001 / 301])


def test_max_iter() -> None:
    assert classifier(max_iter=7).n_iter_ == len(classifier(max_iter=7).loss_curve_) == 7
    assert classifier(max_iter=7, solver="lbfgs").n_iter_ == 7


def test_shuffle() -> None:
    curves = [classifier(shuffle=shuffle, batch_size=10).loss_curve_ for shuffle in (True, False, False)]
    assert curves[1] == curves[2] != curves[0]


def test_random_state() -> None:
    assert (classifier(random_state=1).coefs_[0] == classifier(random_state=1).coefs_[0]).all()
    assert (classifier(random_state=1).coefs_[0] != classifier(random_state=2).coefs_[0]).any()


def test_tol() -> None:
    assert classifier(tol=10.0, n_iter_no_change=3).n_iter_ == 5  # the first epoch improves on nothing
    assert classifier(tol=0.5, solver="lbfgs").n_iter_ < classifier(tol=1e-6, solver="lbfgs").n_iter_


def test_verbose(capsys: pytest.CaptureFixture[str]) -> None:
    classifier(verbose=True, max_iter=2)
    assert capsys.readouterr().out.count("Iteration") == 2
    classifier(verbose=True, max_iter=2, solver="lbfgs")
    assert capsys.readouterr().out.count("Iteration") == 2


def test_warm_start() -> None:
    warm = classifier(warm_start=True)
    assert warm.fit(X, y).loss_curve_[20] < warm.loss_curve_[0]
    assert len(warm.loss_curve_) == 40
    assert warm.n_iter_ == 20


def test_momentum() -> None:
    assert classifier(solver="sgd", momentum=0.9).loss_ < classifier(solver="sgd", momentum=0.0).loss_
    assert classifier(solver="sgd", momentum=1.0, learning_rate_init=1e-5).loss_ > 0


def test_nesterovs_momentum() -> None:
    curves = [classifier(solver="sgd", nesterovs_momentum=ahead).loss_curve_ for ahead in (True, False)]
    assert curves[0] != curves[1]
    assert_as_theirs(classifier(solver="sgd", nesterovs_momentum=False))


def test_early_stopping() -> None:
    one = classifier(early_stopping=True, max_iter=300, n_iter_no_change=4, learning_rate_init=0.05)
    assert one.n_iter_ < 300
    assert one.best_validation_score_ == max(one.validation_scores_)
    assert len(one.validation_loss_curve_) == len(one.loss_curve_)


def test_validation_fraction() -> None:
    one = classifier(early_stopping=True, validation_fraction=0.4)
    assert one.t_ == one.n_iter_ * 90


def test_beta_1() -> None:
    assert classifier(beta_1=0.5).loss_ != classifier().loss_
    assert_as_theirs(classifier(beta_1=0.5))


def test_beta_2() -> None:
    assert classifier(beta_2=0.5).loss_ != classifier().loss_
    assert_as_theirs(classifier(beta_2=0.5))


def test_epsilon() -> None:
    assert classifier(epsilon=10.0).loss_ > classifier().loss_  # steps of almost nothing
    assert_as_theirs(classifier(epsilon=0.1))


def test_n_iter_no_change() -> None:
    assert classifier(tol=10.0, n_iter_no_change=7, max_iter=50).n_iter_ == 9
    assert classifier(tol=10.0, n_iter_no_change=np.inf).n_iter_ == 20


def test_max_fun() -> None:
    with pytest.warns(match="EXCEEDS LIMIT"):
        assert classifier(solver="lbfgs", max_fun=5).n_iter_ <= 5

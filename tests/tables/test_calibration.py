"""Answers that can be taken at their word: temperatures held against SciPy's minimizer, intervals against counting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from chainrule import InputError
from chainrule.tables.calibration import Calibration, averaging_temperature, fit_temperature


def said(rng: np.random.Generator, rows: int, classes: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """True classes drawn from their probabilities, and what is said: these, made sharper or softer."""
    logits = rng.normal(0, 1.5, (rows, classes))
    truth = np.array([rng.choice(classes, p=p) for p in softmax(logits, axis=1)])
    return softmax(logits * sharpness, axis=1), truth


class TestTemperature:
    @pytest.mark.parametrize("classes", [2, 3, 10])
    @pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0])
    @pytest.mark.parametrize("rows", [20, 500])
    def test_against_scipy(self, rng, classes, sharpness, rows):
        probabilities, truth = said(rng, rows, classes, sharpness)
        logs = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))

        def loss(u: float) -> float:
            logs_of = log_softmax(logs * math.exp(-u), axis=1)
            return -logs_of[np.arange(rows), truth].sum() + 2 * u * u

        expected = minimize_scalar(loss, bounds=(-math.log(8), math.log(8)), method="bounded", options={"xatol": 1e-8})
        assert fit_temperature(probabilities, truth) == pytest.approx(math.exp(expected.x), rel=1e-3)

    def test_it_finds_what_was_made_too_sure(self):
        probabilities, truth = said(np.random.default_rng(0), 5000, 3, sharpness=2.5)
        assert fit_temperature(probabilities, truth) == pytest.approx(2.5, rel=0.1)

    def test_few_rows_that_are_all_right_do_not_make_it_sure(self):
        probabilities = np.full((4, 2), 0.1)
        probabilities[:, 0] = 0.9
        assert fit_temperature(probabilities, np.zeros(4, int)) > 0.6

    @given(st.integers(0, 10**6), st.floats(0.2, 5))
    def test_no_ranking_changes(self, seed, temperature):
        rng = np.random.default_rng(seed)
        probabilities = rng.dirichlet(np.ones(4), 30)
        mended = Calibration(temperature=temperature).probabilities(probabilities)
        np.testing.assert_array_equal(mended.argsort(axis=1), probabilities.argsort(axis=1))
        np.testing.assert_allclose(mended.sum(axis=1), 1)
        two = rng.dirichlet(np.ones(2), 30)  # of two classes the rows keep their order, too
        mended = Calibration(temperature=temperature).probabilities(two)
        np.testing.assert_array_equal(mended[:, 1].argsort(), two[:, 1].argsort())

    def test_the_formula(self):
        probabilities = np.array([[0.7, 0.2, 0.1]], np.float32)
        mended = Calibration(temperature=2.0).probabilities(probabilities)
        roots = np.sqrt(probabilities)
        np.testing.assert_allclose(mended, roots / roots.sum(), rtol=1e-6)
        assert mended.dtype == np.float32
        assert Calibration().probabilities(probabilities) is probabilities

    def test_certainties_stay_numbers(self):
        sure = np.array([[1.0, 0.0], [0.0, 1.0]])
        temperature = fit_temperature(sure, np.array([0, 0]))
        assert np.isfinite(Calibration(temperature=temperature).probabilities(sure)).all()


class TestTheMeanOfSeveral:
    def test_against_scipy(self, rng):
        each = rng.dirichlet(np.ones(3), (4, 50))
        mean = each.mean(axis=0)

        def loss(u: float) -> float:
            return -(mean * log_softmax(np.log(each) * math.exp(-u), axis=-1)).sum()

        expected = minimize_scalar(loss, bounds=(-math.log(8), math.log(8)), method="bounded", options={"xatol": 1e-8})
        assert averaging_temperature(each, mean) == pytest.approx(math.exp(expected.x), rel=1e-3)

    def test_one_is_as_soft_as_itself(self, rng):
        one = rng.dirichlet(np.ones(3), (1, 50))
        assert averaging_temperature(one, one[0]) == 1.0
        alike = np.repeat(one, 5, axis=0)
        assert averaging_temperature(alike, one[0]) == pytest.approx(1.0, abs=1e-3)

    @pytest.mark.parametrize("noise", [0.5, 1.5, 3.0])
    def test_what_one_says_out_of_fold_calibrates_the_mean(self, noise):
        """Eight that err apart: the mean at the temperature of one is too soft, divided by this it is right."""
        rng = np.random.default_rng(3)
        logits = rng.normal(0, 2, (6000, 3))
        truth = np.array([rng.choice(3, p=p) for p in softmax(logits, axis=1)])
        each = softmax(logits + noise * rng.normal(size=(8, 6000, 3)), axis=-1)
        mean, half = each.mean(axis=0), 3000
        own = fit_temperature(each[0, :half], truth[:half])
        mended = own / averaging_temperature(each[:, :half], mean[:half])

        def loss(temperature: float) -> float:
            said = Calibration(temperature=temperature).probabilities(mean[half:])
            return -np.log(said[np.arange(half), truth[half:]]).mean()

        best = loss(fit_temperature(mean[half:], truth[half:]))
        assert loss(mended) - best < 0.2 * (loss(own) - best) + 1e-3


class TestIntervals:
    @pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.99])
    def test_they_cover_what_they_promise(self, coverage):
        """Over many draws of calibration and test rows the mean coverage is that of the split conformal method."""
        rng = np.random.default_rng(1)
        covered = []
        for _ in range(300):
            errors = rng.standard_t(3, 200)
            made = Calibration.of_numbers(np.zeros(199), errors[:199], np.array([-1e9, 1e9]))
            covered.append(abs(errors[199]) <= made.half_width(coverage))
        assert abs(np.mean(covered) - coverage) < 4 * math.sqrt(coverage * (1 - coverage) / 300)

    @given(st.integers(1, 60), st.floats(0.01, 0.99))
    def test_the_quantile_is_at_its_place(self, n, coverage):
        made = Calibration(errors=np.arange(1.0, n + 1))
        place = math.ceil((n + 1) * coverage - 1e-9)
        if place > n:
            with pytest.raises(InputError, match=f"of {n:,} out-of-fold errors? at most"):
                made.half_width(coverage)
        else:
            assert made.half_width(coverage) == place

    def test_many_errors_are_thinned_out(self):
        errors = np.random.default_rng(0).exponential(size=50_001)
        made = Calibration.of_numbers(np.zeros(50_001), errors, np.array([-1.0, 100.0]))
        assert len(made.errors) == 10_000
        for coverage in (0.5, 0.9, 0.99):
            assert made.half_width(coverage) == pytest.approx(np.quantile(errors, coverage), rel=0.01)

    @pytest.mark.parametrize("coverage", [0, 1, 1.5, "most", None])
    def test_a_coverage_that_is_none(self, coverage):
        with pytest.raises(InputError, match="coverage is"):
            Calibration(errors=np.ones(50)).half_width(coverage)

    def test_without_errors_there_are_none(self):
        with pytest.raises(InputError, match="no out-of-fold errors to make intervals of"):
            Calibration().half_width(0.9)


def test_numbers_stay_within_what_training_saw():
    made = Calibration.of_numbers(np.array([2.0, 50.0]), np.array([3.0, 9.0]), np.array([1.0, 10.0]))
    assert made.numbers(np.array([-5.0, 4.0, 11.0])).tolist() == [1.0, 4.0, 10.0]
    assert made.errors.tolist() == [1.0, 1.0], "the errors are those of numbers kept within, too"


@pytest.mark.parametrize("made", [Calibration(), Calibration(1.5), Calibration(1.0, -2.0, 3.0, np.array([0.5, 1.0]))])
def test_json_form(made):
    again = Calibration.from_dict(made.to_dict(), made.errors)
    assert (again.temperature, again.low, again.high) == (made.temperature, made.low, made.high)
    np.testing.assert_array_equal(again.errors, made.errors)


@pytest.mark.parametrize(
    ("form", "errors"),
    [
        ({"temperature": 0.0, "range": None}, []),
        ({"temperature": math.nan, "range": None}, []),
        ({"temperature": "1", "range": None}, []),
        ({"temperature": 1.0, "range": [2.0, 1.0]}, []),
        ({"temperature": 1.0, "range": [2.0]}, []),
        ({"temperature": 1.0, "range": None}, [2.0, 1.0]),
        ({"temperature": 1.0, "range": None}, [-1.0, 1.0]),
        ({"temperature": 1.0, "range": None}, [math.inf]),
        ({"temperature": 1.0, "range": None}, [[1.0]]),
    ],
)
def test_what_cannot_be_one(form, errors):
    with pytest.raises((ValueError, TypeError)):
        Calibration.from_dict(form, np.array(errors, np.float64))

"""From scores to probabilities that can be believed."""

import numpy as np
import pytest

from recognition.numeric.calibration import (
    MAX_POINTS,
    SHIPPED_CALIBRATION,
    Calibration,
    calibration_error,
    fit_curve,
)


def made_cases(count, seed=3):
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 3, count)
    return scores, rng.random(count) < 1 / (1 + np.exp(-scores))


def test_a_fitted_curve_tells_how_often_other_names_are_right():
    curve = fit_curve(*made_cases(4_000))
    fitted = Calibration(*curve, known_score=1, uncertain_score=0)
    scores, right = made_cases(4_000, seed=4)

    told = [fitted.probability(score) for score in scores]

    assert calibration_error(told, right) < 0.03
    assert len(curve[0]) <= MAX_POINTS


def test_a_curve_never_falls_and_is_never_certain():
    scores, probabilities = fit_curve([1, 2, 3, 4], [True, False, True, True])

    assert [*scores] == sorted({*scores})
    assert [*probabilities] == sorted(probabilities)
    assert 0 < probabilities[0] <= probabilities[-1] < 1


@pytest.mark.parametrize("outcome", [True, False])
def test_few_cases_of_one_kind_say_little(outcome):
    _, probabilities = fit_curve([1.0, 2.0], [outcome, outcome])

    assert 0.2 < probabilities[0] < 0.8


def test_equal_scores_have_one_probability():
    scores, probabilities = fit_curve([2.0] * 6, [True, False] * 3)

    assert (scores, probabilities) == ((2.0,), (0.5,))


def test_no_cases_have_no_curve():
    with pytest.raises(ValueError, match="an outcome each"):
        fit_curve([], [])


@pytest.mark.parametrize(
    "parts",
    [
        ((), (), 1.0, 0.0),
        ((1.0, 1.0), (0.1, 0.2), 1.0, 0.0),
        ((1.0, 2.0), (0.3, 0.2), 1.0, 0.0),
        ((1.0, 2.0), (0.3, 1.2), 1.0, 0.0),
        ((1.0, np.nan), (0.3, 0.4), 1.0, 0.0),
        ((1.0,), (0.3,), 0.0, 1.0),
    ],
)
def test_what_is_no_calibration_is_refused(parts):
    with pytest.raises(ValueError, match=r"curve|probability|proposed"):
        Calibration(*parts)


def test_who_is_named_by_default_is_right_99_times_in_100():
    shipped = SHIPPED_CALIBRATION

    assert shipped.probability(shipped.known_score) > 0.99
    assert shipped.uncertain_score < shipped.known_score


def test_the_calibration_error_is_how_far_told_and_true_are_apart():
    assert calibration_error([0.9] * 10, [True] * 9 + [False]) == pytest.approx(0)
    assert calibration_error([0.9] * 10, [True] * 4 + [False] * 6) == pytest.approx(0.5)
    assert calibration_error([], []) == 0

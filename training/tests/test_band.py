"""Bands hold the true probability about as often as they say, and are valid for any probability."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support import family, problem, setting

from prescore_training.band import Band, half_differences, learn_band
from prescore_training.calibrate import fit_calibration
from prescore_training.families import ROUNDS
from prescore_training.models import out_of_fold


def truth(matrix: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-(matrix[:, 0] + (matrix[:, 2] == 1) - 0.25))))


def test_most_true_probabilities_lie_in_the_band() -> None:
    learn, test = problem(4_000, seed=1, missing=0), problem(2_000, seed=2, missing=0)
    one = family("xgboost")
    parameters = {**one.first, ROUNDS: 60}
    raw = out_of_fold(one, parameters, learn, setting())
    calibration = fit_calibration(raw, learn.labels)
    band = learn_band(raw, learn.labels, calibration, half_differences(one, parameters, learn, setting()))
    fitted = one.fit(learn.part, parameters, setting(), None)
    low, high = band.of(calibration.probability(fitted.raw(test.matrix)))
    assert np.mean((low <= truth(test.matrix)) & (truth(test.matrix) <= high)) > 0.8
    assert np.mean(high - low) < 0.3


def test_more_rows_give_narrower_bands() -> None:
    widths = []
    for rows in (400, 4_000):
        rows_of = problem(rows, seed=3)
        differences = half_differences(family("logistic_regression"), {"C": 1.0}, rows_of, setting())
        widths.append(np.mean(differences[0]))
    assert widths[1] < 0.6 * widths[0]


@settings(max_examples=30)
@given(
    st.lists(st.floats(0.01, 0.99), max_size=9, unique=True).map(sorted),
    st.lists(st.floats(0, 1), min_size=1, max_size=20),
)
def test_a_band_holds_its_probability_and_stays_between_0_and_1(edges: list[float], given_: list[float]) -> None:
    reach = tuple(0.1 * at for at in range(len(edges) + 1))
    probabilities = np.array(given_)
    low, high = Band(tuple(edges), reach, reach).of(probabilities)
    assert np.all((low >= 0) & (low <= probabilities) & (probabilities <= high) & (high <= 1))


def test_models_that_are_all_equal_have_one_bin() -> None:
    labels = np.array([0, 1] * 100, np.int8)
    band = learn_band(np.zeros(200), labels, fit_calibration(np.zeros(200), labels), (np.zeros(200),))
    assert (band.edges, len(band.below), len(band.above)) == ((), 1, 1)
    low, high = band.of(np.array([0.5]))
    assert low < 0.5 < high

"""Calibration finds the true relation, never turns the order round, and is honest about itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prescore_training import metrics
from prescore_training.calibrate import cross_calibrated, fit_calibration, measure, reliability


def drawn(slope: float, shift: float, *, rows: int = 20_000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    raw = rng.normal(0.3, 1.4, rows)
    return raw, (rng.random(rows) < 1 / (1 + np.exp(-(slope * raw + shift)))).astype(np.int8)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.2, 4), st.floats(-2, 2), st.integers(0, 99))
def test_the_true_slope_and_shift_are_found(slope: float, shift: float, seed: int) -> None:
    found = fit_calibration(*drawn(slope, shift, seed=seed))
    assert found.slope == pytest.approx(slope, rel=0.15, abs=0.05)
    assert found.shift == pytest.approx(shift, abs=0.2)


def test_weights_make_the_chosen_stand_for_everyone() -> None:
    """Who was sent was chosen by the score, and the relation bends: two parameters fit where the decisions are."""
    rng = np.random.default_rng(7)
    raw = rng.normal(0, 1.5, 40_000)
    truth = 0.1 + 0.75 / (1 + np.exp(-3 * (raw + 0.5)))
    labels = (rng.random(raw.size) < truth).astype(np.int8)
    sent_share = 0.03 + 0.6 / (1 + np.exp(-2.5 * raw))
    sent = rng.random(raw.size) < sent_share
    plain = fit_calibration(raw[sent], labels[sent])
    weighted = fit_calibration(raw[sent], labels[sent], 1 / sent_share[sent])
    whole = fit_calibration(raw, labels)
    errors = [float(np.mean((one.probability(raw) - truth) ** 2)) for one in (plain, weighted, whole)]
    assert errors[1] < 0.8 * errors[0]
    assert errors[1] < 1.2 * errors[2]


def test_a_weight_counts_as_so_many_rows() -> None:
    raw, labels = drawn(1.3, -0.4, rows=300)
    times = np.random.default_rng(3).integers(1, 5, raw.size)
    weighted = fit_calibration(raw, labels, times.astype(float))
    repeated = fit_calibration(np.repeat(raw, times), np.repeat(labels, times))
    assert weighted.slope == pytest.approx(repeated.slope, rel=1e-4)
    assert weighted.shift == pytest.approx(repeated.shift, abs=1e-4)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.integers(30, 200), st.floats(-3, 3))
def test_the_order_is_kept_and_probabilities_are_probabilities(seed: int, rows: int, slope: float) -> None:
    raw, labels = drawn(slope, 0.5, rows=rows, seed=seed)
    probabilities = fit_calibration(raw, labels).probability(np.sort(raw))
    assert np.all(np.diff(probabilities) >= 0)
    assert np.all((probabilities >= 0) & (probabilities <= 1))


def test_scores_without_meaning_become_the_approval_rate() -> None:
    labels = np.array([1, 1, 1, 0] * 50, np.int8)
    assert fit_calibration(np.zeros(200), labels).probability(np.array([5.0]))[0] == pytest.approx(0.75)
    turned_round = fit_calibration(-labels.astype(float) + np.linspace(0, 0.1, 200), labels)
    assert turned_round.slope == 0


def test_a_step_that_overshoots_is_taken_back() -> None:
    raw, labels = drawn(-2.0, 0.5, rows=30, seed=138)
    found = fit_calibration(raw, labels)
    assert found.slope == 0
    assert np.isfinite(found.shift)


def test_perfectly_separated_scores_stay_finite() -> None:
    labels = np.array([0] * 100 + [1] * 100, np.int8)
    found = fit_calibration(np.linspace(-1, 1, 200), labels)
    assert np.isfinite(found.slope)
    assert np.isfinite(found.shift)


def test_calibration_improves_what_was_overconfident() -> None:
    raw, labels = drawn(0.4, 0.0)
    folds = np.arange(raw.size) % 5
    before = 1 / (1 + np.exp(-raw))
    after = cross_calibrated(raw, labels, folds)
    assert metrics.expected_calibration_error(labels, after) < 0.02
    assert metrics.expected_calibration_error(labels, before) > 0.08


def test_measures_hold_their_intervals_and_bins_add_up() -> None:
    raw, labels = drawn(1.0, 0.0, rows=3_000)
    probabilities = 1 / (1 + np.exp(-raw))
    found = measure(labels, probabilities, np.arange(3_000), seed=1)
    assert found.brier_interval[0] < found.brier < found.brier_interval[1]
    assert sum(one.count for one in found.bins) == 3_000
    inside = [one.low <= one.predicted <= one.high for one in reliability(labels, probabilities)]
    assert sum(inside) >= 8

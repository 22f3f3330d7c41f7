"""The metrics agree with their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prescore_training import metrics

CASES = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.1, 0.2, 0.5, 0.9])), min_size=2, max_size=30)


@given(CASES.filter(lambda cases: len({label for label, _ in cases}) == 2))
def test_auc_counts_the_pairs_in_the_right_order(cases: list[tuple[int, float]]) -> None:
    labels = np.array([label for label, _ in cases], np.int8)
    scores = np.array([score for _, score in cases])
    pairs = [
        1.0 if approved > denied else 0.5 if approved == denied else 0.0
        for approved in scores[labels == 1]
        for denied in scores[labels == 0]
    ]
    assert metrics.auc(labels, scores) == pytest.approx(np.mean(pairs))


def test_auc_of_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="both classes"):
        metrics.auc(np.ones(3, np.int8), np.ones(3))


def test_log_loss_of_a_coin_is_log_two() -> None:
    assert metrics.log_loss(np.array([0, 1], np.int8), np.full(2, 0.5)) == pytest.approx(np.log(2))


def test_log_loss_of_a_certain_mistake_is_finite() -> None:
    assert np.isfinite(metrics.log_loss(np.array([0], np.int8), np.ones(1)))


def test_calibration_error_is_the_distance_of_the_rates() -> None:
    labels = np.array([1] * 500 + [0] * 500, np.int8)
    assert metrics.expected_calibration_error(labels, labels.astype(float)) == 0
    assert metrics.expected_calibration_error(np.zeros(1000, np.int8), np.full(1000, 0.3)) == pytest.approx(0.3)


@given(st.integers(0, 60), st.integers(1, 60))
def test_wilson_holds_the_rate_and_stays_between_0_and_1(successes: int, more: int) -> None:
    low, high = metrics.wilson(successes, successes + more)
    assert 0 <= low <= successes / (successes + more) <= high <= 1
    assert metrics.wilson(0, 0) == (0.0, 1.0)


def test_bootstrap_draws_applicants_whole() -> None:
    """Ten applicants of 100 equal rows are worth ten, not a thousand, observations."""
    values = np.repeat(np.random.default_rng(1).normal(size=10), 100)

    def mean(rows: np.ndarray) -> tuple[float, ...]:
        return (float(values[rows].mean()),)

    ((low, high),) = metrics.bootstrap(np.repeat(np.arange(10), 100), mean, seed=1)
    ((low_rows, high_rows),) = metrics.bootstrap(np.arange(1_000), mean, seed=1)
    assert high - low > 5 * (high_rows - low_rows)


def test_brier_of_a_coin_is_a_quarter() -> None:
    assert metrics.brier(np.array([0, 1], np.int8), np.full(2, 0.5)) == 0.25


def test_a_weight_counts_as_so_many_rows() -> None:
    rng = np.random.default_rng(5)
    labels, scores = rng.integers(0, 2, 200).astype(np.int8), rng.random(200).round(1)
    times = rng.integers(1, 4, 200)
    weights, many, often = times.astype(float), np.repeat(labels, times), np.repeat(scores, times)
    assert metrics.auc(labels, scores, weights) == pytest.approx(metrics.auc(many, often))
    assert metrics.brier(labels, scores, weights) == pytest.approx(metrics.brier(many, often))
    assert metrics.log_loss(labels, scores, weights) == pytest.approx(metrics.log_loss(many, often))

"""The gate lets signal through and stops noise, whatever the seed, and is not fooled by repeated applicants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prescore_training.evidence import THRESHOLD, judge

ROWS = 1_500


def scored(strength: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=ROWS)
    labels = (rng.random(ROWS) < 1 / (1 + np.exp(-strength * scores))).astype(np.int8)
    return labels, scores


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_no_signal(seed: int) -> None:
    labels, scores = scored(0.0, seed)
    found = judge(labels, scores, np.arange(ROWS), seed=seed)
    assert not found.signal
    assert "no evidence of signal" in found.sentence()


@pytest.mark.parametrize("seed", range(20))
def test_a_model_worth_having_is_signal(seed: int) -> None:
    labels, scores = scored(0.8, seed)
    found = judge(labels, scores, np.arange(ROWS), seed=seed)
    assert found.signal
    assert found.low > THRESHOLD
    assert found.p_value < 0.01


def test_repeated_applicants_are_one_piece_of_evidence() -> None:
    """Forty noisy applicants, 50 equal rows each: by rows the chance difference would look certain."""
    rng = np.random.default_rng(4)
    fooled = judged_as_signal = 0
    for seed in range(12):
        scores, labels = np.repeat(rng.normal(size=40), 50), np.repeat(rng.integers(0, 2, 40), 50).astype(np.int8)
        judged_as_signal += judge(labels, scores, np.repeat(np.arange(40), 50), seed=seed).signal
        fooled += judge(labels, scores, np.arange(2_000), seed=seed).signal
    assert judged_as_signal == 0
    assert fooled >= 2


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 1_000), st.floats(0, 2))
def test_the_interval_holds_the_auc_and_order_does_not_matter(seed: int, strength: float) -> None:
    labels, scores = scored(strength, seed)
    found = judge(labels, scores, np.arange(ROWS), seed=1)
    assert found.low <= found.auc <= found.high
    assert 0 < found.p_value <= 1
    assert judge(labels, scores * 3 - 1, np.arange(ROWS), seed=1) == found


def test_scores_that_are_all_equal_say_nothing() -> None:
    labels, _ = scored(1.0, 1)
    found = judge(labels, np.zeros(ROWS), np.arange(ROWS), seed=1)
    assert found.auc == 0.5
    assert not found.signal

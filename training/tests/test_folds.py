"""No applicant stands on both sides of a split, and the later applications are tested on."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from prescore_training.folds import grouped_folds, latest, sample_applicants

PEOPLE = st.lists(st.integers(0, 40), min_size=30, max_size=200)


@given(PEOPLE, st.integers(2, 6), st.integers(0, 99))
def test_an_applicant_is_in_one_fold(people: list[int], folds: int, seed: int) -> None:
    applicants = np.array(people, np.int64)
    labels = np.array([person % 2 for person in people], np.int8)
    found = grouped_folds(labels, applicants, folds=folds, rng=np.random.default_rng(seed))
    for person in set(people):
        assert len(set(found[applicants == person].tolist())) == 1
    assert set(found.tolist()) <= set(range(folds))


def test_folds_have_nearly_equal_rates() -> None:
    rng = np.random.default_rng(1)
    labels = (rng.random(5_000) < 0.2).astype(np.int8)
    folds = grouped_folds(labels, np.arange(5_000), folds=5, rng=rng)
    rates = [labels[folds == fold].mean() for fold in range(5)]
    assert max(rates) - min(rates) < 0.002


@given(PEOPLE, st.integers(0, 99))
def test_nobody_is_tested_on_whom_the_model_has_met(people: list[int], seed: int) -> None:
    applicants = np.array(people, np.int64)
    days = np.random.default_rng(seed).integers(0, 300, len(people))
    learn, test = latest(days, applicants)
    assert not set(applicants[learn].tolist()) & set(applicants[test].tolist())
    assert not (learn & test).any()
    if learn.any() and test.any():
        assert days[learn].max() < days[test].min()


@settings(max_examples=30)
@given(PEOPLE, st.integers(1, 250))
def test_a_sample_holds_whole_applicants(people: list[int], rows: int) -> None:
    applicants = np.array(people, np.int64)
    chosen = sample_applicants(applicants, rows=rows, rng=np.random.default_rng(0))
    for person in set(people):
        assert len(set(chosen[applicants == person].tolist())) == 1
    if rows >= len(people):
        assert chosen.all()

"""The winner is the simplest family within one standard error, and the history's window follows a change."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support import QUICK, family, problem, setting

from prescore_training import selection
from prescore_training.evidence import judge
from prescore_training.selection import Comparison, Search, compare
from prescore_training.tuning import Journal, Problem
from prescore_training.window import choose_window


def compared(rows: Problem, *names: str) -> Comparison:
    families = tuple(family(name) for name in names) or QUICK
    search = Search(families, 1, Journal(), lambda: None)
    with ThreadPoolExecutor(2) as pool:
        return compare(rows, setting(), search, pool)()


def curved(rows: int, seed: int) -> Problem:
    """Return rows whose decisions go with the square of the first feature: nothing for a linear model."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, 4)).astype(np.float32)
    matrix[:, 2:] = 1
    labels = (rng.random(rows) < np.where(np.abs(matrix[:, 0]) < 0.8, 0.85, 0.2)).astype(np.int8)
    return Problem(matrix, labels, np.arange(rows))


def test_the_simpler_family_wins_where_both_are_as_good() -> None:
    assert compared(problem(1_200, seed=1)).winner.family.name == "logistic_regression"


def test_the_better_family_wins_where_the_simpler_one_cannot_follow() -> None:
    found = compared(curved(1_200, 2))
    assert found.winner.family.name == "xgboost"
    linear, trees = found.candidates
    assert linear.excess > linear.excess_error > 0
    assert (trees.excess, trees.excess_error) == (0, 0)


def test_noise_is_judged_as_noise_after_all_choices() -> None:
    found = compared(problem(1_500, seed=3, signal=0.0))
    assert not judge(found.problem.labels, found.winner.raw, found.problem.applicants, seed=1).signal


def test_order_of_work_does_not_change_the_result() -> None:
    rows = problem(600, seed=4)
    search = Search(QUICK, 1, Journal(), lambda: None)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(4) as four:
        first, second = (compare(rows, setting(), search, pool)() for pool in (one, four))
    assert np.array_equal(first.winner.raw, second.winner.raw)


def test_large_data_are_compared_on_a_sample_of_applicants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MAX_ROWS", 400)
    rows = problem(1_000, seed=5)
    paired = Problem(rows.matrix, rows.labels, np.arange(1_000) // 2)
    found = compared(paired, "logistic_regression")
    assert found.problem.labels.size == 400
    assert np.all(np.unique(found.problem.applicants, return_counts=True)[1] == 2)


@pytest.mark.parametrize("changes", [False, True])
def test_the_window_leaves_an_old_policy_out(*, changes: bool) -> None:
    rows = problem(9_000, seed=6, signal=1.5, missing=0)
    days = np.sort(np.random.default_rng(1).integers(0, 700, 9_000))
    labels = rows.labels.copy()
    if changes:
        labels[days < 250] = 1 - labels[days < 250]
    window = choose_window(Problem(rows.matrix, labels, rows.applicants), days, setting())
    assert (window.share < 1) == changes
    assert (window.since_day >= 220) == changes

"""Which family of models a bank gets: nested cross-validation, then the one-standard-error rule.

In each outer fold every family is tuned on the other folds and scores the rows that it has not seen; so the
comparison, and the evidence gate after it, rest on predictions that no choice has touched. Scores are calibrated
across folds before they are compared, as calibration is part of what is exported.

The rule: of the families whose log loss is at most one standard error worse than the best one's, the simplest. The
standard error is that of the difference, row by row and summed by applicant.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from . import metrics
from .calibrate import cross_calibrated
from .dataset import Ints
from .families import Family
from .fitted import Setting
from .folds import grouped_folds, sample_applicants
from .tuning import Journal, Problem, trials_of, tune

Floats = npt.NDArray[np.float64]

OUTER_FOLDS: Final = 5
MAX_ROWS: Final = 8_000
"""Rows of a nested cross-validation; of larger data all rows of some applicants are drawn."""


@dataclass(frozen=True)
class Candidate:
    """A family's out-of-fold result."""

    family: Family
    raw: Floats
    probabilities: Floats
    auc: float
    log_loss: float
    excess: float
    """Log loss above the best family's."""
    excess_error: float
    """Its standard error; 0 for the best family itself."""


@dataclass(frozen=True)
class Comparison:
    """All families on the same rows."""

    problem: Problem
    folds: Ints
    candidates: tuple[Candidate, ...]
    winner: Candidate


@dataclass(frozen=True)
class Search:
    """What all searches share."""

    families: Sequence[Family]
    budget: int
    journal: Journal
    tick: Callable[[], None]


def trials_of_comparison(search: Search) -> int:
    """Return how many trials a comparison takes."""
    return OUTER_FOLDS * sum(trials_of(family, search.budget) for family in search.families)


def compare(problem: Problem, setting: Setting, search: Search, pool: Executor) -> Callable[[], Comparison]:
    """Start the nested cross-validation of all families; the function returned waits for its result."""
    rng = np.random.default_rng([setting.seed, OUTER_FOLDS])
    sample = problem.rows(sample_applicants(problem.applicants, rows=MAX_ROWS, rng=rng))
    folds = grouped_folds(sample.labels, sample.applicants, folds=OUTER_FOLDS, rng=rng)
    waiting: list[tuple[Family, list[Future[Floats]]]] = [
        (
            family,
            [pool.submit(_score_fold, family, sample, folds == fold, setting, search) for fold in range(OUTER_FOLDS)],
        )
        for family in search.families
    ]

    def wait() -> Comparison:
        raws = []
        for family, futures in waiting:
            raw = np.empty(sample.labels.size)
            for fold, future in enumerate(futures):
                raw[folds == fold] = future.result()
            raws.append((family, raw))
        return _judge(sample, folds, raws)

    return wait


def _score_fold(
    family: Family, problem: Problem, held: npt.NDArray[np.bool_], setting: Setting, search: Search
) -> Floats:
    learn = problem.rows(~held)
    found = tune(family, learn, setting, budget=search.budget, journal=search.journal, tick=search.tick)
    return family.fit(learn.part, found, setting, None).raw(problem.matrix[held])


def _judge(problem: Problem, folds: Ints, raws: list[tuple[Family, Floats]]) -> Comparison:
    scored = [(family, raw, cross_calibrated(raw, problem.labels, folds, problem.weights)) for family, raw in raws]
    losses = [metrics.log_losses(problem.labels, probabilities) for _, _, probabilities in scored]
    weights = np.ones(problem.labels.size) if problem.weights is None else problem.weights
    best = min(range(len(scored)), key=lambda at: float(np.average(losses[at], weights=weights)))
    candidates = []
    for at, (family, raw, probabilities) in enumerate(scored):
        excess = losses[at] - losses[best]
        candidates.append(
            Candidate(
                family=family,
                raw=raw,
                probabilities=probabilities,
                auc=metrics.auc(problem.labels, raw, problem.weights),
                log_loss=float(np.average(losses[at], weights=weights)),
                excess=float(np.average(excess, weights=weights)),
                excess_error=_clustered_error(excess, problem.applicants, weights),
            )
        )
    winner = next(one for one in candidates if one.excess <= one.excess_error)
    return Comparison(problem, folds, tuple(candidates), winner)


def _clustered_error(values: Floats, applicants: Ints, weights: Floats) -> float:
    """Return the standard error of the weighted mean, with the rows of an applicant added up first."""
    _, index = np.unique(applicants, return_inverse=True)
    sums = np.bincount(index, weights=weights * (values - np.average(values, weights=weights)))
    return float(np.sqrt(np.sum(sums**2)) / weights.sum())

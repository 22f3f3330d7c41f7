"""Which rows learn and which are tested: folds that never split an applicant, and the latest period apart."""

from typing import Final

import numpy as np
import numpy.typing as npt

from .dataset import Ints, Labels

TEST_SHARE: Final = 0.2
"""Latest share of dated applications, held out and used once, for the report."""

Rows = npt.NDArray[np.bool_]


def grouped_folds(labels: Labels, applicants: Ints, *, folds: int, rng: np.random.Generator) -> Ints:
    """Return the fold, 0 to folds - 1, of each row; an applicant's rows are in one fold.

    Applicants are dealt in turn after a shuffle, those with approvals first, so that the folds have nearly
    equal shares of approvals.
    """
    people, index = np.unique(applicants, return_inverse=True)
    approvals = np.bincount(index, weights=labels == 1)
    shuffled = rng.permutation(people.size)
    order = shuffled[np.argsort(approvals[shuffled], kind="stable")]
    fold_of = np.empty(people.size, np.int64)
    fold_of[order] = np.arange(people.size) % folds
    return np.asarray(fold_of[index], np.int64)


def latest(days: Ints, applicants: Ints, *, share: float = TEST_SHARE) -> tuple[Rows, Rows]:
    """Return the rows to learn from and the later ones to test on.

    An applicant of the later period who is in the earlier one too is in neither test nor learning twice: such
    later rows are left out, so that no one is tested on whom the model has met.
    """
    since = np.quantile(days, 1 - share, method="nearest")
    learn = days < since
    return learn, ~learn & ~np.isin(applicants, applicants[learn])


def sample_applicants(applicants: Ints, *, rows: int, rng: np.random.Generator) -> Rows:
    """Return about `rows` rows: all of randomly chosen applicants (every row where there are no more)."""
    if applicants.size <= rows:
        return np.ones(applicants.size, bool)
    people, index = np.unique(applicants, return_inverse=True)
    wanted = round(people.size * rows / applicants.size)
    chosen = np.zeros(people.size, bool)
    chosen[rng.permutation(people.size)[:wanted]] = True
    return np.asarray(chosen[index])

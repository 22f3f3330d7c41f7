"""The evidence gate: whether a bank's decisions could be predicted better than by chance.

Judged on out-of-fold scores alone. There is a signal when both hold:

- the lower end of the 95 % interval of the AUC (bootstrap over applicants) is above 0.5 + MARGIN;
- fewer than MAX_P of PERMUTATIONS shuffles of the decisions reach that AUC. Decisions are shuffled between
  applicants with equally many rows, so that rows of one applicant stay together.

Why a margin: among several banks and families of models one clears 0.5 by luck, and an AUC of 0.52 is of no use
to a client in any case.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from . import metrics
from .dataset import Ints, Labels

MARGIN: Final = 0.02
THRESHOLD: Final = 0.5 + MARGIN
PERMUTATIONS: Final = 1_000
MAX_P: Final = 0.01


@dataclass(frozen=True)
class Evidence:
    """What the gate found; see the module."""

    signal: bool
    auc: float
    low: float
    high: float
    p_value: float
    applications: int

    def sentence(self) -> str:
        """Return the finding in words."""
        found = "signal" if self.signal else "no evidence of signal"
        return (
            f"{found}: AUC {self.auc:.3f}, 95 % interval {self.low:.3f} to {self.high:.3f} "
            f"(must begin above {THRESHOLD}), permutation p = {self.p_value:.3f}"
        )


def judge(labels: Labels, scores: npt.NDArray[np.float64], applicants: Ints, *, seed: int) -> Evidence:
    """Judge out-of-fold scores, [rows] each."""
    ranks = _mean_ranks(scores)
    found = _auc_of_ranks(labels, ranks)
    ((low, high),) = metrics.bootstrap(applicants, lambda rows: (_auc_or_nan(labels[rows], scores[rows]),), seed=seed)
    rng = np.random.default_rng([seed, PERMUTATIONS])
    reached = sum(_auc_of_ranks(shuffled, ranks) >= found for shuffled in _shuffles(labels, applicants, rng))
    p_value = (reached + 1) / (PERMUTATIONS + 1)
    return Evidence(low > THRESHOLD and p_value <= MAX_P, found, low, high, p_value, labels.size)


def _mean_ranks(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse])


def _auc_of_ranks(labels: Labels, ranks: npt.NDArray[np.float64]) -> float:
    positives = int(np.sum(labels == 1))
    rank_sum = float(ranks[labels == 1].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * (labels.size - positives))


def _auc_or_nan(labels: Labels, scores: npt.NDArray[np.float64]) -> float:
    return metrics.auc(labels, scores) if 0 < labels.sum() < labels.size else float("nan")


def _shuffles(labels: Labels, applicants: Ints, rng: np.random.Generator) -> Iterator[Labels]:
    """Give PERMUTATIONS shuffles of the labels between applicants with equally many rows."""
    order = np.argsort(applicants, kind="stable")
    _, counts = np.unique(applicants, return_counts=True)
    starts = np.cumsum(counts) - counts
    blocks = [order[starts[counts == size][:, None] + np.arange(size)[None, :]] for size in np.unique(counts)]
    for _ in range(PERMUTATIONS):
        one = labels.copy()
        for block in blocks:
            one[block] = labels[block[rng.permutation(block.shape[0])]]
        yield one

"""Quality of predicted probabilities. All arguments are arrays [applications] of one length."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int8]
Probabilities = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]
"""For how many applications each row stands; none: all weigh alike."""

ECE_BINS: Final = 10
"""Bins of equal count: on 10,000 rows a bin of 1,000 has a standard error of at most 0.016."""
RESAMPLES: Final = 300
Z_95: Final = 1.959964


def auc(labels: Labels, scores: Probabilities, weights: Weights | None = None) -> float:
    """Return the area under the ROC curve: how often an approved application outranks a denied one.

    The rank formula of Mann and Whitney, ties counting one half; with weights a pair counts by their product.

    Raises:
        ValueError: `labels` has only one class.
    """
    positives = int(np.sum(labels == 1))
    negatives = labels.size - positives
    if positives == 0 or negatives == 0:
        raise ValueError(
            f"Cannot compute the AUC as both classes must occur: current counts are {positives} "
            f"approved and {negatives} denied"
        )
    if weights is not None:
        _, places = np.unique(scores, return_inverse=True)
        yes = np.bincount(places, weights=weights * (labels == 1))
        no = np.bincount(places, weights=weights * (labels != 1))
        return float(np.sum(yes * (np.cumsum(no) - no / 2)) / (yes.sum() * no.sum()))
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = float(np.sum(mean_rank[inverse][labels == 1]))
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def log_losses(labels: Labels, probabilities: Probabilities) -> npt.NDArray[np.float64]:
    """Return each row's negative log-likelihood in nats; probabilities are kept 1e-12 away from 0 and 1."""
    p = np.clip(probabilities.astype(np.float64), 1e-12, 1 - 1e-12)
    return np.asarray(-np.where(labels == 1, np.log(p), np.log1p(-p)))


def log_loss(labels: Labels, probabilities: Probabilities, weights: Weights | None = None) -> float:
    """Return the mean negative log-likelihood in nats."""
    return float(np.average(log_losses(labels, probabilities), weights=weights))


def brier(labels: Labels, probabilities: Probabilities, weights: Weights | None = None) -> float:
    """Return the mean squared distance of probability and outcome."""
    return float(np.average((probabilities.astype(np.float64) - labels) ** 2, weights=weights))


def expected_calibration_error(labels: Labels, probabilities: Probabilities, weights: Weights | None = None) -> float:
    """Return the mean distance, 0..1, between predicted and observed approval rates of ECE_BINS bins."""
    order = np.argsort(probabilities, kind="stable")
    weigh = np.ones(labels.size) if weights is None else weights
    total = 0.0
    for rows in np.array_split(order, ECE_BINS):
        if rows.size:
            total += abs(float(np.sum(weigh[rows] * (probabilities[rows].astype(np.float64) - labels[rows]))))
    return total / float(weigh.sum())


def wilson(successes: float, count: float) -> tuple[float, float]:
    """Return the 95 % interval of a rate (E. B. Wilson, 1927); 0..1 where there is no row."""
    if count == 0:
        return 0.0, 1.0
    rate, z2 = successes / count, Z_95**2
    centre = (rate + z2 / (2 * count)) / (1 + z2 / count)
    half = Z_95 * np.sqrt(rate * (1 - rate) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def bootstrap(
    applicants: Ints, statistic: Callable[[Ints], tuple[float, ...]], *, seed: int
) -> tuple[tuple[float, float], ...]:
    """Return the 95 % percentile interval of each number that `statistic` gives for rows.

    Applicants, not rows, are drawn: the rows of one hang together.
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(applicants, kind="stable")
    _, starts, counts = np.unique(applicants[order], return_index=True, return_counts=True)
    single = bool(np.all(counts == 1))
    values = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(starts.size, size=starts.size)
        if single:
            rows = order[drawn]
        else:
            sizes = counts[drawn]
            offsets = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            rows = order[np.repeat(starts[drawn], sizes) + offsets]
        values.append(statistic(rows))
    ends = np.nanquantile(np.array(values), [0.025, 0.975], axis=0)
    return tuple((float(low), float(high)) for low, high in ends.T)

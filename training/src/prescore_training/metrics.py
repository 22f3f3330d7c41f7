"""Quality of predicted probabilities. All arguments are arrays [applications] of one length."""

from typing import Final

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int8]
Probabilities = npt.NDArray[np.floating]

ECE_BINS: Final = 20
"""Bins of equal count: on 20,000 rows a bin of 1,000 has a standard error of at most 0.016."""


def auc(labels: Labels, scores: Probabilities) -> float:
    """Return the area under the ROC curve: how often an approved application outranks a denied one.

    The rank formula of Mann and Whitney, ties counting one half.

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
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = float(np.sum(mean_rank[inverse][labels == 1]))
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def log_loss(labels: Labels, probabilities: Probabilities) -> float:
    """Return the mean negative log-likelihood in nats; probabilities are kept 1e-12 away from 0 and 1."""
    p = np.clip(probabilities.astype(np.float64), 1e-12, 1 - 1e-12)
    return float(-np.mean(np.where(labels == 1, np.log(p), np.log1p(-p))))


def expected_calibration_error(labels: Labels, probabilities: Probabilities) -> float:
    """Return the mean distance, 0..1, between predicted and observed approval rates of ECE_BINS bins."""
    order = np.argsort(probabilities, kind="stable")
    total = 0.0
    for rows in np.array_split(order, ECE_BINS):
        if rows.size:
            gap = float(np.mean(probabilities[rows], dtype=np.float64) - np.mean(labels[rows]))
            total += rows.size * abs(gap)
    return total / labels.size

"""From raw scores to probabilities that mean what they say, and how well they do.

Platt's scaling: `p = sigmoid(slope * raw + shift)`, fitted by log loss on out-of-fold scores. Two parameters and
no bins, so that it is part of the exported graph and of the compiled forest's link, and keeps the order of scores
(the slope is never negative; 0 means that the scores say nothing, and p is the approval rate).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from . import metrics
from .dataset import Ints, Labels, Weights, effective_size

Floats = npt.NDArray[np.float64]

MAX_STEPS: Final = 100
MAX_MARGIN: Final = 500.0
RELIABILITY_BINS: Final = 10


@dataclass(frozen=True)
class Calibration:
    """`p = sigmoid(slope * raw + shift)`."""

    slope: float
    shift: float

    def probability(self, raw: Floats) -> Floats:
        """Return the calibrated probabilities."""
        return _sigmoid(self.slope * raw + self.shift)


def fit_calibration(raw: Floats, labels: Labels, weights: Weights | None = None) -> Calibration:
    """Fit slope (0 or more) and shift by Newton's method on the log loss.

    The parameters are rounded to float32, which is how the exported graph holds them.
    """

    def mean(values: Floats) -> float:
        return float(np.average(values, weights=weights))

    rate = float(np.clip(mean(labels.astype(np.float64)), 1e-6, 1 - 1e-6))
    centre, spread = float(raw.mean()), float(raw.std())
    constant = Calibration(0.0, float(np.float32(np.log(rate / (1 - rate)))))
    if spread < 1e-9:
        return constant
    score = (raw - centre) / spread
    slope, shift = 0.0, float(np.log(rate / (1 - rate)))
    for _ in range(MAX_STEPS):
        p = _sigmoid(slope * score + shift)
        curve = np.maximum(p * (1 - p), 1e-9)
        gradient = np.array([mean((p - labels) * score), mean(p - labels)])
        hessian = np.array(
            [
                [mean(curve * score**2) + 1e-9, mean(curve * score)],
                [mean(curve * score), mean(curve) + 1e-9],
            ]
        )
        step = np.linalg.solve(hessian, gradient)
        step *= min(1.0, 4.0 / max(1e-12, float(np.abs(step).max())))
        loss = mean(_log_losses(slope * score + shift, labels))
        # Where the scores nearly separate the labels a whole step can overshoot, and the next one further.
        while mean(_log_losses((slope - step[0]) * score + shift - step[1], labels)) > loss + 1e-12:
            step /= 2
        slope, shift = slope - float(step[0]), shift - float(step[1])
        if float(np.abs(step).max()) < 1e-10:
            break
    if slope <= 0:
        return constant
    scaled = slope / spread
    return Calibration(float(np.float32(scaled)), float(np.float32(shift - scaled * centre)))


def _sigmoid(margin: Floats) -> Floats:
    """Return probabilities; beyond MAX_MARGIN they are 0 or 1 to the last bit."""
    return np.asarray(1 / (1 + np.exp(-np.clip(margin, -MAX_MARGIN, MAX_MARGIN))), np.float64)


def _log_losses(margin: Floats, labels: Labels) -> Floats:
    """Return each row's log loss of log-odds, in nats."""
    return np.asarray(np.logaddexp(0, margin) - labels * margin, np.float64)


def cross_calibrated(raw: Floats, labels: Labels, folds: Ints, weights: Weights | None = None) -> Floats:
    """Return out-of-fold scores as probabilities, each calibrated on the other folds only."""
    probabilities = np.empty(raw.size)
    for fold in np.unique(folds):
        own = folds == fold
        others = None if weights is None else weights[~own]
        probabilities[own] = fit_calibration(raw[~own], labels[~own], others).probability(raw[own])
    return probabilities


@dataclass(frozen=True)
class Bin:
    """Applications of about one predicted probability."""

    count: int
    predicted: float
    observed: float
    low: float
    high: float
    """95 % interval of the observed rate (Wilson)."""


@dataclass(frozen=True)
class Measured:
    """Quality of probabilities; intervals are 95 %, by bootstrap over applicants."""

    rows: int
    rate: float
    auc: float
    log_loss: float
    brier: float
    brier_interval: tuple[float, float]
    ece: float
    ece_interval: tuple[float, float]
    bins: tuple[Bin, ...]


def measure(
    labels: Labels, probabilities: Floats, applicants: Ints, *, seed: int, weights: Weights | None = None
) -> Measured:
    """Return the quality of probabilities of labelled rows, each counting by its weight."""

    def of(rows: Ints) -> Weights | None:
        return None if weights is None else weights[rows]

    intervals = metrics.bootstrap(
        applicants,
        lambda rows: (
            metrics.brier(labels[rows], probabilities[rows], of(rows)),
            metrics.expected_calibration_error(labels[rows], probabilities[rows], of(rows)),
        ),
        seed=seed,
    )
    return Measured(
        rows=labels.size,
        rate=float(np.average(labels, weights=weights)),
        auc=metrics.auc(labels, probabilities, weights),
        log_loss=metrics.log_loss(labels, probabilities, weights),
        brier=metrics.brier(labels, probabilities, weights),
        brier_interval=intervals[0],
        ece=metrics.expected_calibration_error(labels, probabilities, weights),
        ece_interval=intervals[1],
        bins=reliability(labels, probabilities, weights),
    )


def reliability(labels: Labels, probabilities: Floats, weights: Weights | None = None) -> tuple[Bin, ...]:
    """Return RELIABILITY_BINS bins of equal count, from the lowest probability.

    With weights the interval is that of as many rows as say as much (`effective_size`).
    """
    weigh = np.ones(labels.size) if weights is None else weights
    bins = []
    for rows in np.array_split(np.argsort(probabilities, kind="stable"), RELIABILITY_BINS):
        if rows.size == 0:
            continue
        observed = float(np.average(labels[rows], weights=weigh[rows]))
        predicted = float(np.average(probabilities[rows], weights=weigh[rows]))
        effective = effective_size(weigh[rows])
        bins.append(Bin(rows.size, predicted, observed, *metrics.wilson(observed * effective, effective)))
    return tuple(bins)

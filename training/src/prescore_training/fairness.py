"""Approval and calibration by protected groups, with intervals; and what leaving a protected field out costs.

A group smaller than `minGroup` of training.json is not reported: its figures would be noise, and could be of
single people.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import metrics
from .calibrate import cross_calibrated
from .configuration import Configuration, Protected
from .dataset import Ints, Labels, Matrix
from .families import Family
from .fitted import Parameters, Setting
from .tuning import Problem

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """Applications of one group; intervals are 95 %, by bootstrap over applicants."""

    feature: str
    label: str
    rows: int
    approved: float
    """Observed approval rate."""
    predicted: float
    gap: float
    """Observed approval rate minus that of all other groups of the feature."""
    gap_interval: tuple[float, float]
    calibration: float
    """Mean predicted minus observed."""
    calibration_interval: tuple[float, float]


@dataclass(frozen=True)
class Price:
    """What the winner loses without a protected feature and those derived from it, in outer folds."""

    feature: str
    without: tuple[str, ...]
    log_loss: float
    """Increase; its standard error is beside it."""
    error: float
    auc: float
    """Decrease."""


def groups(
    configuration: Configuration,
    matrix: Matrix,
    labels: Labels,
    probabilities: Floats,
    applicants: Ints,
    *,
    seed: int,
) -> list[Group]:
    """Return the groups of every protected feature that are large enough."""
    found = []
    for protected in configuration.protected:
        for label, own in _members(configuration, protected, matrix):
            if configuration.min_group <= own.sum() <= labels.size - configuration.min_group:
                found.append(_group(protected.feature, label, own, labels, probabilities, applicants, seed=seed))
    return found


def _members(
    configuration: Configuration, protected: Protected, matrix: Matrix
) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    column = configuration.names.index(protected.feature)
    feature = configuration.features[column]
    values = matrix[:, column]
    if protected.bands:
        edges = [-np.inf, *protected.bands, np.inf]
        for low, high in itertools.pairwise(edges):
            name = f"under {high:g}" if low == -np.inf else f"{low:g} and over"
            yield (
                name if np.isinf(low) or np.isinf(high) else f"{low:g} to {high:g}",
                (values >= low) & (values < high),
            )
    else:
        for code in np.unique(values[~np.isnan(values)]):
            known = 0 <= code < len(feature.labels)
            yield feature.labels[int(code)] if known else f"value {code:g}", values == code
    yield "no answer", np.isnan(values)


def _group(
    feature: str,
    label: str,
    own: npt.NDArray[np.bool_],
    labels: Labels,
    probabilities: Floats,
    applicants: Ints,
    *,
    seed: int,
) -> Group:
    def figures(rows: Ints) -> tuple[float, float]:
        mine = own[rows]
        approved = labels[rows]
        return (
            float(approved[mine].mean() - approved[~mine].mean()),
            float(probabilities[rows][mine].mean() - approved[mine].mean()),
        )

    gap, calibration = figures(np.arange(labels.size))
    intervals = metrics.bootstrap(applicants, figures, seed=seed)
    return Group(
        feature=feature,
        label=label,
        rows=int(own.sum()),
        approved=float(labels[own].mean()),
        predicted=float(probabilities[own].mean()),
        gap=gap,
        gap_interval=intervals[0],
        calibration=calibration,
        calibration_interval=intervals[1],
    )


def neutral(matrix: Matrix, names: tuple[str, ...], features: frozenset[str]) -> Matrix:
    """Return the matrix with the features made constant, so that no model can use them."""
    made = matrix.copy()
    for name in features:
        made[:, names.index(name)] = 0
    return made


def price(
    configuration: Configuration,
    protected: Protected,
    problem: Problem,
    folds: Ints,
    family: Family,
    parameters: Parameters,
    setting: Setting,
) -> Price:
    """Return what the family loses without the protected feature, with the same parameters and folds."""
    without = configuration.made_of(protected.feature)
    losses, aucs = [], []
    for matrix in (problem.matrix, neutral(problem.matrix, configuration.names, without)):
        raw = np.empty(problem.labels.size)
        changed = Problem(matrix, problem.labels, problem.applicants, problem.weights)
        for fold in np.unique(folds):
            model = family.fit(changed.rows(folds != fold).part, parameters, setting, None)
            raw[folds == fold] = model.raw(matrix[folds == fold])
        probabilities = cross_calibrated(raw, problem.labels, folds, problem.weights)
        losses.append(metrics.log_losses(problem.labels, probabilities))
        aucs.append(metrics.auc(problem.labels, raw, problem.weights))
    weights = np.ones(problem.labels.size) if problem.weights is None else problem.weights
    excess = losses[1] - losses[0]
    mean = float(np.average(excess, weights=weights))
    return Price(
        feature=protected.feature,
        without=tuple(sorted(without)),
        log_loss=mean,
        error=float(np.sqrt(np.sum((weights * (excess - mean)) ** 2)) / weights.sum()),
        auc=aucs[0] - aucs[1],
    )

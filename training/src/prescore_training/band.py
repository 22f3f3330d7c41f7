"""How far a probability may be off: a band around it, by bin of the probability.

Two errors add up. The model would be another one on other applications of the same kind: two models on random
halves of the applicants differ by `d`, so that `|d| / sqrt(2)` is distributed like the deviation of a model on half
the rows from its expectation, and one on all rows strays no more than that. And in a bin probabilities may be off on
average: by `gap`, observed minus predicted rate out of fold, within an interval. With `q` the LEVEL quantile of
`|d| / sqrt(2)` in the bin:

    band(p) = [p - below, p + above],  below = q + max(0, -low),  above = q + max(0, high)

where `low` and `high` are the ends of the gap's 50 % interval (an estimate of the gap, not a safeguard against it),
cut to 0..1. It is a band for the approval probability, not for the yes or no. What it leaves out, the error that every
model of the family makes alike, the margin between half and all rows has to make up for.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .calibrate import Calibration, fit_calibration
from .dataset import effective_size
from .families import Family
from .fitted import Parameters, Setting
from .tuning import Problem

Floats = npt.NDArray[np.float64]

LEVEL: Final = 0.9
BINS: Final = 10
REPEATS: Final = 3
"""Random halvings; each gives one difference per row."""
Z_50: Final = 0.674490


@dataclass(frozen=True)
class Band:
    """Bins of the probability, and how far below and above it the band reaches in each."""

    edges: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]

    def of(self, probabilities: Floats) -> tuple[Floats, Floats]:
        """Return the lower and upper ends."""
        at = np.searchsorted(self.edges, probabilities, side="right")
        low = np.maximum(0.0, probabilities - np.array(self.below)[at])
        return low, np.minimum(1.0, probabilities + np.array(self.above)[at])


def half_differences(family: Family, parameters: Parameters, problem: Problem, setting: Setting) -> tuple[Floats, ...]:
    """Return `|d| / sqrt(2)` of each row, [rows], of REPEATS halvings, each half calibrated on the other."""
    people, index = np.unique(problem.applicants, return_inverse=True)
    differences = []
    for repeat in range(REPEATS):
        rng = np.random.default_rng([setting.seed, repeat, BINS])
        first = (rng.permutation(people.size) < people.size // 2)[index]
        given = []
        for own in (first, ~first):
            model = family.fit(problem.rows(own).part, parameters, setting, None)
            raw = model.raw(problem.matrix)
            other = problem.rows(~own)
            given.append(fit_calibration(raw[~own], other.labels, other.weights).probability(raw))
        differences.append(np.abs(given[0] - given[1]) / np.sqrt(2))
    return tuple(differences)


def learn_band(
    raw: Floats,
    labels: npt.NDArray[np.int8],
    calibration: Calibration,
    differences: tuple[Floats, ...],
    weights: Floats | None = None,
) -> Band:
    """Learn the band from out-of-fold scores and the differences of halves, [rows] each."""
    probabilities = calibration.probability(raw)
    edges = np.unique(np.quantile(probabilities, np.arange(1, BINS) / BINS).round(6))
    edges = edges[(edges > probabilities.min()) & (edges <= probabilities.max())]
    bin_of = np.searchsorted(edges, probabilities, side="right")
    weigh = np.ones(labels.size) if weights is None else weights
    below, above = [], []
    for at in range(edges.size + 1):
        rows = bin_of == at
        spread = float(np.quantile(np.concatenate([one[rows] for one in differences]), LEVEL))
        gap = float(np.average(labels[rows] - probabilities[rows], weights=weigh[rows]))
        variance = float(np.mean(probabilities[rows] * (1 - probabilities[rows])))
        half = Z_50 * float(np.sqrt(variance / effective_size(weigh[rows])))
        below.append(round(spread + max(0.0, half - gap), 6))
        above.append(round(spread + max(0.0, gap + half), 6))
    return Band(tuple(float(edge) for edge in edges), tuple(below), tuple(above))

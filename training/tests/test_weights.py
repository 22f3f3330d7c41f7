"""Decisions that were chosen by an estimate, weighted as `deno task export-training` does, speak of everyone."""

import numpy as np
import numpy.typing as npt
import pytest

from prescore_training.calibrate import fit_calibration
from prescore_training.dataset import NO_ANSWER
from prescore_training.families import FAMILY_BY_NAME
from prescore_training.fitted import Setting
from prescore_training.models import out_of_fold
from prescore_training.project import Project
from prescore_training.simulate import Simulation, simulate
from prescore_training.tuning import Problem

Floats = npt.NDArray[np.float64]
PARAMETERS = {"C": 0.1}
BINS, MOST_WEIGHT = 20, 10.0


@pytest.fixture(scope="module")
def world(project: Project) -> Simulation:
    return simulate(project, applications=14_000, seed=11)


def learned(setting: Setting, problem: Problem, matrix: npt.NDArray[np.float32]) -> Floats:
    """Return the probabilities, for every row, of a logistic regression calibrated out of fold."""
    family = FAMILY_BY_NAME["logistic_regression"]
    raw = out_of_fold(family, PARAMETERS, problem, setting)
    calibration = fit_calibration(raw, problem.labels, problem.weights)
    return calibration.probability(family.fit(problem.part, PARAMETERS, setting, None).raw(matrix))


def weights_of(estimate: Floats, sent: npt.NDArray[np.bool_]) -> Floats:
    """As `analytics/selection.ts`: one over the share that was sent of those with about the same estimate."""
    bins = np.minimum(BINS - 1, (estimate * BINS).astype(int))
    share = np.bincount(bins[sent], minlength=BINS) / np.maximum(1, np.bincount(bins, minlength=BINS))
    return np.asarray(np.minimum(MOST_WEIGHT, sent.mean() / share[bins[sent]]), np.float64)


def errors_of(world: Simulation, bank: str) -> tuple[float, float]:
    """Return the gap to the truth over everyone, of what is learned without and with weights."""
    rng = np.random.default_rng(2)
    setting = Setting(world.configuration, (0,) * len(world.configuration.names), 1)
    labels, people = world.decisions[bank], np.arange(world.matrix.shape[0])
    first = (people < 1_500) & (labels != NO_ANSWER)
    estimate = learned(setting, Problem(world.matrix[first], labels[first], people[first]), world.matrix)
    chosen = 0.03 + 0.9 / (1 + np.exp(-15 * (estimate - 0.55)))
    sent = (people >= 1_500) & (people < 8_000) & (labels != NO_ANSWER) & (rng.random(people.size) < chosen)
    asked = people[(people >= 1_500) & (people < 8_000)]
    weights = weights_of(estimate[asked], sent[asked])
    everyone, truth = world.matrix[8_000:], world.truth[bank][8_000:]
    found = [
        learned(setting, Problem(world.matrix[sent], labels[sent], people[sent], given), everyone)
        for given in (None, weights / weights.mean())
    ]
    before, after = (gap(one, truth) for one in found)
    return before, after


def gap(probabilities: Floats, truth: Floats) -> float:
    """Return the mean distance of estimate and truth over ten bins of the estimate, each with as many people."""
    bins = np.array_split(np.argsort(probabilities, kind="stable"), 10)
    return float(np.mean([abs(probabilities[rows].mean() - truth[rows].mean()) for rows in bins]))


def test_weighted_decisions_are_better_calibrated_for_everyone(world: Simulation) -> None:
    errors = {bank: errors_of(world, bank) for bank in world.decisions}
    assert all(after < before for before, after in errors.values()), errors

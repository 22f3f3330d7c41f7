"""A seeded simulation: applicants, their applications, the feature matrix, the lenders' decisions.

The same number of rows and the same seed give the same table, byte for byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from .features import FeatureSpace, describe_features, feature_matrix
from .policies import LENDERS, Applications
from .population import draw_population
from .questionnaire import load_questionnaire
from .table import BANKS, DECISION_COLUMNS, Cells, to_csv, write_answers

ERROR_SHARE: Final = 0.013
"""Share of requests that a lender's system does not answer, whoever the applicant is."""

APPROVED, DENIED, NO_ANSWER = 1, 0, -1
DECISION_TEXTS: Final = {APPROVED: "success", DENIED: "denied", NO_ANSWER: "error"}


@dataclass(frozen=True)
class Simulation:
    """Applications with everything that is known of them, the truth included."""

    space: FeatureSpace
    answers: Cells
    """The applications as answered, without decisions."""
    matrix: npt.NDArray[np.float32]
    """[applications, features]"""
    truth: Mapping[str, npt.NDArray[np.float64]]
    """Bank -> true approval probability, [applications]."""
    decisions: Mapping[str, npt.NDArray[np.int8]]
    """Bank -> APPROVED, DENIED or NO_ANSWER, [applications]."""

    def to_csv(self) -> bytes:
        """Return the applications with the decisions, under the public table's header."""
        decided = {
            column: [DECISION_TEXTS[code] for code in self.decisions[bank].tolist()]
            for bank, column in zip(BANKS, DECISION_COLUMNS, strict=True)
        }
        return to_csv({**self.answers, **decided})


def simulate(project: Path, *, applicants: int, seed: int) -> Simulation:
    """Simulate `applicants` applications (1 or more) from `seed` (0 or more).

    Raises:
        TrainingError: the project's features cannot be computed.
    """
    people_rng, answers_rng, decisions_rng = (
        np.random.default_rng(stream) for stream in np.random.SeedSequence(seed).spawn(3)
    )
    questionnaire = load_questionnaire(project)
    space = describe_features(project)
    answers = write_answers(draw_population(applicants, people_rng), questionnaire, answers_rng)
    matrix = feature_matrix(project, to_csv(answers), space)
    applications = Applications(space.names, matrix, questionnaire)
    truth = {lender.bank: lender.approval_probability(applications) for lender in LENDERS}
    decisions = {bank: _decide(truth[bank], decisions_rng) for bank in BANKS}
    return Simulation(space, answers, matrix, truth, decisions)


def _decide(probability: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.int8]:
    approved = rng.random(probability.size) < probability
    answered = rng.random(probability.size) >= ERROR_SHARE
    return np.where(answered, approved, NO_ANSWER).astype(np.int8)

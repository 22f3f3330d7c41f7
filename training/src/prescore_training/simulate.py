"""A seeded model world: applicants, their applications over two years, and the lenders' decisions.

The true approval probabilities are kept, given everything that the lenders know and given only what a questionnaire
tells; so a model can be set beside the best possible one. The same number of applications and the same seed give
the same table, byte for byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .configuration import Configuration, read_configuration
from .dataset import APPROVED, DENIED, NO_ANSWER, Labels, Matrix, feature_matrix
from .policies import CHANGE_DAY, LENDERS, Applications
from .population import Ints, draw_population
from .project import Project
from .questionnaire import load_questionnaire
from .table import BANKS, DECISION_COLUMNS, Cells, to_csv, write_answers

ERROR_SHARE: Final = 0.013
"""Share of requests that a lender's system does not answer, whoever the applicant is."""

DECISION_TEXTS: Final = {APPROVED: "success", DENIED: "denied", NO_ANSWER: "error"}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Simulation:
    """Applications with everything that is known of them, the truth included; arrays are [applications]."""

    configuration: Configuration
    answers: Cells
    """The applications as answered, without decisions."""
    applications: Applications
    applied_day: Ints
    """Days after the first day."""
    history: Floats
    """Credit history, which the lenders see and the answers do not tell."""
    truth: Mapping[str, Floats]
    """Bank -> approval probability given the answers: the best that a model can know."""
    full_truth: Mapping[str, Floats]
    """Bank -> approval probability given the credit history, too."""
    decisions: Mapping[str, Labels]
    """Bank -> APPROVED, DENIED or NO_ANSWER."""

    @property
    def matrix(self) -> Matrix:
        """The features, [applications, features]."""
        return self.applications.matrix

    def to_csv(self) -> bytes:
        """Return the applications with the decisions, under the public table's header."""
        decided = {
            column: [DECISION_TEXTS[code] for code in self.decisions[bank].tolist()]
            for bank, column in zip(BANKS, DECISION_COLUMNS, strict=True)
        }
        return to_csv({**self.answers, **decided})


def simulate(project: Project, *, applications: int, seed: int) -> Simulation:
    """Simulate `applications` applications (1 or more) from `seed` (0 or more).

    The policies speak of the questionnaire that the project ships: its configuration must be in use.

    Raises:
        TrainingError: the project's features cannot be computed.
    """
    people_rng, answers_rng, decisions_rng = (
        np.random.default_rng(stream) for stream in np.random.SeedSequence(seed).spawn(3)
    )
    questionnaire = load_questionnaire(project)
    configuration = read_configuration(project)
    people = draw_population(applications, people_rng)
    answers = write_answers(people, questionnaire, answers_rng)
    matrix = feature_matrix(project, configuration, to_csv(answers), dated=True)
    asked = Applications(configuration.names, matrix, questionnaire, people.applied_day >= CHANGE_DAY)
    full = {lender.bank: lender.full_probability(asked, people.history) for lender in LENDERS}
    return Simulation(
        configuration=configuration,
        answers=answers,
        applications=asked,
        applied_day=people.applied_day,
        history=people.history,
        truth={lender.bank: lender.visible_probability(asked) for lender in LENDERS},
        full_truth=full,
        decisions={bank: _decide(full[bank], decisions_rng) for bank in BANKS},
    )


def _decide(probability: Floats, rng: np.random.Generator) -> Labels:
    approved = rng.random(probability.size) < probability
    answered = rng.random(probability.size) >= ERROR_SHARE
    return np.where(answered, approved, NO_ANSWER).astype(np.int8)

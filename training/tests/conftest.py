"""What the tests share: one simulation and one published model version, each made once."""

from pathlib import Path

import pytest
from support import APPLICANTS, Published

from prescore_training.policies import Applications
from prescore_training.project import find_project
from prescore_training.publish import publish
from prescore_training.questionnaire import load_questionnaire
from prescore_training.simulate import Simulation, simulate


@pytest.fixture(scope="session")
def project() -> Path:
    return find_project(Path(__file__).parent)


@pytest.fixture(scope="session")
def simulation(project: Path) -> Simulation:
    return simulate(project, applicants=20_000, seed=5)


@pytest.fixture(scope="session")
def applications(project: Path, simulation: Simulation) -> Applications:
    return Applications(simulation.space.names, simulation.matrix, load_questionnaire(project))


@pytest.fixture(scope="session")
def published(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("models") / "7"
    progress: list[str] = []
    publish(project, folder, applicants=APPLICANTS, seed=3, say=progress.append)
    return Published(folder, progress)

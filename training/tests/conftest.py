"""What the tests share: the project, one simulation and one trained model version, each made once."""

from pathlib import Path

import pytest
from support import APPLICATIONS, QUICK, SMALL_CONFIGS, Published

from prescore_training.configuration import Configuration, read_configuration
from prescore_training.pipeline import Options, train
from prescore_training.policies import Applications
from prescore_training.project import Project, find_project
from prescore_training.simulate import Simulation, simulate
from prescore_training.world import simulated


@pytest.fixture(scope="session")
def project() -> Project:
    return find_project(Path(__file__).parent)


@pytest.fixture(scope="session")
def small() -> Project:
    """Return the project with another questionnaire and other banks."""
    return find_project(Path(__file__).parent, configs=SMALL_CONFIGS)


@pytest.fixture(scope="session")
def small_configuration(small: Project) -> Configuration:
    return read_configuration(small)


@pytest.fixture(scope="session")
def simulation(project: Project) -> Simulation:
    return simulate(project, applications=20_000, seed=5)


@pytest.fixture(scope="session")
def applications(simulation: Simulation) -> Applications:
    return simulation.applications


@pytest.fixture(scope="session")
def published(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("models") / "7"
    said: list[str] = []
    data, origin = simulated(project, applications=APPLICATIONS, seed=3)
    train(project, folder, data, origin, Options(seed=3, trials=1, families=QUICK), said.append)
    return Published(folder, said)

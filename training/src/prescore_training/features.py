"""The feature matrix, as the service computes it.

Features have one definition, `scoring/features.ts`. Here the project's own command `deno task features`
is run over a table of applications; nothing in Python recomputes a feature.
"""

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .deno import run_task
from .errors import TrainingError

APPLIED_AT = "2023-12-01"
"""The day on which every simulated application is made; ages and tenures are counted up to it."""


@dataclass(frozen=True)
class FeatureSpace:
    """What a model must have been trained on to be run."""

    names: tuple[str, ...]
    """The columns of the matrix, in order."""
    sha256: str
    """Fingerprint (hex) of how the features are computed."""


def describe_features(project: Path) -> FeatureSpace:
    """Ask the service's code for the feature names and their fingerprint.

    Raises:
        TrainingError: `deno` is missing or the command fails.
    """
    described = json.loads(run_task(project, ["features", "--describe"]))
    return FeatureSpace(tuple(described["names"]), described["sha256"])


def feature_matrix(project: Path, table: bytes, space: FeatureSpace) -> npt.NDArray[np.float32]:
    """Turn a table of applications into the matrix that models see.

    Args:
        project: folder of the project.
        table: applications as CSV with a header, UTF-8.
        space: the expected columns.

    Returns:
        [rows, features]; NaN is missing, -1 is an answered but unknown category.

    Raises:
        TrainingError: `deno` is missing, the command refuses the table, or gives other columns.
    """
    text = run_task(project, ["features", "--at", APPLIED_AT], stdin=table).decode("utf-8")
    rows = csv.reader(io.StringIO(text))
    header = tuple(next(rows, []))
    if header != space.names:
        raise TrainingError(
            f"Cannot use the feature matrix as its columns must be {space.names}: current value is {header}"
        )
    values = [[np.nan if cell == "" else float(cell) for cell in row] for row in rows]
    return np.array(values, dtype=np.float32).reshape(-1, len(header))

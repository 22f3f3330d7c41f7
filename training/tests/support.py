"""What tests use besides fixtures: running a command in this process, training a small booster."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from prescore_training.__main__ import main

APPLICANTS = 6_000
"""Of the published version: enough for every step to be real, few enough to take seconds."""


@dataclass(frozen=True)
class Published:
    folder: Path
    progress: list[str]


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


def run_command(*arguments: str) -> Ended:
    """Run a command line inside this process; argparse's exits become statuses."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(arguments)
        except SystemExit as leave:
            status = int(leave.code or 0)
    return Ended(status, out.getvalue(), err.getvalue())


def train_small(
    matrix: npt.NDArray[np.float32], labels: npt.NDArray[np.int8], *, rounds: int, **parameters: object
) -> xgb.Booster:
    defaults = {"objective": "binary:logistic", "tree_method": "hist", "nthread": 1, "min_child_weight": 0}
    return xgb.train({**defaults, **parameters}, xgb.DMatrix(matrix, labels), rounds)

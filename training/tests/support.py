"""What tests use besides fixtures: a small table of another questionnaire, problems made at random, commands."""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from prescore_training.__main__ import main
from prescore_training.configuration import Configuration, Feature
from prescore_training.families import FAMILY_BY_NAME, Family
from prescore_training.fitted import Setting
from prescore_training.tuning import Problem

SMALL_CONFIGS = Path(__file__).parent / "configs"
QUICK = tuple(FAMILY_BY_NAME[name] for name in ("logistic_regression", "xgboost"))
APPLICATIONS = 3_000
"""Of the trained version: enough for every step to be real, few enough to take seconds."""

KINDS = ("quantity", "quantity", "category", "code")


@dataclass(frozen=True)
class Published:
    folder: Path
    said: list[str]


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


def small_csv(rows: Sequence[Sequence[str]], header: str = "client,born,income,housing,North says,south,on") -> bytes:
    return "".join(f"{line}\n" for line in (header, *(",".join(row) for row in rows))).encode()


def small_rows(count: int, *, seed: int = 1) -> list[list[str]]:
    """Return rows whose north decides by income and whose south throws a coin."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        income = rng.lognormal(8, 0.5)
        yes = rng.random() < 1 / (1 + np.exp(-(np.log(income) - 8) * 4))
        rows.append(
            [
                f"c{number}",
                f"{rng.integers(1950, 2004)}-03-01",
                "" if rng.random() < 0.03 else f"{income:.0f}",
                str(rng.choice(["own", "rent", "boat"], p=[0.5, 0.45, 0.05])),
                "yes" if yes else "no",
                str(rng.integers(0, 2)),
                f"2024-{1 + number * 12 // count:02}-{1 + number % 28:02}",
            ]
        )
    return rows


def bare_configuration(features: int = 4) -> Configuration:
    """Return a configuration of features alone, of the kinds in KINDS in turn."""
    return Configuration(
        sha256="0" * 64,
        features=tuple(
            Feature(f"f{at}", KINDS[at % 4], (f"f{at}",), f"f{at}", ("a", "b", "c")) for at in range(features)
        ),
        fields=(),
        banks=(),
        approved=frozenset(),
        denied=frozenset(),
        no_answer=frozenset(),
        applicant=(),
        applied_column=None,
        applied_otherwise=date(2024, 1, 1),
        ignored=(),
        directions={},
        protected=(),
        min_group=50,
        leave_out=(),
    )


def problem(rows: int, *, seed: int, signal: float = 1.0, missing: float = 0.1) -> Problem:
    """Return rows of four features; the log odds are `signal` times what the first and third say."""
    rng = np.random.default_rng(seed)
    matrix = np.column_stack(
        [rng.normal(size=rows), rng.gamma(2, 1_000, rows), rng.integers(-1, 3, rows), rng.integers(1, 9, rows)]
    ).astype(np.float32)
    score = signal * (matrix[:, 0] + (matrix[:, 2] == 1) - 0.25)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-score))).astype(np.int8)
    matrix[rng.random(matrix.shape) < missing] = np.nan
    return Problem(matrix, labels, np.arange(rows))


def awkward(matrix: npt.NDArray[np.float32], *, seed: int) -> npt.NDArray[np.float32]:
    """Return the rows with more missing, unknown, unseen and extreme values."""
    rng = np.random.default_rng(seed)
    made = matrix.copy()
    for values in ([np.nan], [-1, 77, 987_654], [0, 1e-30, -1e8, 1e8, 3.4e38]):
        chosen = rng.random(made.shape) < 0.06
        made[chosen] = rng.choice(np.array(values, np.float32), int(chosen.sum()))
    return made


def setting(*directions: int, seed: int = 3) -> Setting:
    return Setting(bare_configuration(), directions or (0, 0, 0, 0), seed)


def family(name: str) -> Family:
    return FAMILY_BY_NAME[name]

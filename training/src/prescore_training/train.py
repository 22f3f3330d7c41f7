"""One gradient-boosted forest per bank, and how well it does beside the best possible model.

The hyperparameters are fixed: shallow trees, a moderate learning rate, and early stopping on applications
that the forest has not seen. One thread and one seed, so that the same data give the same bytes.

Known limit: nothing is tuned and probabilities are not recalibrated; the report says how far they are off.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from . import metrics
from .policies import LENDERS, Lender
from .simulate import NO_ANSWER, Simulation

MAX_TREES: Final = 300
EARLY_STOPPING_TREES: Final = 50
"""Training ends after so many trees without a better log loss on the validation part."""
PARAMETERS: Final = {
    "objective": "binary:logistic",
    "eval_metric": "logloss",
    "tree_method": "hist",
    "max_depth": 4,
    "learning_rate": 0.08,
    "min_child_weight": 20,  # about 80 applications near even odds: leaves that mean something
    "reg_lambda": 1.0,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "nthread": 1,
}

TEST_SHARE: Final = 1 / 3
"""The last third of the applications is held out and used once, for the report."""
VALIDATION_SHARE: Final = 0.15
"""Of the other two thirds, the last 15 % decide when training stops."""


@dataclass(frozen=True)
class Quality:
    """A model on the held-out applications, beside the true probabilities on the very same ones."""

    bank: str
    trees: int
    tested: int
    """Held-out applications that the bank answered."""
    approval_rate: float
    auc: float
    best_auc: float
    log_loss: float
    best_log_loss: float
    calibration_error: float
    best_calibration_error: float
    """Of the true probabilities: what chance alone leaves on so many applications."""


@dataclass(frozen=True)
class Trained:
    """The forest of one bank and its quality."""

    lender: Lender
    booster: xgb.Booster
    quality: Quality


def split(applications: int) -> tuple[slice, slice, slice]:
    """Return the rows to fit on, to stop early on, and to test on; rows are in random order already."""
    test_from = applications - round(applications * TEST_SHARE)
    validation_from = test_from - round(test_from * VALIDATION_SHARE)
    return (
        slice(0, validation_from),
        slice(validation_from, test_from),
        slice(test_from, applications),
    )


def train_all(simulation: Simulation, *, seed: int) -> Iterator[Trained]:
    """Train and test one forest per lender, in the order of LENDERS."""
    return (train_one(simulation, lender, seed=seed) for lender in LENDERS)


def train_one(simulation: Simulation, lender: Lender, *, seed: int) -> Trained:
    """Train the forest of one lender, and test it.

    Raises:
        ValueError: the held-out applications were all approved or all denied.
    """
    fit, validation, test = split(simulation.matrix.shape[0])
    directions = [str(lender.monotone.get(name, 0)) for name in simulation.space.names]
    parameters = {
        **PARAMETERS,
        "seed": seed,
        "monotone_constraints": f"({','.join(directions)})",
    }
    booster = xgb.train(
        parameters,
        _answered(simulation, lender.bank, fit),
        num_boost_round=MAX_TREES,
        evals=[(_answered(simulation, lender.bank, validation), "validation")],
        early_stopping_rounds=EARLY_STOPPING_TREES,
        verbose_eval=False,
    )
    best = booster[: booster.best_iteration + 1]
    return Trained(lender, best, _quality(simulation, lender.bank, best, test))


def predict(booster: xgb.Booster, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return XGBoost's own probabilities, [rows], of a matrix [rows, features] (NaN is missing)."""
    return np.asarray(booster.inplace_predict(matrix, missing=np.nan, validate_features=False), np.float32)


def _answered(simulation: Simulation, bank: str, rows: slice) -> xgb.DMatrix:
    decisions = simulation.decisions[bank][rows]
    kept = decisions != NO_ANSWER
    return xgb.DMatrix(
        simulation.matrix[rows][kept],
        label=decisions[kept],
        feature_names=list(simulation.space.names),
        nthread=1,
    )


def _quality(simulation: Simulation, bank: str, booster: xgb.Booster, rows: slice) -> Quality:
    decisions = simulation.decisions[bank][rows]
    kept = decisions != NO_ANSWER
    labels = decisions[kept]
    truth = simulation.truth[bank][rows][kept]
    predicted = predict(booster, simulation.matrix[rows][kept])
    return Quality(
        bank=bank,
        trees=booster.num_boosted_rounds(),
        tested=labels.size,
        approval_rate=float(np.mean(labels)),
        auc=metrics.auc(labels, predicted),
        best_auc=metrics.auc(labels, truth),
        log_loss=metrics.log_loss(labels, predicted),
        best_log_loss=metrics.log_loss(labels, truth),
        calibration_error=metrics.expected_calibration_error(labels, predicted),
        best_calibration_error=metrics.expected_calibration_error(labels, truth),
    )

"""The five families of models: how each is tuned, trained and read out.

All are trained on log loss without class weights, so that a probability means what it says. A fitted model gives
a raw score per row: log odds, or for the random forest the mean share of approvals; calibration (`calibrate.py`)
turns it into the probability. Boosted trees stop early on a validation part while they are tuned; the number of
trees found there is used for the final fit. One thread each: the same data and seed give the same model.

Families stand in the order of their simplicity, which the one-standard-error rule uses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import optuna
import xgboost as xgb
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from .dataset import Matrix
from .encode import learn_encoder
from .fitted import Fitted, Floats, Network, Parameters, Part, Setting, Trees
from .forest_readers import read_lightgbm, read_random_forest, read_xgboost

MAX_ROUNDS: Final = 600
PATIENCE_ROUNDS: Final = 30
"""Boosting stops after so many trees without a better log loss on the validation part."""
FOREST_SAMPLE: Final = 5_000
"""Rows of which a random forest's tree sees a bootstrap sample: more make larger trees, not better ones."""
ROUNDS: Final = "rounds"
"""Parameter that early stopping finds."""


@dataclass(frozen=True)
class Family:
    """A kind of model."""

    name: str
    title: str
    raw_is_probability: bool
    trials_share: float
    """Trials relative to the budget: slow families get fewer."""
    suggest: Callable[[optuna.Trial], dict[str, Any]]
    first: Parameters
    """The parameters of the first trial, usually good."""
    fit: Callable[[Part, Parameters, Setting, Part | None], Fitted]


def uncalibrated(family: Family, raw: Floats) -> Floats:
    """Return the model's own probabilities of its raw scores."""
    return np.clip(raw, 1e-6, 1 - 1e-6) if family.raw_is_probability else 1 / (1 + np.exp(-raw))


def _fit_logistic(part: Part, parameters: Parameters, setting: Setting, _: Part | None) -> Fitted:
    encoder = learn_encoder(setting.configuration, part.matrix)
    model = LogisticRegression(C=parameters["C"], max_iter=1_000)
    model.fit(encoder.encode(part.matrix).astype(np.float64), part.labels, sample_weight=part.weights)
    return Network(encoder, ((_float32(model.coef_.T), _float32(model.intercept_)),))


def _fit_mlp(part: Part, parameters: Parameters, setting: Setting, _: Part | None) -> Fitted:
    encoder = learn_encoder(setting.configuration, part.matrix)
    model = MLPClassifier(
        hidden_layer_sizes=(parameters["width"],) * parameters["depth"],
        alpha=parameters["alpha"],
        learning_rate_init=parameters["learning_rate"],
        batch_size=min(256 if part.labels.size < 5_000 else 512, part.labels.size // 2),
        early_stopping=True,
        validation_fraction=0.15,
        n_iter_no_change=4,
        max_iter=150,
        random_state=setting.seed,
    )
    model.fit(encoder.encode(part.matrix), part.labels, sample_weight=part.weights)
    layers = zip(model.coefs_, model.intercepts_, strict=True)
    return Network(encoder, tuple((_float32(weights), _float32(bias)) for weights, bias in layers))


def _fit_forest(part: Part, parameters: Parameters, setting: Setting, _: Part | None) -> Fitted:
    model = RandomForestClassifier(
        n_estimators=parameters["trees"],
        criterion="log_loss",
        min_samples_leaf=max(5, round(parameters["leaf_share"] * part.labels.size)),
        max_features=parameters["max_features"],
        max_depth=parameters["max_depth"],
        max_samples=min(1.0, FOREST_SAMPLE / part.labels.size),
        monotonic_cst=list(setting.directions),
        n_jobs=1,
        random_state=setting.seed,
    )
    model.fit(part.matrix, part.labels, sample_weight=part.weights)
    return Trees(
        lambda: read_random_forest(model),
        lambda matrix: model.predict_proba(matrix)[:, list(model.classes_).index(1)],
    )


def _fit_xgboost(part: Part, parameters: Parameters, setting: Setting, validation: Part | None) -> Fitted:
    own = {key: value for key, value in parameters.items() if key != ROUNDS}
    data = xgb.DMatrix(part.matrix, label=part.labels, weight=part.weights, nthread=1)
    stop = []
    if validation is not None:
        held = xgb.DMatrix(validation.matrix, label=validation.labels, weight=validation.weights, nthread=1)
        stop = [(held, "validation")]
    booster = xgb.train(
        {
            "objective": "binary:logistic",
            "eval_metric": "logloss",
            "tree_method": "hist",
            "nthread": 1,
            "seed": setting.seed,
            "monotone_constraints": f"({','.join(map(str, setting.directions))})",
            **own,
        },
        data,
        num_boost_round=parameters.get(ROUNDS, MAX_ROUNDS),
        evals=stop,
        early_stopping_rounds=PATIENCE_ROUNDS if stop else None,
        verbose_eval=False,
    )
    if stop:
        booster = booster[: booster.best_iteration + 1]
    return Trees(
        lambda: read_xgboost(booster),
        lambda matrix: booster.inplace_predict(matrix, missing=np.nan, validate_features=False, predict_type="margin"),
        booster.num_boosted_rounds(),
    )


def _fit_lightgbm(part: Part, parameters: Parameters, setting: Setting, validation: Part | None) -> Fitted:
    own = {key: value for key, value in parameters.items() if key != ROUNDS}
    settings = {
        "objective": "binary",
        "metric": "binary_logloss",
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
        "seed": setting.seed,
        "monotone_constraints": list(setting.directions),
        "bagging_freq": 1,
        **own,
    }
    data = lgb.Dataset(part.matrix, part.labels, weight=part.weights, params=settings, free_raw_data=True)
    held = (
        []
        if validation is None
        else [data.create_valid(validation.matrix, validation.labels, weight=validation.weights)]
    )
    booster = lgb.train(
        settings,
        data,
        num_boost_round=parameters.get(ROUNDS, MAX_ROUNDS),
        valid_sets=held,
        callbacks=[lgb.early_stopping(PATIENCE_ROUNDS, verbose=False)] if held else None,
    )
    rounds = booster.best_iteration if held else booster.num_trees()
    return Trees(
        lambda: read_lightgbm(booster),
        lambda matrix: np.asarray(booster.predict(matrix, raw_score=True, num_iteration=rounds)),
        rounds,
    )


def _float32(values: npt.NDArray[np.floating]) -> Matrix:
    return np.ascontiguousarray(values, dtype=np.float32)


FAMILIES: Final = (
    Family(
        "logistic_regression",
        "logistic regression",
        raw_is_probability=False,
        trials_share=1.0,
        suggest=lambda trial: {"C": trial.suggest_float("C", 1e-4, 3.0, log=True)},
        first={"C": 0.1},
        fit=_fit_logistic,
    ),
    Family(
        "random_forest",
        "random forest",
        raw_is_probability=True,
        trials_share=0.4,
        suggest=lambda trial: {
            "trees": 60,
            "leaf_share": trial.suggest_float("leaf_share", 0.001, 0.03, log=True),
            "max_features": trial.suggest_float("max_features", 0.2, 0.7),
            "max_depth": trial.suggest_int("max_depth", 5, 12),
        },
        first={"leaf_share": 0.005, "max_features": 0.4, "max_depth": 9},
        fit=_fit_forest,
    ),
    Family(
        "xgboost",
        "XGBoost",
        raw_is_probability=False,
        trials_share=1.0,
        suggest=lambda trial: {
            "max_depth": trial.suggest_int("max_depth", 2, 6),
            "learning_rate": trial.suggest_float("learning_rate", 0.04, 0.2, log=True),
            "min_child_weight": trial.suggest_float("min_child_weight", 3.0, 60.0, log=True),
            "reg_lambda": trial.suggest_float("reg_lambda", 0.5, 30.0, log=True),
            "subsample": trial.suggest_float("subsample", 0.6, 1.0),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.5, 1.0),
        },
        first={
            "max_depth": 4,
            "learning_rate": 0.08,
            "min_child_weight": 20.0,
            "reg_lambda": 1.0,
            "subsample": 0.8,
            "colsample_bytree": 0.8,
        },
        fit=_fit_xgboost,
    ),
    Family(
        "lightgbm",
        "LightGBM",
        raw_is_probability=False,
        trials_share=1.0,
        suggest=lambda trial: {
            "num_leaves": trial.suggest_int("num_leaves", 4, 40, log=True),
            "learning_rate": trial.suggest_float("learning_rate", 0.04, 0.2, log=True),
            "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 20, 300, log=True),
            "lambda_l2": trial.suggest_float("lambda_l2", 0.5, 30.0, log=True),
            "bagging_fraction": trial.suggest_float("bagging_fraction", 0.6, 1.0),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.5, 1.0),
        },
        first={
            "num_leaves": 12,
            "learning_rate": 0.08,
            "min_data_in_leaf": 60,
            "lambda_l2": 1.0,
            "bagging_fraction": 0.8,
            "feature_fraction": 0.8,
        },
        fit=_fit_lightgbm,
    ),
    Family(
        "mlp",
        "neural network",
        raw_is_probability=False,
        trials_share=0.4,
        suggest=lambda trial: {
            "width": trial.suggest_categorical("width", [16, 32, 64]),
            "depth": trial.suggest_int("depth", 1, 2),
            "alpha": trial.suggest_float("alpha", 1e-4, 3.0, log=True),
            "learning_rate": trial.suggest_float("learning_rate", 5e-4, 5e-3, log=True),
        },
        first={"width": 32, "depth": 1, "alpha": 0.1, "learning_rate": 2e-3},
        fit=_fit_mlp,
    ),
)

FAMILY_BY_NAME: Final = {family.name: family for family in FAMILIES}

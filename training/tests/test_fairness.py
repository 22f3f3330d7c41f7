"""Groups are reported with their size, gap and calibration; a feature left out takes what is derived along."""

from dataclasses import replace

import numpy as np
import pytest
from support import bare_configuration, family, problem, setting

from prescore_training.configuration import Configuration, Feature, Protected
from prescore_training.fairness import groups, neutral, price
from prescore_training.families import ROUNDS
from prescore_training.folds import grouped_folds


def configured(*protected: Protected, min_group: int = 50) -> Configuration:
    return replace(bare_configuration(), protected=protected, min_group=min_group)


def test_gap_and_calibration_of_a_group_are_found() -> None:
    rows = problem(4_000, seed=1)
    group = rows.matrix[:, 2] == 1
    probabilities = np.where(group, 0.9, 0.5)
    found = groups(configured(Protected("f2", ())), rows.matrix, rows.labels, probabilities, rows.applicants, seed=1)
    one = next(each for each in found if each.label == "b")
    assert one.rows == group.sum()
    assert one.gap == pytest.approx(rows.labels[group].mean() - rows.labels[~group].mean())
    assert one.gap_interval[0] < one.gap < one.gap_interval[1]
    assert one.calibration == pytest.approx(0.9 - rows.labels[group].mean())
    assert [each.label for each in found] == ["value -1", "a", "b", "c", "no answer"]


def test_bands_cut_a_quantity_and_small_groups_are_not_reported() -> None:
    rows = problem(1_000, seed=2, missing=0)
    protected = configured(Protected("f0", (-2.5, 0.0)), min_group=50)
    found = groups(protected, rows.matrix, rows.labels, np.full(1_000, 0.5), rows.applicants, seed=1)
    assert [each.label for each in found] == ["-2.5 to 0", "0 and over"]


def test_leaving_out_what_matters_has_a_price_and_what_does_not_has_none() -> None:
    rows = problem(2_000, seed=3, signal=1.5)
    folds = grouped_folds(rows.labels, rows.applicants, folds=5, rng=np.random.default_rng(1))
    one = family("xgboost")
    configuration = configured(Protected("f0", ()), Protected("f3", ()))
    costs = [
        price(configuration, protected, rows, folds, one, {**one.first, ROUNDS: 40}, setting())
        for protected in configuration.protected
    ]
    assert costs[0].log_loss > 4 * costs[0].error
    assert costs[0].auc > 0.05
    assert abs(costs[1].log_loss) < 4 * max(costs[1].error, 1e-9)


def test_derived_features_go_with_what_they_are_made_of() -> None:
    bare = bare_configuration()
    derived = (
        Feature("ratio", "derived", ("f0", "f1"), "ratio", ()),
        Feature("share", "derived", ("ratio", "f3"), "share", ()),
    )
    configuration = replace(bare, features=(*bare.features, *derived))
    assert configuration.made_of("f1") == {"f1", "ratio", "share"}
    assert configuration.made_of("f2") == {"f2"}
    matrix = np.ones((3, 6), np.float32)
    assert neutral(matrix, configuration.names, configuration.made_of("f1")).tolist() == [[1, 0, 1, 1, 0, 0]] * 3
    assert matrix.min() == 1

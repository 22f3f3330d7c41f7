"""Every family learns, keeps its directions, and is exported exactly, on missing, unseen and extreme values too."""

import json

import lightgbm as lgb
import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neural_network import MLPClassifier
from support import awkward, family, problem, setting

from prescore_training import metrics
from prescore_training.calibrate import Calibration, fit_calibration
from prescore_training.encode import learn_encoder
from prescore_training.errors import TrainingError
from prescore_training.export import MAX_DIFFERENCE, check_export, run_onnx, to_onnx
from prescore_training.families import FAMILIES, ROUNDS, uncalibrated
from prescore_training.fitted import Trees
from prescore_training.forest import Forest, Node, below
from prescore_training.forest_readers import read_lightgbm, read_xgboost

NAMES = [one.name for one in FAMILIES]
TREES = ("random_forest", "xgboost", "lightgbm")


def parameters(name: str) -> dict[str, object]:
    extra = {ROUNDS: 60} if name in ("xgboost", "lightgbm") else {"trees": 30} if name == "random_forest" else {}
    return {**family(name).first, **extra}


@pytest.mark.parametrize("name", NAMES)
def test_a_family_learns_what_there_is(name: str) -> None:
    learn, test = problem(3_000, seed=1, signal=1.5), problem(2_000, seed=2, signal=1.5)
    model = family(name).fit(learn.part, parameters(name), setting(), None)
    raw = model.raw(test.matrix)
    assert metrics.auc(test.labels, raw) > 0.72
    probabilities = uncalibrated(family(name), raw)
    assert np.all((probabilities > 0) & (probabilities < 1))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000), missing=st.sampled_from([0.0, 0.1, 0.6]), slope=st.floats(0, 3))
def test_the_export_is_the_trained_model(name: str, seed: int, missing: float, slope: float) -> None:
    learn = problem(400, seed=seed, missing=missing)
    model = family(name).fit(
        learn.part, {**parameters(name), **({ROUNDS: 15} if name in TREES[1:] else {})}, setting(), None
    )
    calibration = Calibration(float(np.float32(slope)), -0.25)
    rows = awkward(np.concatenate([learn.matrix, problem(600, seed=seed + 1).matrix]), seed=seed)
    if isinstance(model, Trees):
        forest = model.read()
        for column in range(4):
            thresholds = forest.thresholds(column)
            near = np.concatenate([thresholds, np.nextafter(thresholds, np.float32(-np.inf))])
            if (near := near[np.isfinite(near)]).size:
                rows[::3, column] = np.resize(near, rows[::3].shape[0])
    onnx = to_onnx(model, calibration, features=4, name="test")
    kind = "forest" if name in TREES else "network"
    check_export(onnx, rows, calibration.probability(model.raw(rows)), name="test", kind=kind)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_rows_and_seed_give_the_same_bytes(name: str) -> None:
    learn = problem(500, seed=5)
    exported = [
        to_onnx(
            family(name).fit(learn.part, parameters(name), setting(), None), Calibration(1, 0), features=4, name="x"
        )
        for _ in range(2)
    ]
    assert exported[0] == exported[1]


@pytest.mark.parametrize("name", TREES)
def test_trees_keep_the_direction_against_the_data(name: str) -> None:
    learn = problem(2_000, seed=6, signal=2.0)
    model = family(name).fit(learn.part, parameters(name), setting(-1, 0, 0, 0), None)
    rows = np.repeat(learn.matrix[:50], 30, axis=0)
    rows[:, 0] = np.tile(np.linspace(-3, 3, 30, dtype=np.float32), 50)
    assert np.all(np.diff(model.raw(rows).reshape(50, 30), axis=1) <= 1e-9)


@pytest.mark.parametrize("name", TREES)
def test_covers_of_a_split_are_those_of_its_children(name: str) -> None:
    learn = problem(1_500, seed=7)
    model = family(name).fit(learn.part, parameters(name), setting(), None)
    assert isinstance(model, Trees)
    for tree in model.read().trees:
        for node in tree:
            if not node.is_leaf:
                assert node.cover == pytest.approx(tree[node.yes].cover + tree[node.no].cover, rel=1e-3, abs=0.1)
                assert node.cover > 0


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_boosting_stops_early_where_it_is_watched(name: str) -> None:
    learn, held = problem(600, seed=8), problem(600, seed=9)
    model = family(name).fit(learn.part, family(name).first, setting(), held.part)
    assert model.rounds is not None
    assert 1 <= model.rounds < 600
    again = family(name).fit(learn.part, {**family(name).first, ROUNDS: model.rounds}, setting(), None)
    assert np.allclose(model.raw(held.matrix), again.raw(held.matrix))


def test_the_network_is_the_estimators_own() -> None:
    learn = problem(500, seed=10)
    encoder = learn_encoder(setting().configuration, learn.matrix)
    encoded = encoder.encode(learn.matrix)
    model = family("mlp").fit(learn.part, {**family("mlp").first, "depth": 2, "width": 16}, setting(), None)
    own = MLPClassifier(
        (16, 16),
        alpha=0.1,
        learning_rate_init=2e-3,
        batch_size=250,
        early_stopping=True,
        validation_fraction=0.15,
        n_iter_no_change=4,
        max_iter=150,
        random_state=3,
    )
    own.fit(encoded, learn.labels)
    expected = own.predict_proba(encoded)[:, 1]
    assert 1 / (1 + np.exp(-model.raw(learn.matrix))) == pytest.approx(expected, abs=1e-5)


@given(st.floats(allow_nan=False, width=64), st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_below_turns_at_most_into_less_than(threshold: float, value: float) -> None:
    assert (np.float32(value) < np.float32(below(threshold))) == (value <= threshold)


def test_a_forest_without_trees_gives_its_base() -> None:
    model = Trees(lambda: Forest(()).with_base(0.5), lambda matrix: np.full(matrix.shape[0], 0.5))
    onnx = to_onnx(model, Calibration(1.0, 0.0), features=4, name="empty")
    assert run_onnx(onnx, np.zeros((2, 4), np.float32)).tolist() == pytest.approx([1 / (1 + np.exp(-0.5))] * 2)


def test_an_export_that_differs_is_refused() -> None:
    model = Trees(lambda: Forest(((Node(1.0, 0.0),),)), lambda matrix: np.zeros(matrix.shape[0]))
    onnx = to_onnx(model, Calibration(1.0, 0.0), features=4, name="wrong")
    rows = np.zeros((2, 4), np.float32)
    with pytest.raises(TrainingError, match=f"within {MAX_DIFFERENCE['forest']}"):
        check_export(onnx, rows, np.array([0.5, 0.50001]), name="wrong", kind="forest")
    with pytest.raises(TrainingError, match="row 1 of 2"):
        check_export(onnx, rows, np.array([0.5, np.nan]), name="wrong", kind="network")


def test_what_cannot_be_exported_is_refused() -> None:
    class Strange:
        rounds = None

        def raw(self, matrix: np.ndarray) -> np.ndarray:
            return matrix[:, 0].astype(np.float64)

    with pytest.raises(TrainingError, match="must be trees or a network: current value is Strange"):
        to_onnx(Strange(), Calibration(1.0, 0.0), features=4, name="strange")


def test_other_objectives_and_splits_are_refused() -> None:
    learn = problem(200, seed=11)
    data = xgb.DMatrix(learn.matrix, learn.labels)
    with pytest.raises(TrainingError, match=r"binary:logistic: current value is reg:squarederror"):
        read_xgboost(xgb.train({"objective": "reg:squarederror"}, data, 1))
    with pytest.raises(TrainingError, match="gbtree"):
        read_xgboost(xgb.train({"objective": "binary:logistic", "booster": "dart"}, data, 1))
    codes = np.tile(np.arange(8), 50).reshape(-1, 1)
    booster = lgb.train(
        {"objective": "binary", "verbosity": -1, "min_data_in_leaf": 1, "min_data_per_group": 1, "cat_smooth": 0},
        lgb.Dataset(codes, (codes[:, 0] % 2 == 0).astype(int), categorical_feature=[0]),
        1,
    )
    assert "==" in json.dumps(booster.dump_model())
    with pytest.raises(TrainingError, match="its splits must be '<='"):
        read_lightgbm(booster)


def test_calibrated_probabilities_of_every_family_mean_what_they_say() -> None:
    learn, test = problem(4_000, seed=12), problem(6_000, seed=13)
    for one in FAMILIES:
        model = one.fit(learn.part, parameters(one.name), setting(), None)
        held = problem(4_000, seed=14)
        calibration = fit_calibration(model.raw(held.matrix), held.labels)
        probabilities = calibration.probability(model.raw(test.matrix))
        assert metrics.expected_calibration_error(test.labels, probabilities) < 0.035, one.name

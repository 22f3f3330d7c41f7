"""The exported ONNX is XGBoost's forest, whatever forest that is."""

import numpy as np
import onnx
import pytest
import xgboost as xgb
from hypothesis import given, settings
from hypothesis import strategies as st
from support import train_small

from prescore_training.errors import TrainingError
from prescore_training.export import MAX_DIFFERENCE, check_export, run_onnx, to_onnx
from prescore_training.forest import Forest, read_forest
from prescore_training.train import predict

FEATURES = 4


def random_matrix(rng: np.random.Generator, rows: int) -> np.ndarray:
    matrix = rng.integers(-2, 6, (rows, FEATURES)).astype(np.float32) / np.float32(3)
    matrix[rng.random(matrix.shape) < 0.25] = np.nan
    return matrix


def attributes(model: bytes) -> dict[str, object]:
    node = onnx.load_from_string(model).graph.node[0]
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def assert_exported(booster: xgb.Booster, matrix: np.ndarray) -> bytes:
    model = to_onnx(read_forest(booster), features=FEATURES, name="test")
    check_export(model, matrix, predict(booster, matrix), name="test")
    return model


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31 - 1),
    rounds=st.integers(1, 12),
    depth=st.integers(1, 6),
    gamma=st.sampled_from([0.0, 0.5, 5.0]),
    balance=st.floats(0.02, 0.98),
)
def test_export_equals_xgboost(seed: int, rounds: int, depth: int, gamma: float, balance: float) -> None:
    rng = np.random.default_rng(seed)
    matrix = random_matrix(rng, 200)
    labels = (rng.random(200) < balance).astype(np.int8)
    labels[:2] = 0, 1
    booster = train_small(matrix, labels, rounds=rounds, max_depth=depth, gamma=gamma, seed=seed)
    forest = read_forest(booster)
    on_thresholds = random_matrix(rng, 400)
    for feature in range(FEATURES):
        thresholds = forest.thresholds(feature)
        if thresholds.size:
            on_thresholds[::2, feature] = rng.choice(thresholds, 200)
    assert_exported(booster, np.concatenate([matrix, on_thresholds]))


def test_trees_of_a_single_leaf_are_exported() -> None:
    matrix = random_matrix(np.random.default_rng(1), 50)
    labels = np.arange(50, dtype=np.int8) % 3 == 0
    booster = train_small(matrix, labels.astype(np.int8), rounds=3, gamma=1e9)
    assert all(len(tree) == 1 for tree in read_forest(booster).trees)
    assert_exported(booster, matrix)


def test_constant_inputs_are_exported() -> None:
    matrix = np.full((40, FEATURES), np.nan, np.float32)
    booster = train_small(matrix, np.arange(40, dtype=np.int8) % 2, rounds=2)
    assert_exported(booster, matrix)


def test_forest_without_trees_gives_the_base_probability() -> None:
    model = to_onnx(Forest(base_margin=0.0, trees=()), features=FEATURES, name="empty")
    assert run_onnx(model, np.zeros((3, FEATURES), np.float32)).tolist() == [0.5] * 3


def test_base_score_is_folded_into_the_leaves() -> None:
    matrix = random_matrix(np.random.default_rng(2), 100)
    booster = train_small(matrix, np.arange(100, dtype=np.int8) % 2, rounds=2, base_score=0.9)
    assert "base_values" not in attributes(assert_exported(booster, matrix))


def test_graph_carries_what_the_runtimes_need() -> None:
    rng = np.random.default_rng(3)
    matrix = random_matrix(rng, 300)
    booster = train_small(matrix, rng.integers(0, 2, 300).astype(np.int8), rounds=2, max_depth=3)
    model = assert_exported(booster, matrix)
    graph = onnx.load_from_string(model).graph
    assert [node.op_type for node in graph.node] == ["TreeEnsembleRegressor", "Sigmoid"]
    assert [value.name for value in graph.input] == ["features"]
    shape = graph.output[0].type.tensor_type.shape.dim
    assert [shape[0].dim_param, shape[1].dim_value] == ["N", 1]
    found = attributes(model)
    assert set(found["nodes_modes"]) == {b"BRANCH_LT", b"LEAF"}  # type: ignore[call-overload]
    assert 1 in found["nodes_missing_value_tracks_true"]  # type: ignore[operator]


def test_cover_of_a_split_is_the_sum_of_its_children() -> None:
    rng = np.random.default_rng(4)
    matrix = random_matrix(rng, 500)
    booster = train_small(matrix, rng.integers(0, 2, 500).astype(np.int8), rounds=3, max_depth=4)
    for tree in read_forest(booster).trees:
        for node in tree:
            if not node.is_leaf:
                assert node.cover == pytest.approx(tree[node.yes].cover + tree[node.no].cover, rel=1e-4)


def test_same_forest_same_bytes() -> None:
    matrix = random_matrix(np.random.default_rng(5), 100)
    labels = np.arange(100, dtype=np.int8) % 2
    one, two = (
        to_onnx(read_forest(train_small(matrix, labels, rounds=3)), features=FEATURES, name="same")
        for _ in range(2)
    )
    assert one == two


def test_difference_from_xgboost_is_refused() -> None:
    model = to_onnx(Forest(0.0, ()), features=FEATURES, name="wrong")
    rows = np.zeros((2, FEATURES), np.float32)
    with pytest.raises(TrainingError, match=f"within {MAX_DIFFERENCE}"):
        check_export(model, rows, np.array([0.5, 0.50001], np.float32), name="wrong")
    with pytest.raises(TrainingError, match="row 1 of 2"):
        check_export(model, rows, np.array([0.5, np.nan], np.float32), name="wrong")


def test_other_objectives_and_boosters_are_refused() -> None:
    matrix, labels = np.eye(FEATURES, dtype=np.float32), np.arange(FEATURES, dtype=np.int8) % 2
    with pytest.raises(TrainingError, match=r"binary:logistic: current value is reg:squarederror"):
        read_forest(train_small(matrix, labels, rounds=1, objective="reg:squarederror"))
    with pytest.raises(TrainingError, match="gbtree"):
        read_forest(train_small(matrix, labels, rounds=1, booster="dart"))

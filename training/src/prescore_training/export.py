"""A forest as ONNX: `features` float32 [N, F] -> `approval_probability` float32 [N, 1].

One TreeEnsembleRegressor gives the log odds, one Sigmoid the probability. The base margin is folded into the
first tree's leaves, because readers disagree on `base_values`. `nodes_hitrates` carries each node's cover
(sum of the Hessian), from which exact TreeSHAP follows. The bytes depend on the forest alone.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from .errors import TrainingError
from .forest import Forest, Node

INPUT: Final = "features"
OUTPUT: Final = "approval_probability"
MAX_DIFFERENCE: Final = 1e-6
"""Largest difference of probabilities between XGBoost and the export: a few float32 roundings."""

# The oldest versions that hold these operators, for the widest choice of runtimes.
IR_VERSION: Final = 8
OPSET: Final = 13
ML_OPSET: Final = 3


def to_onnx(forest: Forest, *, features: int, name: str) -> bytes:
    """Return the forest as a serialised ONNX model over `features` inputs; `name` names its graph."""
    trees = _with_base(forest)
    nodes = [(tree, index, node) for tree, ns in enumerate(trees) for index, node in enumerate(ns)]
    leaves = [(tree, index, node) for tree, index, node in nodes if node.is_leaf]
    ensemble = helper.make_node(
        "TreeEnsembleRegressor",
        [INPUT],
        ["log_odds"],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function="SUM",
        post_transform="NONE",
        nodes_treeids=[tree for tree, _, _ in nodes],
        nodes_nodeids=[index for _, index, _ in nodes],
        nodes_modes=["LEAF" if node.is_leaf else "BRANCH_LT" for _, _, node in nodes],
        nodes_featureids=[node.feature for _, _, node in nodes],
        nodes_values=[0.0 if node.is_leaf else node.value for _, _, node in nodes],
        nodes_truenodeids=[max(node.yes, 0) for _, _, node in nodes],
        nodes_falsenodeids=[max(node.no, 0) for _, _, node in nodes],
        nodes_missing_value_tracks_true=[int(node.missing_is_yes) for _, _, node in nodes],
        nodes_hitrates=[node.cover for _, _, node in nodes],
        target_treeids=[tree for tree, _, _ in leaves],
        target_nodeids=[index for _, index, _ in leaves],
        target_ids=[0] * len(leaves),
        target_weights=[node.value for _, _, node in leaves],
    )
    graph = helper.make_graph(
        [ensemble, helper.make_node("Sigmoid", ["log_odds"], [OUTPUT])],
        name,
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", features])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", 1])],
    )
    model = helper.make_model(
        graph,
        producer_name="prescore-training",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)],
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def run_onnx(model: bytes, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return ONNX Runtime's probabilities, [rows], of a matrix [rows, features]."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (probabilities,) = session.run([OUTPUT], {INPUT: matrix})
    return np.asarray(probabilities, np.float32)[:, 0]


def check_export(
    model: bytes, matrix: npt.NDArray[np.float32], expected: npt.NDArray[np.float32], *, name: str
) -> float:
    """Return the largest difference between the exported model and `expected`, [rows].

    Raises:
        TrainingError: it exceeds MAX_DIFFERENCE.
    """
    differences = np.abs(run_onnx(model, matrix).astype(np.float64) - expected)
    worst = int(np.argmax(differences))
    if not differences[worst] <= MAX_DIFFERENCE:
        raise TrainingError(
            f"Cannot export {name} as its probabilities must be within {MAX_DIFFERENCE} of XGBoost's: "
            f"current difference is {differences[worst]:.3g} at row {worst} of {matrix.shape[0]}"
        )
    return float(differences[worst])


def _with_base(forest: Forest) -> tuple[tuple[Node, ...], ...]:
    """Fold the base margin into the first tree; a forest without trees becomes one leaf."""
    base = forest.base_margin
    if not forest.trees:
        return ((Node(cover=0.0, value=base),),)
    first = tuple(Node(node.cover, node.value + base) if node.is_leaf else node for node in forest.trees[0])
    return (first, *forest.trees[1:])

"""A model with its calibration as ONNX: `features` float32 [N, F] -> `approval_probability` float32 [N, 1].

A forest is one TreeEnsembleRegressor, whose `nodes_hitrates` carry each node's cover (for exact TreeSHAP); a linear
model or network is its encoding and layers in plain operators. Then, for all: Mul, Add, Sigmoid, which are the
calibration. A base margin is folded into the first tree's leaves, because readers disagree on `base_values`. The
bytes depend on the model alone.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
from onnx import NodeProto, TensorProto, helper, numpy_helper

from .calibrate import Calibration
from .dataset import Matrix
from .errors import TrainingError
from .fitted import Fitted, Network, Trees
from .forest import Forest

INPUT: Final = "features"
OUTPUT: Final = "approval_probability"
RAW: Final = "raw_score"
MAX_DIFFERENCE: Final = {"forest": 1e-6, "network": 1e-5}
"""Largest difference of probabilities between the trained model and its export: float32 roundings."""

# The oldest versions that hold these operators, for the widest choice of runtimes.
IR_VERSION: Final = 8
OPSET: Final = 13
ML_OPSET: Final = 3


def to_onnx(model: Fitted, calibration: Calibration, *, features: int, name: str) -> bytes:
    """Return the model as serialised ONNX over `features` inputs; `name` names its graph.

    Raises:
        TrainingError: the model is of no kind that can be exported.
    """
    constants: list[Any] = []
    if isinstance(model, Trees):
        nodes = [_ensemble(model.read())]
    elif isinstance(model, Network):
        nodes, constants = _network(model)
    else:
        raise TrainingError(
            f"Cannot export {name} as it must be trees or a network: current value is {type(model).__name__}"
        )
    return _serialise(nodes, constants, calibration, features=features, name=name)


def _ensemble(forest: Forest) -> NodeProto:
    nodes = [(tree, index, node) for tree, ns in enumerate(forest.trees) for index, node in enumerate(ns)]
    leaves = [(tree, index, node) for tree, index, node in nodes if node.is_leaf]
    return helper.make_node(
        "TreeEnsembleRegressor",
        [INPUT],
        [RAW],
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


def _network(model: Network) -> tuple[list[NodeProto], list[Any]]:
    nodes, constants = model.encoder.graph(INPUT, "encoded")
    source = "encoded"
    for at, (weights, bias) in enumerate(model.layers):
        last = at + 1 == len(model.layers)
        target = RAW if last else f"sums_{at}"
        constants += [
            numpy_helper.from_array(weights, f"weights_{at}"),
            numpy_helper.from_array(bias, f"bias_{at}"),
        ]
        nodes.append(helper.make_node("Gemm", [source, f"weights_{at}", f"bias_{at}"], [target]))
        if not last:
            source = f"active_{at}"
            nodes.append(helper.make_node("Relu", [target], [source]))
    return nodes, constants


def _serialise(
    nodes: list[NodeProto], constants: list[Any], calibration: Calibration, *, features: int, name: str
) -> bytes:
    link = [
        helper.make_node("Mul", [RAW, "slope"], ["sloped"]),
        helper.make_node("Add", ["sloped", "shift"], ["log_odds"]),
        helper.make_node("Sigmoid", ["log_odds"], [OUTPUT]),
    ]
    constants = [
        *constants,
        numpy_helper.from_array(np.array([calibration.slope], np.float32), "slope"),
        numpy_helper.from_array(np.array([calibration.shift], np.float32), "shift"),
    ]
    graph = helper.make_graph(
        [*nodes, *link],
        name,
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", features])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", 1])],
        initializer=constants,
    )
    model = helper.make_model(
        graph,
        producer_name="prescore-training",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)],
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def run_onnx(model: bytes, matrix: Matrix) -> npt.NDArray[np.float32]:
    """Return ONNX Runtime's probabilities, [rows], of a matrix [rows, features]."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (probabilities,) = session.run([OUTPUT], {INPUT: matrix})
    return np.asarray(probabilities, np.float32)[:, 0]


def check_export(model: bytes, matrix: Matrix, expected: npt.NDArray[np.float64], *, name: str, kind: str) -> float:
    """Return the largest difference between the exported model and `expected`, [rows].

    Raises:
        TrainingError: it exceeds MAX_DIFFERENCE of the kind, forest or network.
    """
    differences = np.abs(run_onnx(model, matrix).astype(np.float64) - expected)
    worst = int(np.argmax(differences))
    if not differences[worst] <= MAX_DIFFERENCE[kind]:
        raise TrainingError(
            f"Cannot export {name} as its probabilities must be within {MAX_DIFFERENCE[kind]} of the trained "
            f"model's: current difference is {differences[worst]:.3g} at row {worst} of {matrix.shape[0]}"
        )
    return float(differences[worst])

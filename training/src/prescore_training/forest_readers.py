"""The trees inside XGBoost, LightGBM and scikit-learn models, read out as a `Forest`.

Why their own dumps: XGBoost's JSON and LightGBM's are documented and exact, and carry the covers that exact
TreeSHAP needs; scikit-learn's arrays are its public interface.

Known limit: numeric splits, one output; anything else is refused.
"""

import json
from typing import Any

import lightgbm as lgb
import numpy as np
import xgboost as xgb
from sklearn.ensemble import RandomForestClassifier

from .errors import TrainingError
from .forest import Forest, Node, below

LIGHTGBM_ZERO = float(np.float32(1e-35))
"""LightGBM takes a value of at most this size for 0."""


def read_xgboost(booster: xgb.Booster) -> Forest:
    """Return the trees, whose sum is the log odds; the base margin is in the first.

    Raises:
        TrainingError: the booster is not a forest of numeric splits with one logistic output.
    """
    learner: dict[str, Any] = json.loads(booster.save_raw("json"))["learner"]
    for what, found, wanted in (
        ("objective", learner["objective"]["name"], "binary:logistic"),
        ("booster", learner["gradient_booster"]["name"], "gbtree"),
    ):
        if found != wanted:
            raise TrainingError(f"Cannot export the model as its {what} must be {wanted}: current value is {found}")
    # One number, written as "[5E-1]" since XGBoost 3.1 and as "5E-1" before.
    base = float(learner["learner_model_param"]["base_score"].strip("[]"))
    trees = learner["gradient_booster"]["model"]["trees"]
    return Forest(tuple(_xgboost_tree(tree) for tree in trees)).with_base(float(np.log(base / (1 - base))))


def _xgboost_tree(tree: dict[str, Any]) -> tuple[Node, ...]:
    """Return the nodes in the order of a walk from the root, which leaves out pruned ones."""
    if any(tree["split_type"]):
        raise TrainingError("Cannot export the model as its splits must be numeric: one is categorical")
    order: list[int] = []
    pending = [0]
    while pending:
        at = pending.pop()
        order.append(at)
        if tree["left_children"][at] >= 0:
            pending += [tree["right_children"][at], tree["left_children"][at]]
    number = {at: index for index, at in enumerate(order)}

    def node(at: int) -> Node:
        cover, value = float(tree["sum_hessian"][at]), float(tree["split_conditions"][at])
        if tree["left_children"][at] < 0:
            return Node(cover, value)
        return Node(
            cover,
            value,
            feature=int(tree["split_indices"][at]),
            yes=number[tree["left_children"][at]],
            no=number[tree["right_children"][at]],
            missing_is_yes=bool(tree["default_left"][at]),
        )

    return tuple(node(at) for at in order)


def read_lightgbm(booster: lgb.Booster) -> Forest:
    """Return the trees, whose sum is the log odds.

    Raises:
        TrainingError: a split is not numeric.
    """
    dump = booster.dump_model(num_iteration=booster.num_trees())
    return Forest(tuple(_lightgbm_tree(tree["tree_structure"]) for tree in dump["tree_info"]))


def _lightgbm_tree(root: dict[str, Any]) -> tuple[Node, ...]:
    nodes: list[Node | None] = []

    def add(item: dict[str, Any]) -> int:
        index = len(nodes)
        nodes.append(None)
        if "leaf_value" in item:
            cover = float(item.get("leaf_weight", 0.0))
            nodes[index] = Node(cover, float(item["leaf_value"]))
            return index
        if item["decision_type"] != "<=":
            raise TrainingError(f"Cannot export the model as its splits must be '<=': one is {item['decision_type']!r}")
        threshold = float(item["threshold"])
        # A feature that was never missing in training: LightGBM then reads a missing value as 0.
        missing_is_yes = item["default_left"] if item["missing_type"] == "NaN" else threshold >= 0
        yes, no = add(item["left_child"]), add(item["right_child"])
        cover = float(item["internal_weight"])
        nodes[index] = Node(
            cover, _lightgbm_bound(threshold), int(item["split_feature"]), yes, no, bool(missing_is_yes)
        )
        return index

    add(root)
    return tuple(node for node in nodes if node is not None)


def _lightgbm_bound(threshold: float) -> float:
    """Return the bound of `x < bound` that is LightGBM's `x <= threshold`, with its idea of 0."""
    if -LIGHTGBM_ZERO <= threshold < 0:
        return -LIGHTGBM_ZERO
    return below(LIGHTGBM_ZERO if 0 <= threshold < LIGHTGBM_ZERO else threshold)


def read_random_forest(model: RandomForestClassifier) -> Forest:
    """Return the trees, whose sum is the mean share of approvals in the leaves."""
    count = len(model.estimators_)
    return Forest(tuple(_sklearn_tree(estimator.tree_, count) for estimator in model.estimators_))


def _sklearn_tree(tree: Any, count: int) -> tuple[Node, ...]:  # noqa: ANN401 - Cython, without a type
    nodes = []
    for at in range(tree.node_count):
        cover = float(tree.weighted_n_node_samples[at])
        if tree.children_left[at] < 0:
            shares = tree.value[at, 0]
            nodes.append(Node(cover, float(shares[1] / shares.sum() / count)))
            continue
        nodes.append(
            Node(
                cover,
                below(float(tree.threshold[at])),
                int(tree.feature[at]),
                int(tree.children_left[at]),
                int(tree.children_right[at]),
                bool(tree.missing_go_to_left[at]),
            )
        )
    return tuple(nodes)

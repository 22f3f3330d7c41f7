"""XGBoost's JSON model as plain trees.

Why the JSON: it is XGBoost's documented, exact and stable format, with the covers that exact TreeSHAP needs.
Thresholds, leaves and covers are float32 there, written so that they read back exactly.

Known limit: numeric splits of one `binary:logistic` output; anything else is refused.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from .errors import TrainingError


@dataclass(frozen=True)
class Node:
    """A node of a tree; a leaf has no children."""

    cover: float
    """Sum of the Hessian over the training rows that passed here."""
    value: float
    """Threshold of a split (`feature < value` goes to `yes`), or a leaf's margin in log odds."""
    feature: int = 0
    yes: int = -1
    no: int = -1
    missing_is_yes: bool = False

    @property
    def is_leaf(self) -> bool:
        """Whether the node ends the path."""
        return self.yes < 0


@dataclass(frozen=True)
class Forest:
    """Trees whose leaves, added to `base_margin`, give the log odds of approval."""

    base_margin: float
    trees: tuple[tuple[Node, ...], ...]
    """Each with its root first; children are indices into the same tuple."""

    def thresholds(self, feature: int) -> npt.NDArray[np.float32]:
        """Return the sorted distinct thresholds at which the feature is split."""
        found = {n.value for t in self.trees for n in t if not n.is_leaf and n.feature == feature}
        return np.array(sorted(found), dtype=np.float32)


def read_forest(booster: xgb.Booster) -> Forest:
    """Read the trees out of a trained booster.

    Raises:
        TrainingError: the booster is not a forest of numeric splits with one logistic output.
    """
    learner: dict[str, Any] = json.loads(booster.save_raw("json"))["learner"]
    objective = learner["objective"]["name"]
    if objective != "binary:logistic":
        raise TrainingError(
            f"Cannot export the model as its objective must be binary:logistic: current value is {objective}"
        )
    if learner["gradient_booster"]["name"] != "gbtree":
        raise TrainingError(
            "Cannot export the model as its booster must be gbtree: current value is "
            f"{learner['gradient_booster']['name']}"
        )
    # One number, written as "[5E-1]" since XGBoost 3.1 and as "5E-1" before.
    base = float(learner["learner_model_param"]["base_score"].strip("[]"))
    trees = learner["gradient_booster"]["model"]["trees"]
    return Forest(float(np.log(base / (1 - base))), tuple(_read_tree(tree) for tree in trees))


def _read_tree(tree: dict[str, Any]) -> tuple[Node, ...]:
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
    return tuple(_read_node(tree, at, number) for at in order)


def _read_node(tree: dict[str, Any], at: int, number: dict[int, int]) -> Node:
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

"""What truly drives a simulated lender's points for a client: exact Shapley values of the answers.

The players are the questionnaire's fields; the value of a set of them is the mean of the lender's own points over
reference clients who take the client's answers to the fields of the set, with derived features computed anew (the
interventional value of S. Lundberg and S.-I. Lee, 2017). Points of fields that do not interact add up: each group
of GROUPS is a game of its own, and `shapley_of_fields` proves that the groups are right.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from math import factorial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from prescore_training.configuration import Configuration
from prescore_training.policies import Applications, Lender
from prescore_training.project import Project

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]

GROUPS: Final[Mapping[str, Sequence[Sequence[str]]]] = {
    "bank_a": [["loan_amount", "loan_term", "monthprofit", "monthexpense"]],
    "bank_b": [["birthdate"], ["jobstartdate"], ["employment_status"], ["family_status"]],
    "bank_c": [["goods_category"], ["merch_code"], ["loan_amount"]],
    "bank_d": [
        ["snils"],
        ["value"],
        ["education"],
        ["birthdate", "employment_status", "monthprofit", "monthexpense", "family_status", "position"],
    ],
    "bank_e": [["loan_amount", "monthprofit"], ["loan_term"]],
}
"""The fields that each policy goes by, those that interact together."""


class Derivation:
    """Computes the derived columns anew, as `scoring/features.ts` does; checked against what that gave."""

    def __init__(self, project: Project, configuration: Configuration, matrix: Matrix) -> None:
        """Read the operations, and prove on `matrix` that they give its own columns."""
        document: dict[str, Any] = json.loads((project.configs / "questionnaire.json").read_text(encoding="utf-8"))
        self._operations = [
            (
                configuration.names.index(one["feature"]),
                one["operation"],
                [configuration.names.index(n) for n in one["of"]],
            )
            for one in document["derived"]
        ]
        again = matrix.copy()
        self.apply(again)
        if not np.allclose(again, matrix, rtol=1e-6, atol=0, equal_nan=True):
            raise AssertionError("Cannot derive features: they must be those of deno task features, and differ")

    def apply(self, matrix: Matrix) -> None:
        """Fill the derived columns of [rows, features]."""
        for column, operation, (one, two) in self._operations:
            a, b = matrix[:, one].astype(np.float64), matrix[:, two].astype(np.float64)
            if operation == "difference":
                matrix[:, column] = a - b
            else:
                with np.errstate(divide="ignore", invalid="ignore"):
                    matrix[:, column] = np.where(b > 0, a / b, np.nan)


def shapley_of_fields(
    lender: Lender, clients: Applications, reference: Applications, derivation: Derivation, configuration: Configuration
) -> dict[str, Floats]:
    """Return each field's Shapley value in points, [clients].

    Raises:
        AssertionError: the values do not add up to what sets the client's points apart from the reference's mean.
    """
    column_of = {feature.of[0]: at for at, feature in enumerate(configuration.features) if feature.kind != "derived"}
    values: dict[str, Floats] = {}
    for group in GROUPS[lender.bank]:
        worth = {
            chosen: _mean_points(lender, clients, reference, [column_of[field] for field in chosen], derivation)
            for size in range(len(group) + 1)
            for chosen in combinations(group, size)
        }
        for field in group:
            values[field] = _shapley(worth, group, field)
    given = lender.policy(clients) - lender.policy(reference).mean()
    if not np.allclose(sum(values.values()), given, atol=1e-6):
        raise AssertionError(f"Cannot split the points of {lender.bank}: GROUPS must hold what interacts together")
    return values


def _shapley(worth: Mapping[tuple[str, ...], Floats], group: Sequence[str], field: str) -> Floats:
    players = len(group)
    total = np.zeros(worth[()].shape)
    for chosen, value in worth.items():
        if field not in chosen:
            larger = tuple(one for one in group if one in chosen or one == field)
            weight = factorial(len(chosen)) * factorial(players - len(chosen) - 1) / factorial(players)
            total += weight * (worth[larger] - value)
    return total


def _mean_points(
    lender: Lender, clients: Applications, reference: Applications, columns: Sequence[int], derivation: Derivation
) -> Floats:
    """Return the mean points over the reference of clients of whom only these columns are known, [clients]."""
    total = np.zeros(clients.matrix.shape[0])
    for row in reference.matrix:
        matrix = np.repeat(row[None, :], total.size, axis=0)
        matrix[:, columns] = clients.matrix[:, columns]
        derivation.apply(matrix)
        total += lender.policy(replace(clients, matrix=matrix))
    return np.asarray(total / reference.matrix.shape[0], np.float64)

"""What strategies are truly worth: the lenders' refusals hang together by the credit history that they all see.

Given the history lenders decide independently, so that the chance that a set of them refuses is the mean over the
histories of a product, computed by the quadrature of the policies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt
from prescore_training.policies import LENDERS, NODES, WEIGHTS, Applications

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Costs:
    """Of the planner, in units of the currency."""

    most_banks: int
    inquiry: float
    approval: float


class Refusals:
    """The chance that lenders refuse, by client and node of the history."""

    def __init__(self, applications: Applications) -> None:
        """Compute it for all lenders."""
        size = applications.matrix.shape[0]
        self._given = {
            lender.bank: np.column_stack(
                [1 - lender.full_probability(applications, np.full(size, node)) for node in NODES.tolist()]
            )
            for lender in LENDERS
        }
        self._weights = WEIGHTS / WEIGHTS.sum()
        self.clients = size

    def of_all(self, client: int | slice, banks: Sequence[str]) -> Floats:
        """Return the chance that all the banks refuse the client, or each of the clients."""
        together = np.ones_like(next(iter(self._given.values()))[client])
        for bank in banks:
            together = together * self._given[bank][client]
        return np.asarray(together @ self._weights)

    def value_in_turn(self, client: int | slice, banks: Sequence[str], costs: Costs) -> Floats:
        """Return the expected value of asking the banks one after the other until one approves."""
        refusals = [self.of_all(client, banks[:tried]) for tried in range(len(banks) + 1)]
        return np.asarray(costs.approval * (1 - refusals[-1]) - costs.inquiry * sum(refusals[:-1]))

    def value_at_once(self, client: int | slice, banks: Sequence[str], costs: Costs) -> Floats:
        """Return the expected value of asking all the banks at the same time."""
        return np.asarray(costs.approval * (1 - self.of_all(client, banks)) - costs.inquiry * len(banks))

    def best_values(self, costs: Costs) -> Floats:
        """Return the value of the best plan of somebody who knows the truth, [clients], by trying them all."""
        everyone = slice(None)
        best = np.zeros(self.clients)
        names = [lender.bank for lender in LENDERS]
        for size in range(1, costs.most_banks + 1):
            for order in permutations(names, size):
                best = np.maximum(best, self.value_in_turn(everyone, order, costs))
        return best

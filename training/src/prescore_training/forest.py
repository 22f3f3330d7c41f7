"""Trees of any library as plain nodes: a row goes to `yes` when `feature < value`, else to `no`.

Libraries whose rule is `feature <= threshold` with a double threshold are rewritten exactly: a float32 is at most
a double exactly when it is below the float32 that follows the largest one not above that double.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Node:
    """A node of a tree; a leaf has no children."""

    cover: float
    """Weight of the training rows that passed here: sum of the Hessian, or a count (random forest)."""
    value: float
    """Threshold of a split, or what a leaf adds."""
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
    """Trees whose leaves are added up; each has its root first, children are indices into the same tuple."""

    trees: tuple[tuple[Node, ...], ...]

    def thresholds(self, feature: int) -> npt.NDArray[np.float32]:
        """Return the sorted distinct thresholds at which the feature is split."""
        found = {n.value for t in self.trees for n in t if not n.is_leaf and n.feature == feature}
        return np.array(sorted(found), dtype=np.float32)

    def with_base(self, base: float) -> "Forest":
        """Return the forest with `base` in every leaf of the first tree; without trees it becomes one leaf."""
        if not self.trees:
            return Forest(((Node(cover=0.0, value=base),),))
        first = tuple(Node(n.cover, n.value + base) if n.is_leaf else n for n in self.trees[0])
        return Forest((first, *self.trees[1:]))


def below(threshold: float) -> float:
    """Return the float32 `t` for which `x < t` is `x <= threshold`, for every float32 `x`."""
    largest = float(np.finfo(np.float32).max)
    if abs(threshold) > largest:
        return float("inf") if threshold > 0 else -largest
    nearest = np.float32(threshold)
    if float(nearest) > threshold:
        return float(nearest)
    return float(np.nextafter(nearest, np.float32(np.inf)))

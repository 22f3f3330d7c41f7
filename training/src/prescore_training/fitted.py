"""A trained model, whatever made it: what it is trained on, and the raw score that it gives.

The raw score is the log odds of approval, or for a random forest the mean share of approvals.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .configuration import Configuration
from .dataset import Labels, Matrix, Weights
from .encode import Encoder
from .forest import Forest

Floats = npt.NDArray[np.float64]
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """Rows to learn from or to stop by."""

    matrix: Matrix
    labels: Labels
    weights: Weights | None = None
    """None: all rows weigh alike."""


@dataclass(frozen=True)
class Setting:
    """What a fit depends on besides rows and parameters."""

    configuration: Configuration
    directions: tuple[int, ...]
    """By feature: +1, -1 or 0."""
    seed: int


class Fitted(Protocol):
    """A trained model."""

    @property
    def rounds(self) -> int | None:
        """Trees that early stopping chose; none where nothing stops early."""
        ...

    def raw(self, matrix: Matrix) -> Floats:
        """Return the raw score of each row, [rows]."""
        ...


@dataclass(frozen=True)
class Trees:
    """A forest in its own library."""

    read: Callable[[], Forest]
    score: Callable[[Matrix], npt.NDArray[np.floating]]
    rounds: int | None = None

    def raw(self, matrix: Matrix) -> Floats:
        """Return the raw score of each row, [rows]."""
        return np.asarray(self.score(matrix), np.float64)


@dataclass(frozen=True)
class Network:
    """Layers on the encoded matrix; a logistic regression is one without a hidden layer."""

    encoder: Encoder
    layers: tuple[tuple[Matrix, Matrix], ...]
    """Weights [in, out] and bias [out], ReLU between them; the last gives the log odds."""
    rounds: int | None = None

    def raw(self, matrix: Matrix) -> Floats:
        """Return the log odds of each row, [rows], computed in float32 like the exported graph."""
        active = self.encoder.encode(matrix)
        for at, (weights, bias) in enumerate(self.layers):
            active = active @ weights + bias
            if at + 1 < len(self.layers):
                active = np.maximum(active, 0)
        return np.asarray(active[:, 0], np.float64)

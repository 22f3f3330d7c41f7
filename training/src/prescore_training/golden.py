"""Golden rows: inputs on which every implementation of a model must give what the trained model gives.

They are meant to be awkward rather than likely: answers missing where they rarely are, unknown categories and ones
never seen, values exactly on a split's threshold and just beside it, numbers beyond any plausible range. Derived
features are not recomputed, so that a row need not be a possible application.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from .configuration import CATEGORICAL, Configuration
from .dataset import Matrix
from .forest import Forest

ROWS: Final = 1_000
"""Written into a version; exports are checked on CHECKED_ROWS."""
CHECKED_ROWS: Final = 10_000
MISSING_SHARE: Final = 0.12
"""Share of cells made missing, on top of those that are: about 15 % in all."""
THRESHOLD_SHARE: Final = 0.15
"""Share of cells put on, just below or just above a threshold of their feature."""
UNKNOWN_SHARE: Final = 0.03
"""Share of cells of categories and codes made unknown (-1) or never seen."""
UNSEEN: Final = (-1.0, 987_654.0)
EXTREME_SHARE: Final = 0.02
EXTREMES: Final = (0.0, -1.0, 1e-30, -1e8, 1e8, float(np.finfo(np.float32).max))


def golden_rows(
    configuration: Configuration, matrix: Matrix, forests: Sequence[Forest], *, rows: int, seed: int
) -> Matrix:
    """Return [rows, features], made from rows of the matrix drawn with repetition."""
    rng = np.random.default_rng([seed, ROWS])
    made = matrix[rng.integers(matrix.shape[0], size=rows)]
    for column, feature in enumerate(configuration.features):
        thresholds = np.concatenate([np.empty(0, np.float32), *(f.thresholds(column) for f in forests)])
        if thresholds.size:
            _replace(made, column, _around(thresholds), THRESHOLD_SHARE, rng)
        if feature.kind in CATEGORICAL or feature.kind == "code":
            _replace(made, column, np.array(UNSEEN, np.float32), UNKNOWN_SHARE, rng)
        _replace(made, column, np.array(EXTREMES, np.float32), EXTREME_SHARE, rng)
        _replace(made, column, np.array([np.nan], np.float32), MISSING_SHARE, rng)
    return made


def golden_json(names: Sequence[str], rows: Matrix, probabilities: Mapping[str, npt.NDArray[np.float64]]) -> bytes:
    """Return golden.json: `features`, `rows` (null is missing) and `probabilities` of each model.

    Every cell is a float32 written so that reading it as a double gives it exactly; probabilities are doubles.
    """
    lines = [json.dumps([None if np.isnan(value) else float(value) for value in row]) for row in rows]
    banks = [
        f"  {json.dumps(bank)}: {json.dumps([round(float(p), 12) for p in values])}"
        for bank, values in probabilities.items()
    ]
    return (
        f'{{"features": {json.dumps(list(names))},\n"rows": [\n'
        + ",\n".join(lines)
        + '\n],\n"probabilities": {\n'
        + ",\n".join(banks)
        + "\n}}\n"
    ).encode()


def _around(thresholds: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return each threshold, twice as often as each of its two neighbours in float32."""
    infinity = np.float32(np.inf)
    finite = thresholds[np.isfinite(thresholds)]
    return np.concatenate([finite, finite, np.nextafter(finite, -infinity), np.nextafter(finite, infinity)])


def _replace(
    rows: Matrix, column: int, values: npt.NDArray[np.float32], share: float, rng: np.random.Generator
) -> None:
    chosen = rng.random(rows.shape[0]) < share
    rows[chosen, column] = rng.choice(values, size=int(np.sum(chosen)))

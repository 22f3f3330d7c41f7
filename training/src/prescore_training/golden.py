"""Golden rows: inputs on which every implementation of a model must give what ONNX Runtime gave.

They are meant to be awkward rather than likely: answers missing where they rarely are, unknown categories,
values exactly on a split's threshold and just beside it, numbers beyond any plausible range. Derived features
are not recomputed, so that a row need not be a possible application.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from .forest import Forest
from .policies import Applications

ROWS: Final = 1_000
MISSING_SHARE: Final = 0.12
"""Share of cells made missing, on top of those that are: about 15 % in all."""
THRESHOLD_SHARE: Final = 0.15
"""Share of cells put on, just below or just above a threshold of their feature."""
UNKNOWN_SHARE: Final = 0.03
"""Share of cells of categories made unknown (-1)."""
EXTREME_SHARE: Final = 0.02
EXTREMES: Final = (0.0, -1.0, 1e-30, -1e8, 1e8, float(np.finfo(np.float32).max))


def golden_rows(
    applications: Applications, forests: Sequence[Forest], *, seed: int
) -> npt.NDArray[np.float32]:
    """Return [min(ROWS, applications), features], made from the first applications."""
    rng = np.random.default_rng([seed, ROWS])
    rows = applications.matrix[:ROWS].copy()
    for column, name in enumerate(applications.names):
        thresholds = np.concatenate([forest.thresholds(column) for forest in forests])
        if thresholds.size:
            _replace(rows, column, _around(thresholds), THRESHOLD_SHARE, rng)
        if name in applications.questionnaire.codes:
            _replace(rows, column, np.array([-1], np.float32), UNKNOWN_SHARE, rng)
        _replace(rows, column, np.array(EXTREMES, np.float32), EXTREME_SHARE, rng)
        _replace(rows, column, np.array([np.nan], np.float32), MISSING_SHARE, rng)
    return rows


def golden_json(
    names: Sequence[str],
    rows: npt.NDArray[np.float32],
    probabilities: Mapping[str, npt.NDArray[np.float32]],
) -> bytes:
    """Return golden.json: `features`, `rows` (null is missing) and `probabilities` of each bank.

    Every number is a float32 written so that reading it as a double gives it exactly.
    """
    lines = [json.dumps([None if np.isnan(value) else float(value) for value in row]) for row in rows]
    banks = [
        f"  {json.dumps(bank)}: {json.dumps([float(p) for p in values])}"
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
    return np.concatenate(
        [
            thresholds,
            thresholds,
            np.nextafter(thresholds, -infinity),
            np.nextafter(thresholds, infinity),
        ]
    )


def _replace(
    rows: npt.NDArray[np.float32],
    column: int,
    values: npt.NDArray[np.float32],
    share: float,
    rng: np.random.Generator,
) -> None:
    chosen = rng.random(rows.shape[0]) < share
    rows[chosen, column] = rng.choice(values, size=int(np.sum(chosen)))

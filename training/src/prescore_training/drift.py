"""How features and scores were distributed in training, so that a later drift from it can be measured.

The population stability index of a feature compares the shares here with later ones: PSI = sum over bins of
(later - then) * ln(later / then). Bins of quantities are cut at deciles, a bin holding `edge <= value < next edge`;
categories and codes have their most frequent values, and what is left in `other`. Shares, with `missing`, add up
to 1.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .configuration import CATEGORICAL, Configuration
from .dataset import Matrix

BINS: Final = 10
MAX_VALUES: Final = 50

Floats = npt.NDArray[np.floating]


def drift_json(configuration: Configuration, matrix: Matrix, scores: Mapping[str, Floats]) -> bytes:
    """Return drift.json: `features` by name, and `scores` by model (calibrated out-of-fold probabilities)."""
    features = {}
    for column, feature in enumerate(configuration.features):
        values = matrix[:, column].astype(np.float64)
        coded = feature.kind in CATEGORICAL or feature.kind == "code"
        features[feature.name] = _values(values) if coded else _quantiles(values)
    document = {"features": features, "scores": {name: _quantiles(given) for name, given in scores.items()}}
    lines = ",\n".join(
        f"{json.dumps(part)}: {{\n"
        + ",\n".join(f"  {json.dumps(name)}: {json.dumps(bins)}" for name, bins in entries.items())
        + "\n}"
        for part, entries in document.items()
    )
    return f"{{{lines}}}\n".encode()


def population_stability(then: Floats, later: Floats) -> float:
    """Return the PSI between shares of the same bins; empty bins count as 0.01 %."""
    a, b = np.maximum(then, 1e-4), np.maximum(later, 1e-4)
    return float(np.sum((b - a) * np.log(b / a)))


def shares_in(values: Floats, edges: Floats) -> Floats:
    """Return the share of known values in each bin between rising edges, and last that of missing ones."""
    known = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return np.append(counts, values.size - known.size) / max(1, values.size)


def decile_edges(values: Floats) -> Floats:
    """Return the distinct inner deciles of the known values."""
    known = values[~np.isnan(values)]
    if known.size == 0:
        return np.empty(0)
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS))
    return np.asarray(edges[edges > known.min()])


def _quantiles(values: Floats) -> dict[str, Any]:
    edges = decile_edges(values)
    *shares, missing = shares_in(values, edges).tolist()
    return {
        "kind": "quantiles",
        "edges": [float(edge) for edge in edges],
        "shares": [round(share, 6) for share in shares],
        "missing": round(missing, 6),
    }


def _values(values: Floats) -> dict[str, Any]:
    known, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    often = np.sort(np.argsort(-counts, kind="stable")[:MAX_VALUES])
    total = max(1, values.size)
    return {
        "kind": "values",
        "values": [float(value) for value in known[often]],
        "shares": [round(float(count) / total, 6) for count in counts[often]],
        "other": round(float(counts.sum() - counts[often].sum()) / total, 6),
        "missing": round(float(np.isnan(values).mean()) if values.size else 0.0, 6),
    }

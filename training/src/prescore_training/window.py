"""How far back to learn from, where applications have dates: a lender's policy may have changed.

A quick model (XGBoost with its first parameters) learns from windows of the history and is judged on its latest
part: all of it, or only the latest two thirds, half or third. The longest window wins whose log loss is at most
one standard error worse than the best one's: the same rule, towards more data.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from . import metrics
from .dataset import Ints
from .families import FAMILY_BY_NAME
from .fitted import Setting
from .tuning import Problem

SHARES: Final = (1.0, 0.67, 0.5, 0.33)
JUDGED_SHARE: Final = 0.2
"""Latest share of the history on which windows are judged."""
MIN_ROWS: Final = 1_000
"""A window with fewer is not tried."""


@dataclass(frozen=True)
class Window:
    """The part of the history to learn from."""

    share: float
    since_day: int
    log_losses: dict[float, float]
    """By share, of the windows tried."""


def choose_window(problem: Problem, days: Ints, setting: Setting) -> Window:
    """Choose the share of the history, [rows] dated by `days`."""
    judged_since = float(np.quantile(days, 1 - JUDGED_SHARE))
    judged = problem.rows(days >= judged_since)
    family = FAMILY_BY_NAME["xgboost"]
    weights = np.ones(judged.labels.size) if judged.weights is None else judged.weights
    losses: dict[float, npt.NDArray[np.float64]] = {}
    for share in SHARES:
        since = _since(days, share)
        rows = (days >= since) & (days < judged_since)
        if rows.sum() < MIN_ROWS and share < 1:
            continue
        learn = problem.rows(rows)
        if not 0 < learn.labels.sum() < learn.labels.size:
            continue
        model = family.fit(learn.part, {**family.first, "rounds": 80}, setting, None)
        probabilities = 1 / (1 + np.exp(-model.raw(judged.matrix)))
        losses[share] = metrics.log_losses(judged.labels, probabilities)
    if not losses:
        return Window(1.0, int(days.min()), {})
    means = {share: float(np.average(values, weights=weights)) for share, values in losses.items()}
    best = min(means, key=lambda share: means[share])
    for share in sorted(losses, reverse=True):
        excess = losses[share] - losses[best]
        spread = weights * (excess - np.average(excess, weights=weights))
        if means[share] - means[best] <= float(np.sqrt(np.sum(spread**2)) / weights.sum()):
            break
    return Window(share, _since(days, share), means)


def _since(days: Ints, share: float) -> int:
    """Return the first day of the latest `share` of the time (not of the rows)."""
    first, last = int(days.min()), int(days.max())
    return first if share >= 1 else round(last - (last - first) * share)

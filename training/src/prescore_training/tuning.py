"""Optuna's search for a family's parameters, by log loss in an inner cross-validation grouped by applicant.

Resumable by replay: each trial's sampler is seeded by the trial's number, so that a search asks for the same
parameters again, and what was measured before is read from the journal, a file of JSON lines, instead of being
measured again. So a search that was interrupted gives the very result of one that was not.
"""

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import optuna

from . import metrics
from .dataset import Ints, Labels, Matrix, Weights
from .errors import TrainingError
from .families import ROUNDS, Family, uncalibrated
from .fitted import Part, Setting
from .folds import grouped_folds

INNER_FOLDS: Final = 3
STARTUP_TRIALS: Final = 4
"""Trials at random before the sampler (TPE) begins to learn."""


@dataclass(frozen=True)
class Problem:
    """Labelled rows of one bank."""

    matrix: Matrix
    labels: Labels
    applicants: Ints
    weights: Weights | None = None
    """For how many applications each row stands; none: all weigh alike."""

    def rows(self, chosen: Any) -> "Problem":  # noqa: ANN401 - a mask or row numbers
        """Return the chosen rows."""
        weights = None if self.weights is None else self.weights[chosen]
        return Problem(self.matrix[chosen], self.labels[chosen], self.applicants[chosen], weights)

    @property
    def part(self) -> Part:
        """The rows as a family takes them."""
        return Part(self.matrix, self.labels, self.weights)

    def fingerprint(self) -> str:
        """Return a hash of all the rows."""
        digest = hashlib.sha256()
        weights = () if self.weights is None else (self.weights,)
        for array in (self.matrix, self.labels, self.applicants, *weights):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


class Journal:
    """What was measured before, by key; appended to a file where there is one."""

    def __init__(self, path: Path | None = None) -> None:
        """Read the journal; a last line that was cut off by an interruption is dropped.

        Raises:
            TrainingError: the file cannot be read or written.
        """
        self._known: dict[str, dict[str, float]] = {}
        self._lock = threading.Lock()
        self._path = path
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            whole = []
            for line in lines:
                try:
                    entry = json.loads(line)
                    self._known[entry["key"]] = entry["value"]
                    whole.append(line)
                except (ValueError, KeyError, TypeError):
                    continue
            path.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
        except OSError as error:
            raise TrainingError(
                f"Cannot use the journal {path} as its folder must be writable: {error.strerror}"
            ) from error

    def __len__(self) -> int:
        """Return how many measurements are known."""
        return len(self._known)

    def measure(self, key: str, measure: Callable[[], dict[str, float]]) -> dict[str, float]:
        """Return what is known under the key, or measure it and write it down."""
        known = self._known.get(key)
        if known is not None:
            return known
        value = measure()
        with self._lock:
            self._known[key] = value
            if self._path is not None:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"key": key, "value": value}) + "\n")
        return value


def trials_of(family: Family, budget: int) -> int:
    """Return how many trials the family gets of a budget."""
    return max(1, round(budget * family.trials_share))


def tune(
    family: Family,
    problem: Problem,
    setting: Setting,
    *,
    budget: int,
    journal: Journal,
    tick: Callable[[], None],
) -> dict[str, Any]:
    """Return the best parameters that the search found; `tick` is called after each trial."""
    folds = grouped_folds(
        problem.labels, problem.applicants, folds=INNER_FOLDS, rng=np.random.default_rng(setting.seed)
    )
    base = [problem.fingerprint(), family.name, setting.directions, setting.seed]
    study = optuna.create_study(direction="minimize")
    study.enqueue_trial(dict(family.first))
    for number in range(trials_of(family, budget)):
        study.sampler = optuna.samplers.TPESampler(seed=setting.seed + number, n_startup_trials=STARTUP_TRIALS)
        trial = study.ask()
        parameters = family.suggest(trial)
        key = hashlib.sha256(json.dumps([*base, parameters], sort_keys=True).encode()).hexdigest()
        value = journal.measure(key, partial(_try, family, problem, parameters, setting, folds))
        trial.set_user_attr("found", {**parameters, **_rounds(value)})
        study.tell(trial, value["log_loss"])
        tick()
    found: dict[str, Any] = study.best_trial.user_attrs["found"]
    return found


def _try(
    family: Family, problem: Problem, parameters: dict[str, Any], setting: Setting, folds: Ints
) -> dict[str, float]:
    losses, rounds = np.empty(problem.labels.size), []
    for fold in range(INNER_FOLDS):
        held, learn = problem.rows(folds == fold), problem.rows(folds != fold)
        model = family.fit(learn.part, parameters, setting, held.part)
        losses[folds == fold] = metrics.log_losses(held.labels, uncalibrated(family, model.raw(held.matrix)))
        rounds.append(model.rounds)
    known = [count for count in rounds if count is not None]
    found = {"log_loss": float(np.average(losses, weights=problem.weights))}
    return {**found, ROUNDS: float(np.mean(known))} if known else found


def _rounds(value: dict[str, float]) -> dict[str, int]:
    return {ROUNDS: max(1, round(value[ROUNDS]))} if ROUNDS in value else {}

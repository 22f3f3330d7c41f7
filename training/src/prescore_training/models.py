"""One bank from its labelled rows to a judged, tuned and calibrated model.

What a figure rests on: family and evidence on the nested out-of-fold scores; calibration and band on the out-of-fold
scores of the final parameters; quality on the latest applications, held out from all of that, where applications have
dates, and otherwise on the nested scores, calibrated across folds.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import fairness, metrics
from .band import Band, half_differences, learn_band
from .calibrate import Calibration, Measured, fit_calibration, measure
from .configuration import Bank, Directions
from .dataset import NO_ANSWER, Dataset, Labels
from .evidence import Evidence, judge
from .families import Family
from .fitted import Fitted, Parameters, Setting, Trees
from .folds import grouped_folds, latest, sample_applicants
from .selection import MAX_ROWS, OUTER_FOLDS, Comparison, Search, compare
from .tuning import Problem, trials_of, tune
from .window import Window, choose_window

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Best:
    """The true probabilities of the same rows, where they are known: no model can expect to do better."""

    auc: float
    log_loss: float
    ece: float
    covered: float
    """Share of rows whose true probability lies in the model's band."""


@dataclass(frozen=True)
class Month:
    """A month of applications of one bank."""

    month: str
    rows: int
    approved: float
    predicted: float
    tested: bool
    """Whether the month is held out."""


@dataclass(frozen=True)
class Model:
    """A bank's model and everything that is known of it."""

    bank: Bank
    setting: Setting
    family: Family
    parameters: Mapping[str, Any]
    fitted: Fitted
    calibration: Calibration
    band: Band
    evidence: Evidence
    comparison: Comparison
    window: Window | None
    learned_from: npt.NDArray[np.bool_]
    """Which applications the model learned from."""
    scores: Floats
    """Calibrated out-of-fold probabilities of these."""
    measured: Measured
    measured_later: bool
    """Whether on later applications; else out of fold."""
    best: Best | None
    groups: tuple[fairness.Group, ...]
    prices: tuple[fairness.Price, ...]
    months: tuple[Month, ...]

    @property
    def learned(self) -> int:
        """Applications that the model learned from."""
        return self.scores.size

    @property
    def directions(self) -> Directions:
        """The directions that the model keeps: trees keep the configured ones, others none."""
        return self.setting.configuration.directions[self.bank.id] if isinstance(self.fitted, Trees) else {}

    def probability(self, matrix: npt.NDArray[np.float32]) -> Floats:
        """Return the approval probability of each row, [rows]."""
        return self.calibration.probability(self.fitted.raw(matrix))


@dataclass(frozen=True)
class Task:
    """A bank's rows, divided."""

    bank: Bank
    setting: Setting
    data: Dataset
    learn: npt.NDArray[np.bool_]
    test: npt.NDArray[np.bool_]
    """Empty when the applications have no dates."""
    window: Window | None

    def problem(self, rows: npt.NDArray[np.bool_]) -> Problem:
        """Return the chosen rows with this bank's labels."""
        data = self.data
        weights = data.weights.get(self.bank.id)
        return Problem(
            data.matrix[rows],
            data.decisions[self.bank.id][rows],
            data.applicants[rows],
            None if weights is None else weights[rows],
        )


def prepare(data: Dataset, bank: Bank, *, seed: int) -> Task:
    """Divide a bank's answered rows into those to learn from and those to test on."""
    configuration = data.configuration
    directions = configuration.directions[bank.id]
    setting = Setting(configuration, tuple(directions.get(name, 0) for name in configuration.names), seed)
    answered = data.decisions[bank.id] != NO_ANSWER
    nothing = np.zeros(answered.size, bool)
    if data.days is None:
        return Task(bank, setting, data, answered, nothing, None)
    earlier, later = latest(data.days, data.applicants)
    whole = Task(bank, setting, data, answered & earlier, answered & later, None)
    decisions = data.decisions[bank.id]
    if not all(_has_both(decisions[part]) for part in (whole.learn, whole.test)):
        # Such as where all applications are of one day.
        return Task(bank, setting, data, answered, nothing, None)
    window = choose_window(whole.problem(whole.learn), data.days[whole.learn], setting)
    learn = whole.learn & (data.days >= window.since_day)
    return Task(bank, setting, data, learn, whole.test, window)


def _has_both(decisions: Labels) -> bool:
    return bool(0 < decisions.sum() < decisions.size)


def trials_of_final(search: Search) -> int:
    """Return how many trials the final tuning may take."""
    return max(trials_of(family, search.budget) for family in search.families)


def start(task: Task, search: Search, pool: Executor) -> Callable[[], Comparison]:
    """Start a bank's nested cross-validation; see `selection.compare`."""
    return compare(task.problem(task.learn), task.setting, search, pool)


def judged(comparison: Comparison, *, seed: int) -> Evidence:
    """Return the evidence of a comparison's winner."""
    problem = comparison.problem
    return judge(problem.labels, comparison.winner.raw, problem.applicants, seed=seed)


def finish(task: Task, comparison: Comparison, search: Search, truth: Floats | None) -> Model:
    """Tune the winner on all the rows, train it, calibrate it and measure it.

    Args:
        task: the bank's rows.
        comparison: its nested cross-validation.
        search: budget and journal.
        truth: the true probability of every row of the data, where it is known.
    """
    seed = task.setting.seed
    problem, setting = task.problem(task.learn), task.setting
    family = comparison.winner.family
    rng = np.random.default_rng([seed, MAX_ROWS])
    sample = problem.rows(sample_applicants(problem.applicants, rows=MAX_ROWS, rng=rng))
    parameters = tune(family, sample, setting, budget=search.budget, journal=search.journal, tick=search.tick)
    for _ in range(trials_of(family, search.budget), trials_of_final(search)):
        search.tick()
    fitted = family.fit(problem.part, parameters, setting, None)
    raw = out_of_fold(family, parameters, problem, setting)
    calibration = fit_calibration(raw, problem.labels, problem.weights)
    differences = half_differences(family, parameters, problem, setting)
    band = learn_band(raw, problem.labels, calibration, differences, problem.weights)
    scores = calibration.probability(raw)
    later = bool(task.test.any())
    if later:
        tested = task.problem(task.test)
        probabilities = calibration.probability(fitted.raw(tested.matrix))
        true = None if truth is None else truth[task.test]
    else:
        tested, probabilities = comparison.problem, comparison.winner.probabilities
        true = None if truth is None or tested.labels.size != problem.labels.size else truth[task.learn]
    prices = [
        fairness.price(
            setting.configuration,
            protected,
            comparison.problem,
            comparison.folds,
            family,
            parameters,
            setting,
        )
        for protected in setting.configuration.protected
        if protected.feature not in setting.configuration.leave_out
    ]
    return Model(
        bank=task.bank,
        setting=setting,
        family=family,
        parameters=parameters,
        fitted=fitted,
        calibration=calibration,
        band=band,
        evidence=judged(comparison, seed=seed),
        comparison=comparison,
        window=task.window,
        learned_from=task.learn,
        scores=scores,
        measured=measure(tested.labels, probabilities, tested.applicants, seed=seed, weights=tested.weights),
        measured_later=later,
        best=None if true is None else _best(tested, true, probabilities, band),
        groups=tuple(
            fairness.groups(
                setting.configuration,
                tested.matrix,
                tested.labels,
                probabilities,
                tested.applicants,
                seed=seed,
            )
        ),
        prices=tuple(prices),
        months=_months(task, scores, probabilities if later else None),
    )


def out_of_fold(family: Family, parameters: Parameters, problem: Problem, setting: Setting) -> Floats:
    """Return the raw score of each row from a model that has not seen its applicant."""
    rng = np.random.default_rng([setting.seed, OUTER_FOLDS, 1])
    folds = grouped_folds(problem.labels, problem.applicants, folds=OUTER_FOLDS, rng=rng)
    raw = np.empty(problem.labels.size)
    for fold in range(OUTER_FOLDS):
        model = family.fit(problem.rows(folds != fold).part, parameters, setting, None)
        raw[folds == fold] = model.raw(problem.matrix[folds == fold])
    return raw


def _best(tested: Problem, true: Floats, probabilities: Floats, band: Band) -> Best:
    low, high = band.of(probabilities)
    return Best(
        auc=metrics.auc(tested.labels, true, tested.weights),
        log_loss=metrics.log_loss(tested.labels, true, tested.weights),
        ece=metrics.expected_calibration_error(tested.labels, true, tested.weights),
        covered=float(np.average((low <= true) & (true <= high), weights=tested.weights)),
    )


def _months(task: Task, scores: Floats, later: Floats | None) -> tuple[Month, ...]:
    if task.data.days is None:
        return ()
    parts = [(task.learn, scores, False)]
    if later is not None:
        parts.append((task.test, later, True))
    months = []
    for rows, predicted, tested in parts:
        number = (np.datetime64("1970-01-01") + task.data.days[rows]).astype("datetime64[M]")
        labels = task.data.decisions[task.bank.id][rows]
        for month in np.unique(number):
            own = number == month
            months.append(
                Month(
                    str(month),
                    int(own.sum()),
                    float(labels[own].mean()),
                    float(predicted[own].mean()),
                    tested,
                )
            )
    return tuple(months)

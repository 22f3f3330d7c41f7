"""How refusals of different banks hang together beyond what the answers explain: one hidden factor.

Who is refused by one bank is refused by the next more often than the two probabilities say, for banks see what the
questionnaire does not tell. Bank `j` approves when

    a_j + l_j z + sqrt(1 - l_j^2) e_j > 0,   a_j = probit(p_j),

where `p_j` is the model's probability, `z` (shared) and `e_j` (the bank's own) are standard normal, so that the chance
given the answers alone stays `p_j`. The correlation of two banks is `l_i l_j` (the one-factor Gaussian copula of O.
Vasicek, 1987). The loadings `l_j` are those of the greatest likelihood of the decisions, given the calibrated
out-of-fold probabilities of the same applications; the integral over `z` is a Gauss-Hermite quadrature. A weak
penalty keeps apart what the decisions leave open: of two banks alone they tell no more than the product of the
loadings, and the penalty takes the two as equal.

Only the product of loadings has a meaning, so that their common sign is chosen to make their sum positive. A negative
loading means a bank that rather approves whom the others refuse.

Known limits: one factor gives each pair of banks the correlation that its two loadings allow; where a pair shares
something of its own, the table of pairs in the report shows it. Errors that two models make alike count as dependence,
as they should for whoever goes by these models. The intervals take the probabilities as given.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_ndtr, ndtr, ndtri

from . import metrics
from .dataset import Ints

Floats = npt.NDArray[np.float64]

MIN_COMMON: Final = 500
"""Applications that another bank must have decided, too: with fewer a correlation has a standard error above 0.07."""
MAX_LOADING: Final = 0.95
"""Above it the quadrature's nodes are too far apart for how sharply the chance turns with the factor."""
LEVEL: Final = 0.95
"""Of the intervals."""
PENALTY: Final = 1.0
"""Half of it times the squares of the loadings' inverse hyperbolic tangents: about one application's worth."""
SMALLEST_START: Final = 0.1
"""At 0 the likelihood is level in every direction, whatever the decisions."""
MIN_PROBABILITY: Final = 1e-3
"""Nearer to 0 and 1 probabilities count as this: a model's gross error must not outweigh a hundred applications."""
ROWS_AT_ONCE: Final = 4_096
"""Rows whose nodes are in memory at a time: 1 MB a bank."""

NODES, _weights = np.polynomial.hermite_e.hermegauss(32)
LOG_WEIGHTS: Final = np.log(_weights) - np.log(2 * np.pi) / 2


@dataclass(frozen=True)
class Loading:
    """How strongly a bank's decisions follow the hidden factor, -MAX_LOADING..MAX_LOADING."""

    value: float
    low: float
    high: float
    """Ends of the interval at LEVEL; from end to end of the range where nothing was estimated."""
    applications: int
    """Decided by this bank and at least one other."""
    note: str | None = None
    """Why nothing was estimated."""
    best: float | None = None
    """The same from the true probabilities, where they are known."""


@dataclass(frozen=True)
class Pair:
    """Two banks and the share of their common applications that both refuse."""

    banks: tuple[str, str]
    applications: int
    observed: float
    independent: float
    """Expected if the decisions were independent given the answers."""
    expected: float
    """Expected by the loadings."""


@dataclass(frozen=True)
class Dependence:
    """What was found; see the module."""

    loadings: Mapping[str, Loading]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Decided:
    """Applications, each decided by some of the banks; arrays are [applications, banks]."""

    banks: tuple[str, ...]
    probabilities: Floats
    """Approval probability; NaN where the bank did not decide, or the model has met the applicant."""
    approved: npt.NDArray[np.bool_]
    """Of no meaning where the probability is NaN."""
    applicants: Ints
    """[applications]"""

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        """Whether the bank's decision is known."""
        return ~np.isnan(self.probabilities)

    @property
    def margins(self) -> Floats:
        """The probits `a`, 0 where the bank did not decide."""
        p = np.clip(self.probabilities, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
        return np.asarray(np.where(self.answered, ndtri(p), 0.0), np.float64)

    @property
    def signs(self) -> Floats:
        """+1 approved, -1 refused, 0 not decided."""
        return np.where(self.answered, np.where(self.approved, 1.0, -1.0), 0.0)


def estimate(decided: Decided, *, seed: int, true: Floats | None = None) -> Dependence | None:
    """Estimate the loadings; none where there is one bank only.

    Args:
        decided: the applications.
        seed: of the bootstrap.
        true: the true probabilities, [applications, banks], where they are known.
    """
    if len(decided.banks) < 2:
        return None
    enough = _estimable(decided.answered)
    loadings = np.zeros(len(decided.banks))
    ends = np.tile([-MAX_LOADING, MAX_LOADING], (loadings.size, 1))
    best: list[float | None] = [None] * loadings.size
    if enough.any():
        usable = _part(decided, decided.probabilities, enough)
        loadings[enough], ends[enough] = _fit_with_intervals(usable, seed=seed)
        if true is not None:
            exact = _part(decided, np.where(decided.answered, true, np.nan), enough)
            for at, value in zip(np.flatnonzero(enough).tolist(), np.tanh(_fit(exact)).tolist(), strict=True):
                best[at] = value
    counts = _common(decided.answered)
    few = f"has fewer than {MIN_COMMON} applications in common with banks that have as many: taken as independent"
    return Dependence(
        {
            bank: Loading(
                float(loadings[at]),
                float(ends[at, 0]),
                float(ends[at, 1]),
                int(counts[at]),
                None if enough[at] else few,
                best[at],
            )
            for at, bank in enumerate(decided.banks)
        },
        tuple(_pairs(decided, loadings)),
    )


def _common(answered: npt.NDArray[np.bool_]) -> Ints:
    """Return how many applications each bank decided that another one decided, too, [banks]."""
    return np.asarray((answered & (answered.sum(axis=1, keepdims=True) > 1)).sum(axis=0), np.int64)


def _estimable(answered: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which banks have MIN_COMMON applications in common with others that have, too, [banks]."""
    kept = np.ones(answered.shape[1], bool)
    while not np.array_equal(kept, still := kept & (_common(answered & kept) >= MIN_COMMON)):
        kept = still
    return kept


def _part(decided: Decided, probabilities: Floats, banks: npt.NDArray[np.bool_]) -> Decided:
    """Return the banks' applications that two of them decided."""
    known = ~np.isnan(probabilities[:, banks])
    rows = known.sum(axis=1) > 1
    names = tuple(itertools.compress(decided.banks, banks.tolist()))
    return Decided(names, probabilities[rows][:, banks], decided.approved[rows][:, banks], decided.applicants[rows])


def _fit_with_intervals(decided: Decided, *, seed: int) -> tuple[Floats, Floats]:
    """Return the loadings, [banks], and the ends of their intervals, [banks, 2].

    The bootstrap draws applicants and takes one Newton step from the estimate instead of searching anew (the score
    bootstrap of P. Kline and A. Santos, 2012).
    """
    at = _fit(decided)
    scores = _scores(decided, at)[1]
    inverse = np.linalg.inv(_information(decided, at))
    total = scores.sum(axis=0)
    limit = np.arctanh(MAX_LOADING)

    def again(rows: Ints) -> tuple[float, ...]:
        moved = np.clip(at + inverse @ (scores[rows].sum(axis=0) - total), -limit, limit)
        return tuple(np.tanh(moved).tolist())

    return np.tanh(at), np.array(metrics.bootstrap(decided.applicants, again, seed=seed))


def _fit(decided: Decided) -> Floats:
    """Return the inverse hyperbolic tangents of the loadings of the greatest penalised likelihood, [banks]."""
    limit = float(np.arctanh(MAX_LOADING))

    def loss(at: Floats) -> tuple[float, Floats]:
        value, scores = _scores(decided, at)
        rows = decided.applicants.size
        gradient = PENALTY * at - scores.sum(axis=0)
        return (PENALTY * float(at @ at) / 2 - value) / rows, gradient / rows

    found = minimize(
        loss,
        _start(decided),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-limit, limit)] * len(decided.banks),
        options={"ftol": 1e-13, "gtol": 1e-8},
    )
    at = np.asarray(found.x, np.float64)
    return -at if at.sum() < 0 else at


def _start(decided: Decided) -> Floats:
    """Return where to begin: the leading direction of the banks' correlations, to first order in them."""
    answered, margins = decided.answered, decided.margins
    density = np.where(answered, np.exp(-(margins**2) / 2) / np.sqrt(2 * np.pi), 0.0)
    surprise = np.where(answered, decided.approved - np.nan_to_num(decided.probabilities), 0.0)
    correlations = (surprise.T @ surprise) / np.maximum(density.T @ density, 1e-9)
    np.fill_diagonal(correlations, 0.0)
    values, vectors = np.linalg.eigh(np.clip(correlations, -0.9, 0.9))
    leading = vectors[:, -1] * np.sqrt(max(0.0, float(values[-1])))
    sized = np.clip(np.abs(leading), SMALLEST_START, 0.8)
    return np.asarray(np.arctanh(np.where(leading < 0, -sized, sized)), np.float64)


def _information(decided: Decided, at: Floats) -> Floats:
    """Return minus the second derivatives of the penalised likelihood, [banks, banks], by central differences."""
    step = 1e-4
    columns = []
    for one in np.eye(at.size) * step:
        ahead, behind = (_scores(decided, at + move)[1].sum(axis=0) for move in (one, -one))
        columns.append((behind - ahead) / (2 * step))
    matrix = np.array(columns)
    return np.asarray((matrix + matrix.T) / 2 + PENALTY * np.eye(at.size), np.float64)


def _scores(decided: Decided, at: Floats) -> tuple[float, Floats]:
    """Return the log-likelihood and each row's derivatives by `at`, [rows, banks]; the loadings are tanh(at)."""
    margins, signs = decided.margins, decided.signs
    loadings = np.tanh(at)
    own = 1 / np.cosh(at)
    scores = np.empty(margins.shape)
    value = 0.0
    for first in range(0, margins.shape[0], ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        logs = np.tile(LOG_WEIGHTS, (margins[rows].shape[0], 1))
        slopes = []
        for bank, (loading, scale) in enumerate(zip(loadings.tolist(), own.tolist(), strict=True)):
            margin, sign = margins[rows, bank, None], signs[rows, bank, None]
            reached = sign * (margin + loading * NODES) / scale
            chance = log_ndtr(reached)
            logs += np.where(sign == 0, 0.0, chance)
            ratio = np.exp(-(reached**2) / 2 - np.log(2 * np.pi) / 2 - chance)
            slopes.append(sign * ratio * (NODES + margin * loading) / scale)
        most = logs.max(axis=1, keepdims=True)
        shares = np.exp(logs - most)
        sums = shares.sum(axis=1, keepdims=True)
        value += float(np.sum(most + np.log(sums)))
        for bank, slope in enumerate(slopes):
            scores[rows, bank] = np.sum(shares * slope, axis=1) / sums[:, 0]
    return value, scores


def _pairs(decided: Decided, loadings: Floats) -> Sequence[Pair]:
    """Return how often both of two banks refuse, beside what is expected."""
    margins, answered, refused = decided.margins, decided.answered, ~decided.approved
    weights = np.exp(LOG_WEIGHTS)
    pairs = []
    for one, two in itertools.combinations(range(len(decided.banks)), 2):
        rows = answered[:, one] & answered[:, two]
        if not rows.any():
            continue
        given = [
            ndtr(-(margins[rows, bank, None] + loadings[bank] * NODES) / np.sqrt(1 - loadings[bank] ** 2))
            for bank in (one, two)
        ]
        pairs.append(
            Pair(
                (decided.banks[one], decided.banks[two]),
                int(rows.sum()),
                float(np.mean(refused[rows, one] & refused[rows, two])),
                float(np.mean((1 - decided.probabilities[rows, one]) * (1 - decided.probabilities[rows, two]))),
                float(np.mean((given[0] * given[1]) @ weights)),
            )
        )
    return pairs

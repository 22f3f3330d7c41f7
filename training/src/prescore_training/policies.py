"""The five simulated lenders: how each scores an application.

Each policy gives points for the answers. A lender also knows the applicant's credit history `h` (standard normal,
hidden from the questionnaire, the same for all lenders), and approves with the probability
`P(approve | answers, h) = sigmoid((points + weight * h) / noise)`: that is, when points, history and logistic noise
add up to more than zero. The noise is the lender's own: fraud checks, the day's quota.

What a model can know at best is the mean of that over the histories, since these do not depend on the answers:
`P(approve | answers)`, computed by Gauss-Hermite quadrature. Figures called "best possible" are those of this
probability.

On CHANGE_DAY bank_a and bank_e tighten their policies. None of this describes a real bank.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .questionnaire import Questionnaire
from .vocabulary import REGIONS, region_of_shop

Floats = npt.NDArray[np.float64]


CHANGE_DAY: Final = 212
"""Days after the first day of applications: 1 August 2022, a little less than a third of the time."""

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
"""Of the quadrature over a standard normal number: WEIGHTS add up to sqrt(2 pi)."""


@dataclass(frozen=True)
class Applications:
    """The feature matrix by column name, and what else the lenders go by."""

    names: tuple[str, ...]
    matrix: npt.NDArray[np.float32]
    """[applications, features]; NaN is missing, -1 is an unknown category."""
    questionnaire: Questionnaire
    tightened: npt.NDArray[np.bool_]
    """Whether the application was made on CHANGE_DAY or later, [applications]."""

    def __getitem__(self, name: str) -> Floats:
        return self.matrix[:, self.names.index(name)].astype(np.float64)

    def points(self, name: str, table: Mapping[str, float], *, unknown: float, missing: float) -> Floats:
        """Return the points of each application's category by its English label; others have 0."""
        values = self[name]
        points = np.zeros(values.size)
        for label, worth in table.items():
            points[values == self.questionnaire.code(name, label)] = worth
        points[values < 0] = unknown
        return _or(points, np.isnan(values), missing)


def _or(points: Floats, absent: npt.NDArray[np.bool_], instead: float) -> Floats:
    return np.where(absent, instead, points)


def _line(values: Floats, at: list[float], points: list[float], *, missing: float) -> Floats:
    """Return points by straight lines between the given values, level outside them."""
    return _or(np.interp(np.nan_to_num(values), at, points), np.isnan(values), missing)


def _doublings(values: Floats, of: float) -> Floats:
    """Return how often `of` must be doubled to give the values, -5..5; NaN stays NaN.

    Zero and negative values count as 5 halvings.
    """
    return np.asarray(np.minimum(np.log2(np.maximum(values, of / 2**5) / of), 5), np.float64)


def affordability(a: Applications) -> Floats:
    """Can the client pay? The instalment's share of income, and the money left after expenses.

    - 0.5 points to begin with;
    - 1.0 point lost for each doubling of payment-to-income above 5 % (gained for each halving);
    - 0.9 points gained for each doubling of disposable income above 90,000 RUB a month (lost likewise);
    - doublings and halvings count up to 5;
    - payment-to-income that cannot be computed costs 1.0 point, disposable income 0.8 points;
    - from the change on 0.7 points fewer, and 1.4 instead of 1.0 points for each doubling of payment-to-income.
    """
    burden = _doublings(a["payment_to_income"], 0.05)
    left = _doublings(a["disposable_income"], 90_000)
    price = np.where(a.tightened, 1.4, 1.0)
    begin = np.where(a.tightened, -0.2, 0.5)
    return begin + _or(-price * burden, np.isnan(burden), -1.0) + _or(0.9 * left, np.isnan(left), -0.8)


def stability(a: Applications) -> Floats:
    """Is the client settled? Age, time in the current job, kind of employment, marriage.

    - 0.5 points to begin with;
    - age: -1.8 points at 18, -0.4 at 25, +0.6 from 35 to 55, -2 at 75, straight between; no answer -0.5;
    - tenure: -1.6 points for a new job, -0.9 at 6 months, 0 at 2 years, +0.7 at 5, +1.2 from 10 years,
      straight between; no answer -0.6;
    - employment: full-time +0.6, own business 0, retired -0.3, part-time -0.4, parental leave -0.6,
      student -0.9, not employed -1.4; unknown or no answer -0.5;
    - the married have 0.4 points more.
    """
    return (
        0.5
        + _line(a["age_years"], [18, 25, 35, 55, 75], [-1.8, -0.4, 0.6, 0.6, -2.0], missing=-0.5)
        + _line(a["job_tenure_months"], [0, 6, 24, 60, 120], [-1.6, -0.9, 0, 0.7, 1.2], missing=-0.6)
        + a.points(
            "employment_status",
            {
                "Employed full-time or in service": 0.6,
                "Own business": 0.0,
                "Retired": -0.3,
                "Employed part-time": -0.4,
                "Parental leave": -0.6,
                "Student": -0.9,
                "Not employed": -1.4,
            },
            unknown=-0.5,
            missing=-0.5,
        )
        + a.points("family_status", {"Married": 0.4}, unknown=0, missing=0)
    )


REGION_POINTS: Final = {"Capital": 1.0, "North-West": 0.3, "Volga": -0.5, "South": -1.3}


def collateral_risk(a: Applications) -> Floats:
    """Is it a sound purchase? The goods, the region of the shop, and a little the amount.

    - 0.6 points to begin with;
    - goods: medical services +1.1, education +0.9, furniture +0.3, fitness 0, other -0.4, travel -0.8,
      mobile devices -1.3; unknown goods -1.2, no answer -0.6;
    - region of the shop: capital +1.0, north-west +0.3, Volga -0.5, south -1.3; unknown shop -0.8;
    - 0.35 points lost for each doubling of the amount above 60,000 RUB (gained for each halving).
    """
    region = region_of_shop(a["merch_code"])
    by_region = np.array([*(REGION_POINTS[name] for name in REGIONS), -0.8])
    size = _doublings(a["loan_amount"], 60_000)
    return (
        0.6
        + a.points(
            "goods_category",
            {
                "Medical services": 1.1,
                "Education": 0.9,
                "Furniture": 0.3,
                "Other": -0.4,
                "Travel": -0.8,
                "Mobile devices": -1.3,
            },
            unknown=-1.2,
            missing=-0.6,
        )
        + np.asarray(by_region[region], np.float64)
        + _or(-0.35 * size, np.isnan(size), 0)
    )


def thin_file(a: Applications) -> Floats:
    """How much is known of the client? Insurance number, work experience, education, gaps in the answers.

    - -0.5 points to begin with;
    - insurance number given +0.9 points, not given -0.5, no answer -0.9;
    - total work experience: from -1.3 points under 4 months to +0.7 at 10 years or more; no answer -1.0;
    - education: from -1.0 (incomplete secondary) to +0.9 (MBA, several degrees); unknown or no answer -0.6;
    - 0.5 points lost for each gap (missing or unknown) among age, employment, income, expenses, family
      and position, at most 2 in all.
    """
    gaps = sum((np.isnan(a[name]) | (a[name] < 0)).astype(np.float64) for name in GAP_FIELDS)
    return (
        -0.5
        + a.points("snils", {"Yes": 0.9, "No": -0.5}, unknown=-0.9, missing=-0.9)
        + _line(a["value"], [0, 2, 7, 12], [-1.3, -0.9, 0.0, 0.7], missing=-1.0)
        + a.points(
            "education",
            {
                "Incomplete secondary": -1.0,
                "Secondary": -0.8,
                "Vocational": -0.5,
                "Incomplete higher": -0.4,
                "Bachelor": 0.2,
                "Higher, specialist": 0.3,
                "Master": 0.6,
                "Several degrees": 0.9,
                "MBA": 0.9,
            },
            unknown=-0.6,
            missing=-0.6,
        )
        - 0.5 * np.minimum(gaps, 4)
    )


GAP_FIELDS: Final = (
    "age_years", "employment_status", "monthprofit", "monthexpense", "family_status", "position_group",
)  # fmt: skip


def appetite(a: Applications) -> Floats:
    """Is it a loan that the lender wants? Its size against a limit by income, its term, a minimum.

    - -0.2 points to begin with;
    - the limit is 60 % of a monthly income; up to 1.8 points are gained far below it and lost far above it
      (hyperbolic tangent of the distance in 35,000 RUB); no income or amount stated -0.9;
    - +0.9 points at 6 months, -0.9 at 24 months, straight between; no term stated -0.5;
    - loans below 15,000 RUB do not pay: -1.6 points;
    - from the change on the limit is 45 % of a monthly income.
    """
    amount = a["loan_amount"]
    limit = np.where(a.tightened, 0.45, 0.6) * a["monthprofit"]
    room = 1.8 * np.tanh((limit - amount) / 35_000)
    return (
        -0.2
        + _or(room, np.isnan(room), -0.9)
        + _line(a["loan_term"], [6, 24], [0.9, -0.9], missing=-0.5)
        + np.where(amount < 15_000, -1.6, 0.0)
    )


@dataclass(frozen=True)
class Lender:
    """A simulated lender."""

    bank: str
    policy: Callable[[Applications], Floats]
    noise: float
    """Scale of the logistic noise, in points: the smaller, the more predictable the lender."""
    history_weight: float
    """Points for a credit history one standard deviation better."""

    def full_probability(self, applications: Applications, history: Floats) -> Floats:
        """Return `P(approve | answers, history)` of each application, 0..1."""
        points = self.policy(applications) + self.history_weight * history
        return np.asarray(1 / (1 + np.exp(-points / self.noise)), np.float64)

    def visible_probability(self, applications: Applications) -> Floats:
        """Return `P(approve | answers)` of each application, 0..1: the best that a model can know."""
        points = self.policy(applications)
        total = np.zeros(points.size)
        for node, weight in zip(NODES.tolist(), WEIGHTS.tolist(), strict=True):
            total += weight / (1 + np.exp(-(points + self.history_weight * node) / self.noise))
        return np.asarray(total / np.sqrt(2 * np.pi), np.float64)


LENDERS: Final = (
    Lender("bank_a", affordability, noise=1.0, history_weight=0.8),
    Lender("bank_b", stability, noise=0.8, history_weight=0.7),
    Lender("bank_c", collateral_risk, noise=0.8, history_weight=0.4),
    Lender("bank_d", thin_file, noise=0.6, history_weight=0.6),
    Lender("bank_e", appetite, noise=0.9, history_weight=0.6),
)

"""Draws applicants: who they are and which loan they ask for, before anything is written down.

How the answers hang together: one hidden number per applicant, `prosperity` (standard normal), pulls
education, employment, position and income the same way; age sets the bands for education, employment and
family; income and goods set the amount, the amount mostly sets the term.

Another hidden number is the applicant's credit history (standard normal, the higher the better). All lenders see
it, none of the answers tells it: it is why their refusals hang together beyond what the answers explain.

Some applicants apply again, for another loan on another day. Applications are spread evenly over the days.

Known limits: credit history does not hang together with the answers, and applicants do not change with time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from . import vocabulary as v

OWNER, NO_POSITION = -1, -2
"""Positions outside the table: owners of a business, and those without a job."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIRST_DAY: Final = date(2022, 1, 1)
DAYS: Final = 730
"""Applications are made on the DAYS days from FIRST_DAY on."""
REPEATED_SHARE: Final = 0.1
"""Share of applications by applicants who have another one."""

FULL_TIME_INCOME_RUB: Final = 125_000
"""Median income of a full-time employee of 35 with average prosperity, per month."""


@dataclass(frozen=True)
class Population:
    """Applications as they are; every array is [applications]. Categories are indices into their table."""

    applied_day: Ints
    """Days after FIRST_DAY."""
    history: Floats
    """Credit history, hidden from the questionnaire."""
    age_years: Floats
    """On FIRST_DAY."""
    male: npt.NDArray[np.bool_]
    education: Ints
    employment: Ints
    experience_years: Floats
    tenure_months: Floats
    """Time in the current job; NaN for those without one."""
    position: Ints
    """Index into POSITIONS, OWNER or NO_POSITION."""
    income_rub: Floats
    expense_rub: Floats
    family: Ints
    children: Ints
    insured: npt.NDArray[np.bool_]
    """Whether the insurance number is given."""
    shop: Ints
    goods: Ints
    amount_rub: Floats
    term_months: Ints


def draw_population(applications: int, rng: np.random.Generator) -> Population:
    """Draw `applications` applications from `rng`, REPEATED_SHARE of them by applicants who have another."""
    repeated = round(applications * REPEATED_SHARE)
    people = _draw_people(applications - repeated, rng)
    again = rng.integers(applications - repeated, size=repeated)
    person = rng.permutation(np.concatenate([np.arange(applications - repeated), again]))
    drawn = replace(people, **{field.name: getattr(people, field.name)[person] for field in fields(people)})
    goods, shop, amount, term = _draw_loans(drawn.income_rub, rng)
    day = rng.integers(DAYS, size=applications)
    return replace(drawn, applied_day=day, goods=goods, shop=shop, amount_rub=amount, term_months=term)


def _draw_people(applicants: int, rng: np.random.Generator) -> Population:
    """Draw independent applicants, each with one application on the first day."""
    prosperity = rng.standard_normal(applicants)
    age = np.minimum(18.2 + rng.gamma(2.1, 8.6, applicants), 78.0)
    band = np.searchsorted(v.AGE_BANDS_YEARS, age, side="right")
    education = _pick_by_band(v.EDUCATION, band, _uniform(prosperity, 0.5, rng))
    employment = _pick_by_band(v.EMPLOYMENT, band, _uniform(prosperity, 0.25, rng))
    family = _pick_by_band(v.FAMILY, band, rng.random(applicants))
    experience, tenure = _draw_experience(age, education, employment, rng)
    position = _draw_positions(employment, prosperity, rng)
    income = _draw_incomes(age, employment, position, prosperity, rng)
    children = np.minimum(rng.poisson(_lookup(v.CHILDREN_MEAN)[family]), 5)
    goods, shop, amount, term = _draw_loans(income, rng)
    return Population(
        applied_day=np.zeros(applicants, np.int64),
        history=rng.standard_normal(applicants),
        age_years=age,
        male=rng.random(applicants) < 0.33,
        education=education,
        employment=employment,
        experience_years=experience,
        tenure_months=tenure,
        position=position,
        income_rub=income,
        expense_rub=_draw_expenses(income, children, rng),
        family=family,
        children=children,
        insured=rng.random(applicants) < np.where(age < 30, 0.48, 0.32),
        shop=shop,
        goods=goods,
        amount_rub=amount,
        term_months=term,
    )


def _uniform(prosperity: Floats, correlation: float, rng: np.random.Generator) -> Floats:
    """Return uniform numbers whose normal scores correlate with prosperity (a Gaussian copula, by ranks)."""
    noise = rng.standard_normal(prosperity.size)
    score = correlation * prosperity + np.sqrt(1 - correlation**2) * noise
    ranks = np.argsort(np.argsort(score, kind="stable"), kind="stable")
    return np.asarray((ranks + 0.5) / score.size, np.float64)


def _pick_by_band(table: Mapping[str, tuple[float, ...]], band: Ints, uniform: Floats) -> Ints:
    """Turn uniform numbers into row indices of the table, by the weights of each applicant's band."""
    weights = np.array(list(table.values()), dtype=np.float64).T
    bounds = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    picked = np.sum(bounds[band] < uniform[:, None], axis=1, dtype=np.int64)
    return np.asarray(np.minimum(picked, weights.shape[1] - 1), np.int64)


def _lookup(table: Mapping[str, float]) -> Floats:
    return np.array(list(table.values()), dtype=np.float64)


def _draw_experience(age: Floats, education: Ints, employment: Ints, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return total experience in years and tenure in months."""
    higher = education >= list(v.EDUCATION).index("Bachelor")
    possible = np.maximum(age - np.where(higher, 20.5, 18.0), 0.1)
    experience = possible * rng.beta(5, 1.2, age.size)
    tenure = np.minimum(rng.lognormal(np.log(48), 1.05, age.size), experience * 12)
    labels = np.array(list(v.EMPLOYMENT))
    return experience, np.where(np.isin(labels[employment], v.WITHOUT_JOB), np.nan, tenure)


def _draw_positions(employment: Ints, prosperity: Floats, rng: np.random.Generator) -> Ints:
    weights = np.array([group.weight for group in v.POSITIONS.values()])
    bounds = np.cumsum(weights) / weights.sum()
    position = np.searchsorted(bounds, _uniform(prosperity, 0.5, rng))
    labels = np.array(list(v.EMPLOYMENT))[employment]
    position[labels == "Own business"] = OWNER
    position[np.isin(labels, v.WITHOUT_JOB)] = NO_POSITION
    return np.minimum(position, len(v.POSITIONS) - 1)


def _draw_incomes(
    age: Floats, employment: Ints, position: Ints, prosperity: Floats, rng: np.random.Generator
) -> Floats:
    """Return monthly incomes in RUB, as people state them: rounded to 10,000, 5,000 or 1,000."""
    group_factor = np.array([group.income_factor for group in v.POSITIONS.values()])
    factor = np.where(position >= 0, group_factor[np.maximum(position, 0)], 1.0)
    factor *= _lookup(v.INCOME_FACTOR)[employment]
    factor *= np.interp(age, [18, 25, 35, 50, 65], [0.65, 0.88, 1.0, 1.02, 0.85])
    spread = np.exp(0.22 * prosperity + rng.normal(0, 0.35, age.size))
    step = rng.choice([10_000, 5_000, 1_000], size=age.size, p=[0.7, 0.2, 0.1])
    income = np.round(FULL_TIME_INCOME_RUB * factor * spread / step) * step
    return np.asarray(np.clip(income, 10_000, 1_200_000), np.float64)


def _draw_expenses(income: Floats, children: Ints, rng: np.random.Generator) -> Floats:
    """Return monthly expenses in RUB: half state a customary 15 % of income, half their own figure."""
    own = income * rng.beta(1.6, 4.5, income.size) + 9_000 * children
    stated = np.where(rng.random(income.size) < 0.5, 0.15 * income, own)
    return np.round(stated / 500) * 500


def _draw_loans(income: Floats, rng: np.random.Generator) -> tuple[Ints, Ints, Floats, Ints]:
    """Return goods, shop, amount in RUB (whole thousands) and term in months."""
    size = income.size
    goods = rng.integers(len(v.GOODS), size=size)
    tens = np.array([ten for ten, _ in v.GOODS.values()])
    typical = np.array([amount for _, amount in v.GOODS.values()], dtype=np.float64)
    shop = tens[goods] * v.SHOPS_PER_CATEGORY + 1 + rng.integers(v.SHOPS_PER_CATEGORY, size=size)
    wanted = typical[goods] * (income / FULL_TIME_INCOME_RUB) ** 0.25 * rng.lognormal(0, 0.65, size)
    amount = np.clip(np.round(wanted / 1_000) * 1_000, *v.AMOUNT_RANGE_RUB)
    # Six in ten take the term that shops propose for the amount, the others any.
    proposed = np.searchsorted([50_000, 100_000, 150_000], amount, side="right")
    free = rng.integers(len(v.TERMS_MONTHS), size=size)
    term = np.where(rng.random(size) < 0.6, proposed, free)
    return goods, shop, amount, np.array(v.TERMS_MONTHS)[term]

"""What applicants of the simulated population are like: tables of weights, and the shops.

Every number is a modelling choice, made so that the population looks like people who buy on credit in
shops: mostly employed, 20 to 45 years old, higher education, monthly income around 140,000 RUB. Weights are
relative, not percentages. No row of any real table is in here.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

AGE_BANDS_YEARS: Final = (23.0, 35.0, 60.0)
"""Upper bounds of the first three of four age bands; tables below give one weight per band."""

EDUCATION: Final[dict[str, tuple[float, float, float, float]]] = {
    # Ordered from low to high: a more prosperous applicant is drawn towards the end of the table.
    "Incomplete secondary": (2, 0.5, 0.5, 1),
    "Secondary": (18, 5, 4, 8),
    "Vocational": (16, 14, 13, 18),
    "Incomplete higher": (26, 5, 2, 1),
    "Bachelor": (14, 9, 2, 0),
    "Higher, specialist": (22, 54, 70, 68),
    "Master": (2, 7, 3, 1),
    "Several degrees": (0, 3, 4, 3),
    "MBA": (0, 0.5, 0.8, 0),
}

EMPLOYMENT: Final[dict[str, tuple[float, float, float, float]]] = {
    # Ordered likewise, from the least to the most secure income.
    "Not employed": (4, 2, 2, 3),
    "Student": (14, 0.5, 0, 0),
    "Parental leave": (1, 3, 1, 0),
    "Retired": (0, 0, 1, 45),
    "Employed part-time": (8, 3, 3, 6),
    "Employed full-time or in service": (62, 68, 69, 37),
    "Own business": (11, 23, 24, 9),
}

WITHOUT_JOB: Final = ("Not employed", "Student", "Retired")
"""Those who leave the start of the job and the position unanswered."""

INCOME_FACTOR: Final[dict[str, float]] = {
    # Monthly income relative to a full-time employee.
    "Not employed": 0.35,
    "Student": 0.4,
    "Parental leave": 0.45,
    "Retired": 0.35,
    "Employed part-time": 0.65,
    "Employed full-time or in service": 1.0,
    "Own business": 1.2,
}

FAMILY: Final[dict[str, tuple[float, float, float, float]]] = {
    "Never married": (88, 58, 34, 12),
    "Living together": (6, 6, 5, 3),
    "Married": (5, 30, 44, 48),
    "Divorced": (1, 6, 15, 17),
    "Widowed": (0, 0.2, 2, 20),
}

CHILDREN_MEAN: Final[dict[str, float]] = {
    # Mean of the Poisson distribution of the number of children under age.
    "Never married": 0.08,
    "Living together": 0.5,
    "Married": 0.8,
    "Divorced": 0.5,
    "Widowed": 0.2,
}

EXPERIENCE: Final[tuple[tuple[str, float], ...]] = (
    # Label of the answer, and the upper bound of total work experience in years.
    ("Under 4 months", 4 / 12),
    ("4 to 6 months", 0.5),
    ("6 months to 1 year", 1),
    ("1 to 2 years", 2),
    ("2 to 3 years", 3),
    ("3 to 4 years", 4),
    ("4 to 5 years", 5),
    ("5 to 6 years", 6),
    ("6 to 7 years", 7),
    ("7 to 8 years", 8),
    ("8 to 9 years", 9),
    ("9 to 10 years", 10),
    ("10 years or more", np.inf),
)


@dataclass(frozen=True)
class Positions:
    """Job titles of one group."""

    weight: float
    income_factor: float
    titles: tuple[str, ...]


POSITIONS: Final[dict[str, Positions]] = {
    # "Other" holds titles that the questionnaire's groups do not know.
    "Trade and services": Positions(
        15,
        0.75,
        (
            "продавец",
            "кассир",
            "повар",
            "бармен",
            "флорист-продавец",
            "курьер доставки",
            "парикмахер-стилист",
            "фитнес-тренер",
            "тренер",
        ),
    ),
    "Worker": Positions(
        13,
        0.85,
        (
            "водитель автобуса",
            "слесарь-ремонтник",
            "сварщик",
            "токарь",
            "машинист крана",
            "механик",
            "мастер смены",
            "грузчик",
            "охранник",
            "электрик цеха",
        ),
    ),
    "Other": Positions(
        9,
        0.9,
        ("блогер", "фотограф", "артист балета", "стюардесса", "няня", "риелтор", "библиотекарь"),
    ),
    "Office worker": Positions(
        28,
        0.95,
        (
            "менеджер",
            "специалист",
            "администратор салона",
            "консультант",
            "оператор связи",
            "диспетчер",
            "секретарь",
            "агент по туризму",
        ),
    ),
    "Professional": Positions(
        15,
        1.15,
        (
            "инженер-проектировщик",
            "врач-терапевт",
            "программист",
            "юрист",
            "бухгалтер",
            "учитель",
            "аналитик данных",
            "технолог",
            "экономист",
        ),
    ),
    "Manager of a team": Positions(
        12,
        1.4,
        (
            "руководитель группы",
            "начальник смены",
            "заведующая складом",
            "управляющий магазином",
            "бригадир",
            "заместитель начальника",
        ),
    ),
    "Executive": Positions(8, 1.7, ("директор", "генеральный директор", "учредитель", "председатель правления")),
}

OWN_BUSINESS_TITLES: Final = (
    "индивидуальный предприниматель", "самозанятый", "самозанятая", "ип", "собственник", "директор",
)  # fmt: skip

SENIORITY: Final = ("старший", "ведущий", "главный")

GOODS: Final[dict[str, tuple[int, float]]] = {
    # Label -> the ten whose shops sell it (shops of ten 0 are 1..10), and its typical loan in RUB.
    "Other": (0, 45_000),
    "Medical services": (1, 80_000),
    "Fitness": (2, 40_000),
    "Education": (3, 90_000),
    "Travel": (4, 100_000),
    "Mobile devices": (6, 55_000),
    "Furniture": (7, 75_000),
}

SHOPS_PER_CATEGORY: Final = 10
MAX_SHOP: Final = 80
REGIONS: Final = ("Capital", "North-West", "Volga", "South")
REGION_OF_PLACE: Final = (0, 0, 0, 1, 1, 1, 2, 2, 3, 3)
"""Index into REGIONS of each of a ten's shops: the first three are in the capital, and so on."""

TERMS_MONTHS: Final = (6, 12, 18, 24)
AMOUNT_RANGE_RUB: Final = (4_000, 200_000)


def region_of_shop(merch_code: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the index into REGIONS of each shop, and -1 for shops outside 1..80 or missing (NaN)."""
    known = (merch_code >= 1) & (merch_code <= MAX_SHOP)
    place = (np.where(known, merch_code, 1).astype(np.int64) - 1) % SHOPS_PER_CATEGORY
    return np.where(known, np.array(REGION_OF_PLACE)[place], -1)

"""Writes applicants down as a table of applications, the way people fill in questionnaires.

Here the untidiness comes in: unanswered questions, harmless variants of a category, categories that the
questionnaire does not know, job titles cut off or mistyped, incomes stated in thousands.

Known limit: answers are missing at random; nobody leaves out an answer because it looks bad.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from . import vocabulary as v
from .population import FIRST_DAY, NO_POSITION, OWNER, Population
from .questionnaire import Questionnaire

BANKS: Final = ("bank_a", "bank_b", "bank_c", "bank_d", "bank_e")
DECISION_COLUMNS: Final = tuple(f"Bank{bank[-1].upper()}_decision" for bank in BANKS)
COLUMNS: Final = (
    "SkillFactory_Id", "BirthDate", "education", "employment status", "Value", "JobStartDate",
    "Position", "MonthProfit", "MonthExpense", "Gender", "Family status", "ChildCount", "SNILS",
    *DECISION_COLUMNS, "Merch_code", "Loan_amount", "Loan_term", "Goods_category", "Applied_at",
)  # fmt: skip
"""The header of the public table of applications, with the day of the application at the end."""
APPLIED_AT: Final = "Applied_at"

MISSING: Final = "NULL"
SINGLE_MISSING_SHARE: Final = 0.012
"""Share of answers left out of an otherwise complete questionnaire."""
SHORT_SHARE: Final = 0.04
"""Share of short questionnaires, in which every answer is left out with probability 1/2."""
SHOP_ANSWERS: Final = ("Merch_code", "Loan_amount", "Loan_term")
"""The shop itself fills these in, so that they are missing more rarely."""
SHOP_MISSING_SHARE: Final = 0.005

UNKNOWN_SHARE: Final = 0.012
UNKNOWN_ANSWERS: Final[dict[str, tuple[str, ...]]] = {
    "education": ("Аспирантура", "Курсы повышения квалификации"),
    "employment status": ("Договор ГПХ", "Фриланс"),
    "Family status": ("Помолвлены",),
    "Goods_category": ("Jewelry", "Auto_parts"),
}
VARIANT_SHARE: Final = 0.03
THOUSANDS_SHARE: Final = 0.002
"""Share of incomes stated in thousands of RUB by mistake."""
UNKNOWN_SHOP_SHARE: Final = 0.008

Cells = dict[str, list[str]]
"""Column -> its cells, one per application."""


def write_answers(people: Population, questionnaire: Questionnaire, rng: np.random.Generator) -> Cells:
    """Return the filled-in questionnaires, without decisions (those columns are absent)."""
    size = people.age_years.size
    cells: Cells = {
        "SkillFactory_Id": [str(row + 1) for row in range(size)],
        "BirthDate": [_day(-years * 365.2425) for years in people.age_years.tolist()],
        "education": _labels(questionnaire, "education", v.EDUCATION, people.education),
        "employment status": _labels(questionnaire, "employment_status", v.EMPLOYMENT, people.employment),
        "Value": _experience(people, questionnaire),
        "JobStartDate": [
            MISSING if np.isnan(months) else _day(day - months * 30.436875, first_of_month=True)
            for day, months in zip(people.applied_day.tolist(), people.tenure_months.tolist(), strict=True)
        ],
        "Position": [_title(group, rng) for group in people.position.tolist()],
        "MonthProfit": _incomes(people, rng),
        "MonthExpense": [f"{expense:.0f}" for expense in people.expense_rub.tolist()],
        "Gender": [str(int(male)) for male in people.male.tolist()],
        "Family status": _labels(questionnaire, "family_status", v.FAMILY, people.family),
        "ChildCount": [str(children) for children in people.children.tolist()],
        "SNILS": [str(int(insured)) for insured in people.insured.tolist()],
        "Merch_code": _shops(people, rng),
        "Loan_amount": [f"{amount:.0f}" for amount in people.amount_rub.tolist()],
        "Loan_term": [str(term) for term in people.term_months.tolist()],
        "Goods_category": _labels(questionnaire, "goods_category", v.GOODS, people.goods),
        APPLIED_AT: [_day(day)[:10] for day in people.applied_day.tolist()],
    }
    _vary_categories(cells, rng)
    _leave_out(cells, rng)
    return cells


def to_csv(cells: Mapping[str, Sequence[str]]) -> bytes:
    """Return the table as CSV bytes: `;`, CRLF, UTF-8; of COLUMNS, those that `cells` has."""
    columns = [column for column in COLUMNS if column in cells]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(zip(*(cells[column] for column in columns), strict=True))
    return text.getvalue().encode("utf-8")


def _labels(questionnaire: Questionnaire, field: str, table: Mapping[str, object], index: np.ndarray) -> list[str]:
    answers = [questionnaire.answer(field, label) for label in table]
    return [answers[position] for position in index.tolist()]


def _experience(people: Population, questionnaire: Questionnaire) -> list[str]:
    answers = [questionnaire.answer("value", label) for label, _ in v.EXPERIENCE]
    bounds = [years for _, years in v.EXPERIENCE]
    index = np.searchsorted(bounds, people.experience_years, side="right")
    return [answers[position] for position in index.tolist()]


def _day(after_first: float, *, first_of_month: bool = False) -> str:
    day = FIRST_DAY + timedelta(days=round(after_first))
    return f"{day.replace(day=1) if first_of_month else day} 00:00:00.0000000"


def _title(group: int, rng: np.random.Generator) -> str:
    """Return a job title as typed: whole or cut off, in any case, sometimes with two letters swapped."""
    if group == NO_POSITION:
        return MISSING
    titles = v.OWN_BUSINESS_TITLES if group == OWNER else list(v.POSITIONS.values())[group].titles
    title = titles[rng.integers(len(titles))]
    if group >= 0 and rng.random() < 0.15:
        title = f"{v.SENIORITY[rng.integers(len(v.SENIORITY))]} {title}"
    if rng.random() < 0.02 and len(title) > 3:
        at = int(rng.integers(1, len(title) - 1))
        title = title[:at] + title[at + 1] + title[at] + title[at + 2 :]
    if rng.random() < 0.12 and len(title) > 4:
        title = title[: rng.integers(3, len(title))]
    if rng.random() < 0.15:
        title += " "
    style = rng.random()
    return title.upper() if style < 0.48 else title if style < 0.86 else title.capitalize()


def _incomes(people: Population, rng: np.random.Generator) -> list[str]:
    in_thousands = rng.random(people.income_rub.size) < THOUSANDS_SHARE
    incomes = np.where(in_thousands, people.income_rub / 1_000, people.income_rub)
    return [f"{income:.0f}" for income in incomes.tolist()]


def _shops(people: Population, rng: np.random.Generator) -> list[str]:
    unknown = rng.random(people.shop.size) < UNKNOWN_SHOP_SHARE
    strange = rng.integers(v.MAX_SHOP + 1, v.MAX_SHOP + 40, size=people.shop.size)
    return [str(shop) for shop in np.where(unknown, strange, people.shop).tolist()]


def _vary_categories(cells: Cells, rng: np.random.Generator) -> None:
    """Replace some answers by unknown categories, and some by harmless variants of themselves."""
    for column, strange in UNKNOWN_ANSWERS.items():
        draws = rng.random(len(cells[column]))
        for row in np.flatnonzero(draws < UNKNOWN_SHARE + VARIANT_SHARE).tolist():
            answer = cells[column][row]
            if draws[row] < UNKNOWN_SHARE:
                cells[column][row] = strange[rng.integers(len(strange))]
            else:
                variants = (
                    answer.lower(),
                    answer.upper(),
                    f" {answer} ",
                    answer.replace("/", "\\/"),
                )
                cells[column][row] = variants[rng.integers(len(variants))]


def _leave_out(cells: Cells, rng: np.random.Generator) -> None:
    size = len(cells["SkillFactory_Id"])
    of_client = np.where(rng.random(size) < SHORT_SHARE, 0.5, SINGLE_MISSING_SHARE)
    for column in cells:
        if column in ("SkillFactory_Id", APPLIED_AT):
            continue
        share = SHOP_MISSING_SHARE if column in SHOP_ANSWERS else of_client
        for row in np.flatnonzero(rng.random(size) < share).tolist():
            cells[column][row] = MISSING

"""A CSV of applications with bank decisions -> the matrix, the decisions, who applied and when.

The matrix comes from `deno task features`; what is read here is only what is no feature. An applicant is told by
the columns that `training.json` lists under `applicant`: rows equal in all of them (case and spaces aside) are one
person. A row in which one of them is missing is a person of its own.

Everything doubtful is an error or a warning with the row (1 is the first below the header) and the column.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from .configuration import Bank, Configuration
from .errors import TrainingError
from .project import Project

APPROVED, DENIED, NO_ANSWER = 1, 0, -1
MIN_ANSWERED: Final = 200
"""With fewer decisions an interval of the AUC is wider than +-0.08: there is nothing to be judged."""
MIN_CLASS: Final = 20
"""Approvals, and denials, that a bank must have."""
MISSING_TEXTS: Final = frozenset({"", "null"})

Matrix = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int8]
Ints = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Dataset:
    """Applications; every array is [applications] or [applications, features]."""

    configuration: Configuration
    matrix: Matrix
    decisions: dict[str, Labels]
    """Bank id -> APPROVED, DENIED or NO_ANSWER."""
    applicants: Ints
    """Equal numbers are one applicant."""
    days: Ints | None
    """Date of the application as days since 1970; none when the table has no dates."""
    warnings: tuple[str, ...]
    weights: Mapping[str, Weights] = field(default_factory=dict)
    """Bank id -> for how many applications each decision stands, with mean 1; a bank without weighs all alike."""

    def rows(self, chosen: npt.NDArray[np.bool_]) -> "Dataset":
        """Return the chosen applications."""
        return replace(
            self,
            matrix=self.matrix[chosen],
            decisions={bank: values[chosen] for bank, values in self.decisions.items()},
            applicants=self.applicants[chosen],
            days=None if self.days is None else self.days[chosen],
            weights={bank: values[chosen] for bank, values in self.weights.items()},
        )


@dataclass(frozen=True)
class Table:
    """A CSV by column id (lower case, spaces as underscores)."""

    ids: tuple[str, ...]
    rows: list[list[str]]

    def column(self, column: str) -> list[str]:
        """Return the column's cells."""
        at = self.ids.index(column_id(column))
        return [row[at] for row in self.rows]

    def __contains__(self, column: str) -> bool:
        return column_id(column) in self.ids


def column_id(header: str) -> str:
    """Return the id of a header, as `columnId` in `scoring/table.ts` does."""
    return re.sub(r"\s+", "_", header.lstrip("\ufeff").strip().lower())


def read_table(data: bytes) -> Table:
    """Read a CSV: `;` or `,`, whichever the header has more of; UTF-8.

    Raises:
        TrainingError: it is no UTF-8, empty, or a row has another number of cells than the header.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TrainingError(f"Cannot read the table as it must be UTF-8: {error}") from error
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    if len(rows) < 2:
        raise TrainingError("Cannot read the table as it must have a header and rows: it is empty")
    ids = tuple(column_id(header) for header in rows[0])
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(ids):
            raise TrainingError(
                f"Cannot read row {number}: it has {len(row)} cells, and must have {len(ids)} as the header"
            )
    return Table(ids, rows[1:])


def read_dataset(project: Project, configuration: Configuration, data: bytes) -> Dataset:
    """Read applications with decisions; see the module.

    Raises:
        TrainingError: a column is absent or a cell cannot be understood; the text says which.
    """
    table = read_table(data)
    warnings = list(_unnamed_columns(table, configuration))
    decisions = {bank.id: _decisions(table, bank, configuration) for bank in configuration.banks}
    dated = configuration.applied_column is not None and configuration.applied_column in table
    days = _days(table, configuration.applied_column) if dated and configuration.applied_column else None
    applicants = _applicants(table, configuration, warnings.append)
    matrix = feature_matrix(project, configuration, data, dated=dated)
    if matrix.shape[0] != len(table.rows):
        raise TrainingError(
            f"Cannot read the table as its features must have a row for each of its {len(table.rows)} rows: "
            f"current count is {matrix.shape[0]}; a quoted cell may hold a line break"
        )
    weights = {
        bank.id: _weights(table, bank, decisions[bank.id], warnings.append)
        for bank in configuration.banks
        if bank.weights is not None and bank.weights in table
    }
    return Dataset(configuration, matrix, decisions, applicants, days, tuple(warnings), weights)


def feature_matrix(project: Project, configuration: Configuration, data: bytes, *, dated: bool) -> Matrix:
    """Turn a table of applications into [rows, features]; NaN is missing, -1 an unknown category.

    Raises:
        TrainingError: `deno task features` refuses the table, or gives other columns.
    """
    when = ["--at", configuration.applied_otherwise.isoformat()]
    if dated and configuration.applied_column:
        when = ["--at-column", configuration.applied_column]
    text = project.run(["features", *when], stdin=data).decode("utf-8")
    lines = iter(text.splitlines())
    header = tuple(next(lines, "").split(","))
    if header != configuration.names:
        raise TrainingError(
            f"Cannot use the feature matrix as its columns must be {configuration.names}: current value is {header}"
        )
    values = [np.array([cell or "nan" for cell in line.split(",")], dtype=np.float32) for line in lines]
    return np.array(values, dtype=np.float32).reshape(-1, len(header))


def check_decisions(configuration: Configuration, decisions: dict[str, Labels]) -> None:
    """Refuse banks that cannot be learned from.

    Raises:
        TrainingError: a bank has too few decisions, or too few of one class.
    """
    for bank in configuration.banks:
        known = decisions[bank.id]
        counts = {name: int(np.sum(known == code)) for name, code in (("yes", APPROVED), ("no", DENIED))}
        where = f"Cannot train {bank.id}, column {bank.column}"
        if sum(counts.values()) < MIN_ANSWERED:
            raise TrainingError(
                f"{where}: it has {sum(counts.values())} decisions in {known.size} rows, and must have at "
                f"least {MIN_ANSWERED}; take the bank out of banks.json or bring more rows"
            )
        for name, count in counts.items():
            if count < MIN_CLASS:
                raise TrainingError(
                    f"{where}: {count} of its {sum(counts.values())} decisions are '{name}', and at least "
                    f"{MIN_CLASS} must be; take the bank out of banks.json or bring more rows"
                )


def _unnamed_columns(table: Table, configuration: Configuration) -> Sequence[str]:
    named = {
        *configuration.fields,
        *(column_id(bank.column) for bank in configuration.banks),
        *(column_id(bank.weights) for bank in configuration.banks if bank.weights is not None),
        *(column_id(name) for name in configuration.ignored),
        *(column_id(name) for name in configuration.applicant),
    }
    if configuration.applied_column:
        named.add(column_id(configuration.applied_column))
    return [
        f"column {at} ({name}) is named neither in questionnaire.json nor in training.json, and is left out: "
        "list it under ignored, or as a field if it is known before the decision"
        for at, name in enumerate(table.ids, 1)
        if name not in named
    ]


def _decisions(table: Table, bank: Bank, configuration: Configuration) -> Labels:
    if bank.column not in table:
        raise TrainingError(
            f"Cannot train {bank.id}: the table must have the column {bank.column} with its decisions, as "
            f"training.json says; its columns are {', '.join(table.ids)}"
        )
    codes: dict[str, int] = {
        **dict.fromkeys(configuration.no_answer, NO_ANSWER),
        **dict.fromkeys(configuration.approved, APPROVED),
        **dict.fromkeys(configuration.denied, DENIED),
    }
    decisions = np.empty(len(table.rows), np.int8)
    for row, cell in enumerate(table.column(bank.column)):
        code = codes.get(cell.strip().lower())
        if code is None:
            known = ", ".join(sorted(word for word in codes if word))
            raise TrainingError(
                f"Cannot read row {row + 1}, column {bank.column}: current value is {cell!r}, must be one of "
                f"{known} (training.json, decisions)"
            )
        decisions[row] = code
    return decisions


def _weights(table: Table, bank: Bank, decisions: Labels, note: Callable[[str], None]) -> Weights:
    """Return the weights of a bank's decisions, scaled to mean 1 over them; 1 where there is no decision."""
    column = bank.weights or ""
    known = decisions != NO_ANSWER
    weights = np.ones(len(table.rows))
    for row, cell in enumerate(table.column(column)):
        if not known[row]:
            continue
        try:
            weights[row] = float(cell)
        except ValueError:
            weights[row] = np.nan
        if not (np.isfinite(weights[row]) and weights[row] > 0):
            raise TrainingError(
                f"Cannot read row {row + 1}, column {column}: current value is {cell!r}, must be a number above 0, "
                f"the weight of the decision of {bank.id}"
            )
    if known.any():
        weights[known] /= weights[known].mean()
        effective = effective_size(weights[known])
        note(
            f"decisions of {bank.id} are weighted by {column}: {int(known.sum())} of them say as much as "
            f"{effective:.0f} that weigh alike"
        )
    return weights


def effective_size(weights: Weights) -> float:
    """Return how many rows of equal weight say as much: `sum(w)^2 / sum(w^2)` (L. Kish, Survey Sampling, 1965)."""
    return float(weights.sum() ** 2 / np.sum(weights**2))


def _days(table: Table, column: str) -> Ints:
    days = np.empty(len(table.rows), np.int64)
    for row, cell in enumerate(table.column(column)):
        russian = re.fullmatch(r"\s*(\d{1,2})\.(\d{1,2})\.(\d{4})\s*", cell)
        iso = "-".join((russian[3], f"{russian[2]:0>2}", f"{russian[1]:0>2}")) if russian else cell.strip()[:10]
        try:
            days[row] = date.fromisoformat(iso).toordinal() - date(1970, 1, 1).toordinal()
        except ValueError:
            raise TrainingError(
                f"Cannot read row {row + 1}, column {column}: current value is {cell!r}, must be a date such "
                "as 2023-12-01"
            ) from None
    return days


def _applicants(table: Table, configuration: Configuration, warn: Callable[[str], None]) -> Ints:
    if not configuration.applicant:
        return np.arange(len(table.rows))
    for name in configuration.applicant:
        if name not in table:
            raise TrainingError(
                f"Cannot tell the applicants: the table must have the column {name}, as training.json says "
                f"under applicant; its columns are {', '.join(table.ids)}"
            )
    numbers: dict[tuple[str, ...], int] = {}
    applicants = np.empty(len(table.rows), np.int64)
    repeated: list[tuple[int, int]] = []
    first_row: dict[int, int] = {}
    for row, key in enumerate(zip(*(table.column(name) for name in configuration.applicant), strict=True)):
        person = tuple(cell.strip().lower() for cell in key)
        if MISSING_TEXTS.intersection(person):
            person = (f"row {row}",)
        number = numbers.setdefault(person, len(numbers))
        if number in first_row:
            repeated.append((first_row[number], row + 1))
        first_row.setdefault(number, row + 1)
        applicants[row] = number
    if repeated:
        first, again = repeated[0]
        warn(
            f"{len(repeated)} rows are of applicants who stand in an earlier row (such as rows {first} and "
            f"{again}, equal in {', '.join(configuration.applicant)}): all rows of one are kept in one fold"
        )
    return applicants

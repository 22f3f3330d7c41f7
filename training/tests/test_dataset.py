"""A table is read as the configuration says; what is doubtful is named by row and column."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import small_csv, small_rows

from prescore_training.configuration import Configuration
from prescore_training.dataset import APPROVED, DENIED, NO_ANSWER, Dataset, check_decisions, column_id, read_dataset
from prescore_training.errors import TrainingError
from prescore_training.project import Project

ROW = ["c1", "1990-05-01", "2500", "own", "yes", "0", "2024-02-03"]


def changed(**cells: str) -> list[str]:
    names = ("client", "born", "income", "housing", "north", "south", "on")
    return [cells.get(name, cell) for name, cell in zip(names, ROW, strict=True)]


def refusal(small: Project, configuration: Configuration, data: bytes) -> str:
    with pytest.raises(TrainingError) as caught:
        read_dataset(small, configuration, data)
    return str(caught.value)


@pytest.fixture(scope="module")
def read(small: Project, small_configuration: Configuration) -> Dataset:
    rows = [
        ROW,
        changed(client="C1 ", north="NO", south="1", on="03.02.2024"),
        changed(client="", north="-", south="", housing="boat", income="NULL"),
        changed(client="null", north="1", south="null"),
    ]
    return read_dataset(small, small_configuration, small_csv(rows))


def test_decisions_are_read_in_any_of_the_configured_words(read: Dataset) -> None:
    assert read.decisions["north"].tolist() == [APPROVED, DENIED, NO_ANSWER, APPROVED]
    assert read.decisions["south"].tolist() == [DENIED, APPROVED, NO_ANSWER, NO_ANSWER]


def test_features_are_those_of_the_service_at_the_rows_own_date(read: Dataset) -> None:
    assert read.configuration.names == ("age", "income", "housing")
    assert read.matrix[0].tolist() == pytest.approx([33.76, 2500, 0], abs=0.01)
    assert np.isnan(read.matrix[2, 1])
    assert read.matrix[2, 2] == -1


def test_applicants_are_told_by_their_columns_and_a_missing_one_is_alone(read: Dataset) -> None:
    first, second, third, fourth = read.applicants.tolist()
    assert first == second
    assert len({first, third, fourth}) == 3
    assert read.warnings == (
        "1 rows are of applicants who stand in an earlier row (such as rows 1 and 2, equal in client): all rows of "
        "one are kept in one fold",
    )


def test_dates_are_read_in_both_forms(read: Dataset) -> None:
    assert read.days is not None
    assert len(set(read.days.tolist())) == 1


def test_a_table_without_the_date_column_has_no_dates(small: Project, small_configuration: Configuration) -> None:
    data = small_csv([ROW[:-1]], "client,born,income,housing,North says,south")
    assert read_dataset(small, small_configuration, data).days is None


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        ([changed(north="maybe")], None, r"row 1, column North says: current value is 'maybe', must be one of .*yes"),
        ([ROW, changed(south="2")], None, r"row 2, column south: current value is '2'"),
        ([ROW, changed(on="soon")], None, r"row 2, column on: current value is 'soon', must be a date such as"),
        ([ROW, changed(on="2024-02-30")], None, r"row 2, column on: current value is '2024-02-30'"),
        ([ROW[:-1]], None, r"row 1: it has 6 cells, and must have 7"),
        ([ROW], "client,born,income,housing,north,south,on", r"Cannot train north: .*column North says"),
        ([ROW], "person,born,income,housing,North says,south,on", r"must have the column client.*under applicant"),
        ([changed(income="much")], None, r"row 1, column income: current value is \"much\""),
        ([], None, "it is empty"),
    ],
)
def test_what_cannot_be_read_is_named_by_row_and_column(
    small: Project, small_configuration: Configuration, rows: list[list[str]], header: str | None, said: str
) -> None:
    data = small_csv(rows, header) if header else small_csv(rows)
    assert re.search(said, refusal(small, small_configuration, data))


def test_other_encodings_are_refused(small: Project, small_configuration: Configuration) -> None:
    data = small_csv([changed(housing="своё")]).decode().encode("cp1251")
    assert "must be UTF-8" in refusal(small, small_configuration, data)


def test_a_column_that_nobody_names_is_a_warning(small: Project, small_configuration: Configuration) -> None:
    data = small_csv([[*ROW, "x", "9"]], "client,born,income,housing,North says,south,on,note,Paid back")
    (warning,) = read_dataset(small, small_configuration, data).warnings
    assert warning.startswith("column 9 (paid_back) is named neither in questionnaire.json nor in training.json")


@pytest.mark.parametrize(
    ("decisions", "said"),
    [
        ([1, 0] * 15, "it has 30 decisions in 30 rows, and must have at least 200"),
        ([1] * 300, "0 of its 300 decisions are 'no'"),
        ([0] * 300, "0 of its 300 decisions are 'yes'"),
        ([1] * 19 + [0] * 300, "19 of its 319 decisions are 'yes', and at least 20 must be"),
        ([-1] * 300, "it has 0 decisions in 300 rows"),
    ],
)
def test_banks_that_cannot_be_learned_are_refused(
    small_configuration: Configuration, decisions: list[int], said: str
) -> None:
    good = np.array(([1, 0] * 200)[: len(decisions)], np.int8)
    given_ = {"north": np.tile(good, 2), "south": np.array(decisions, np.int8)}
    if len(decisions) < 100:
        given_["north"] = np.array([1, 0] * 200, np.int8)
    with pytest.raises(TrainingError, match=f"Cannot train south, column south: .*{re.escape(said)}"):
        check_decisions(small_configuration, given_)


@given(st.text(alphabet=" \tABc_й\ufeff", max_size=12))
def test_column_ids_are_lower_case_words_joined_by_underscores(header: str) -> None:
    found = column_id(header)
    assert found == found.lower()
    assert not re.search(r"\s", found)
    assert column_id(found.replace("\ufeff", "")) == found.replace("\ufeff", "")


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1_000))
def test_any_generated_table_is_read_row_by_row(small: Project, small_configuration: Configuration, seed: int) -> None:
    rows = small_rows(40, seed=seed)
    data = read_dataset(small, small_configuration, small_csv(rows))
    assert data.matrix.shape == (40, 3)
    assert [(value == APPROVED) for value in data.decisions["north"]] == [row[4] == "yes" for row in rows]


def weighted(*weights: str) -> bytes:
    rows = [[*changed(client=f"c{at}", north="yes" if at else "-"), weight] for at, weight in enumerate(weights)]
    return small_csv(rows, "client,born,income,housing,North says,south,on,north weighs")


def test_weights_are_scaled_to_those_with_a_decision_and_what_they_are_worth_is_said(
    small: Project, small_configuration: Configuration
) -> None:
    data = read_dataset(small, small_configuration, weighted("", "1", "3"))
    assert data.weights["north"].tolist() == [1, 0.5, 1.5]
    assert "south" not in data.weights
    assert data.warnings[-1].endswith("2 of them say as much as 2 that weigh alike")
    assert data.rows(np.array([False, True, False])).weights["north"].tolist() == [0.5]


@pytest.mark.parametrize("weight", ["", "0", "-1", "much", "inf"])
def test_a_decision_without_a_good_weight_is_named(
    small: Project, small_configuration: Configuration, weight: str
) -> None:
    said = refusal(small, small_configuration, weighted("", "1", weight))
    assert said.startswith("Cannot read row 3, column North weighs: current value is ")
    assert "must be a number above 0" in said

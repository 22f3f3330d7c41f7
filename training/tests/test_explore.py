"""The exploration report stands alone, shows what people expect, and points at leaks, duplicates and shifts."""

import re
from dataclasses import replace

import numpy as np
import pytest
from support import small_csv, small_rows

from prescore_training.charts import Series, bars, curves, heat
from prescore_training.configuration import Configuration
from prescore_training.dataset import Dataset, read_dataset
from prescore_training.explore import bins_of, exploration_report, information_value
from prescore_training.project import Project

ROWS = small_rows(600)


@pytest.fixture(scope="module")
def raw() -> bytes:
    return small_csv([*ROWS, [*ROWS[0][:4], "no" if ROWS[0][4] == "yes" else "yes", *ROWS[0][5:]]])


@pytest.fixture(scope="module")
def data(small: Project, small_configuration: Configuration, raw: bytes) -> Dataset:
    return read_dataset(small, small_configuration, raw)


def test_the_report_is_one_file_with_every_part(data: Dataset, raw: bytes) -> None:
    report = exploration_report("small.csv", data, raw)
    assert not re.search(r"(src|href)=|https?://|@import|url\(", report)
    for part in (
        "To look at first",
        "Banks",
        "Missing answers",
        "Which answers go",
        "Over time",
        "Correlation",
        "north",
    ):
        assert part in report
    assert report.count("<svg") > 3 * 3


def test_duplicates_and_contradictions_are_named_by_row(data: Dataset, raw: bytes) -> None:
    report = exploration_report("small.csv", data, raw)
    assert "1 of 601 rows repeat an earlier application (such as 1 and 601)" in report
    assert "a bank decided otherwise on the same application (such as north on rows 1 and 601)" in report


def test_leaks_and_shifts_are_pointed_at(data: Dataset, raw: bytes) -> None:
    matrix = data.matrix.copy()
    matrix[:, 0] = data.decisions["south"] + np.linspace(0, 0.1, len(matrix))
    matrix[:, 1] = np.where(data.decisions["north"] == 1, np.nan, matrix[:, 1])
    assert data.days is not None
    late = data.days > np.median(data.days)
    matrix[late, 0] += 1_000
    report = exploration_report("x", replace(data, matrix=matrix), raw)
    assert "age shifted between the halves of the time" in report
    assert "where income is missing north approves" in report
    matrix[late, 0] -= 1_000
    report = exploration_report("x", replace(data, matrix=matrix), raw)
    assert "age alone tells the decisions of south (AUC 1.000)" in report


def test_a_change_of_policy_is_pointed_at(data: Dataset, raw: bytes) -> None:
    assert data.days is not None
    decisions = {**data.decisions, "south": (data.days > np.median(data.days)).astype(np.int8)}
    assert "has its policy changed?" in exploration_report("x", replace(data, decisions=decisions), raw)


def test_information_value_follows_its_formula() -> None:
    labels = np.array([1] * 300 + [0] * 100 + [1] * 100 + [0] * 300, np.int8)
    first = np.arange(800) < 400
    expected = 2 * (0.75 - 0.25) * np.log(3)
    assert information_value(labels, [first, ~first]) == pytest.approx(expected, rel=0.02)
    assert information_value(labels, [np.ones(800, bool)]) == 0


def test_bins_cover_every_row_once(data: Dataset) -> None:
    for column, feature in enumerate(data.configuration.features):
        bins = bins_of(feature, data.matrix[:, column].astype(float))
        assert np.array_equal(sum(one.rows.astype(int) for one in bins), np.ones(len(data.matrix)))
        assert len({one.label for one in bins}) == len(bins)


def test_charts_of_nothing_say_so() -> None:
    assert "no data" in bars("empty", [], [])
    assert "no data" in curves("empty", [Series("none", [], [])])
    assert "no data" in heat("empty", [], [])
    assert "&lt;b&gt;" in bars("one", ["<b>"], [0.0])

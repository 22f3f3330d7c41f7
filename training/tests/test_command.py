"""The commands write what they promise, and end a user's mistake with one clear sentence."""

import csv
from pathlib import Path

import pytest
from support import SMALL_CONFIGS, Ended, run_command, small_csv, small_rows

from prescore_training.errors import TrainingError
from prescore_training.project import Project, find_project
from prescore_training.table import COLUMNS

SAMPLE = Path(__file__).parents[1] / "sample" / "applications.csv"


@pytest.fixture(autouse=True)
def _inside_the_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.folder)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "small.csv"
    path.write_bytes(small_csv(small_rows(700)))
    return path


def test_simulate_writes_applications_with_decisions(tmp_path: Path) -> None:
    out = tmp_path / "sample.csv"
    ended = run_command("simulate", "--rows", "20", "--seed", "4", "--out", str(out))
    assert (ended.status, ended.err) == (0, "")
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 21


def test_sample_is_what_simulate_writes(tmp_path: Path) -> None:
    out = tmp_path / "sample.csv"
    run_command("simulate", "--rows", "300", "--seed", "7", "--out", str(out))
    assert out.read_bytes() == SAMPLE.read_bytes(), "write it anew: see training/README.md"


def test_another_questionnaire_and_other_banks_need_no_code(table: Path, tmp_path: Path) -> None:
    """The whole way, from a CSV and a config folder; a bank that throws coins has no evidence."""
    out = tmp_path / "models" / "2024"
    common = ("--data", str(table), "--config", str(SMALL_CONFIGS), "--trials", "1")
    quick = ("--families", "logistic_regression,lightgbm", "--journal", str(tmp_path / "journal.jsonl"))
    ended = run_command("train", *common, *quick, "--out", str(out))
    assert ended.status == 0, ended.err
    assert "north: logistic regression" in ended.out
    assert "written:" in ended.out
    south = next(line for line in ended.out.splitlines() if line.strip().startswith("south:") and "AUC" in line)
    assert "no evidence of signal" in south
    card = (out / "MODEL_CARD.md").read_text()
    assert "**No evidence of signal: south.**" in card
    assert "no evidence of signal" in (out / "report.html").read_text()
    judged = run_command("evidence", *common, *quick)
    assert judged.status == 0
    assert judged.out.startswith("north: signal: AUC 0.")


def test_explore_writes_a_report(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    ended = run_command("explore", "--data", str(table), "--config", str(SMALL_CONFIGS), "--out", str(out))
    assert ended.status == 0, ended.err
    assert out.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "--out", "x", "--applications", "10"), "current value is 10, must be a whole number from 2000"),
        (("train", "--out", "x", "--seed", "-1"), "current value is -1, must be a whole number from 0"),
        (("train", "--out", "x", "--trials", "two"), "current value is two, must be a whole number"),
        (("train", "--out", "x", "--families", "xgboost,svm"), "current value is svm, must be of logistic_regression"),
        (("train",), "--out"),
        (("explore",), "--data"),
        (("simulate", "--out", "x"), "--rows"),
        (("simulate", "--out", "x", "--rows", "0"), "current value is 0, must be a whole number from 1"),
        (("train", "--out", "x", "extra"), "extra"),
        ((), "command"),
        (("forecast",), "forecast"),
    ],
)
def test_wrong_arguments_end_with_status_2(arguments: tuple[str, ...], said: str) -> None:
    ended = run_command(*arguments)
    assert ended.status == 2
    assert said in ended.err


def assert_one_sentence(ended: Ended, *parts: str) -> None:
    assert ended.status == 1
    assert "Traceback" not in ended.err
    for part in parts:
        assert part in ended.err


def test_missing_deno_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PRESCORE_DENO", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = run_command("simulate", "--rows", "1", "--out", str(tmp_path / "x.csv"))
    assert_one_sentence(ended, "deno must be on PATH", str(tmp_path))


def test_deno_is_found_by_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRESCORE_DENO", str(tmp_path / "none"))
    assert_one_sentence(
        run_command("simulate", "--rows", "1", "--out", str(tmp_path / "x")), "it must be the program deno"
    )


def test_a_failing_project_command_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deno = tmp_path / "deno"
    deno.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    deno.chmod(0o755)
    monkeypatch.setenv("PRESCORE_DENO", str(deno))
    ended = run_command("simulate", "--rows", "1", "--out", str(tmp_path / "x.csv"))
    assert_one_sentence(ended, "current value is 3", "broken")


def test_out_that_cannot_hold_a_version_is_refused_before_any_work(table: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    common = ("train", "--data", str(table), "--config", str(SMALL_CONFIGS), "--out")
    assert_one_sentence(run_command(*common, str(tmp_path / "file")), "--out must be a folder", "Not a directory")
    assert_one_sentence(run_command(*common, str(tmp_path)), "new or a model version, but it holds")


def test_files_that_cannot_be_read_or_written_are_named(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "none" / "x.csv"
    assert_one_sentence(run_command("simulate", "--rows", "1", "--out", str(out)), str(out))
    assert_one_sentence(run_command("explore", "--data", str(out)), "--data must be a readable file", str(out))
    wrong = run_command("explore", "--data", str(table), "--config", str(tmp_path / "none"))
    assert_one_sentence(wrong, "--config must be a folder")


def test_a_feature_to_leave_out_must_exist(table: Path, tmp_path: Path) -> None:
    ended = run_command(
        "train", "--data", str(table), "--config", str(SMALL_CONFIGS), "--out", str(tmp_path / "1"),
        "--leave-out", "sex",
    )  # fmt: skip
    assert_one_sentence(ended, "Cannot leave out sex as it must be a feature: one of age, income, housing")


def test_a_wrong_configuration_is_explained(table: Path, tmp_path: Path) -> None:
    for path in SMALL_CONFIGS.iterdir():
        text = path.read_text().replace('"feature": "housing"', '"feature": "house"')
        (tmp_path / path.name).write_text(text)
    ended = run_command("explore", "--data", str(table), "--config", str(tmp_path))
    assert_one_sentence(ended, "protected.0.feature: current value is house: must be a feature: age, income, housing")


def test_a_folder_outside_the_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=f"deno.json and tasks/train.ts: current value is {tmp_path}"):
        find_project(tmp_path)

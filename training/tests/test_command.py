"""The commands write what they promise, and end a user's mistake with one clear sentence."""

import csv
from pathlib import Path

import pytest
from support import Ended, run_command

from prescore_training.errors import TrainingError
from prescore_training.project import find_project
from prescore_training.table import COLUMNS

SAMPLE = Path(__file__).parents[1] / "sample" / "applications.csv"


@pytest.fixture(autouse=True)
def _inside_the_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)


def test_simulate_writes_applications_with_decisions(tmp_path: Path) -> None:
    out = tmp_path / "sample.csv"
    ended = run_command("simulate", "--rows", "20", "--seed", "4", "--out", str(out))
    assert (ended.status, ended.err) == (0, "")
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 21


def test_the_sample_is_what_the_command_writes(tmp_path: Path) -> None:
    out = tmp_path / "sample.csv"
    run_command("simulate", "--rows", "300", "--seed", "7", "--out", str(out))
    assert out.read_bytes() == SAMPLE.read_bytes(), "write it anew: see training/README.md"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "x", "--applicants", "10"), "current value is 10, must be a whole number from 1000"),
        (("--out", "x", "--seed", "-1"), "current value is -1, must be a whole number from 0"),
        (("--out", "x", "--seed", "two"), "current value is two, must be a whole number"),
        ((), "--out"),
        (("simulate", "--out", "x"), "--rows"),
        (("simulate", "--out", "x", "--rows", "0"), "current value is 0, must be a whole number from 1"),
        (("--out", "x", "extra"), "extra"),
    ],
)
def test_wrong_arguments_end_with_status_2(arguments: tuple[str, ...], said: str) -> None:
    ended = run_command(*arguments)
    assert ended.status == 2
    assert said in ended.err


def assert_one_sentence(ended: Ended, *parts: str) -> None:
    assert ended.status == 1
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
    for part in parts:
        assert part in ended.err


def test_missing_deno_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = run_command("simulate", "--rows", "1", "--out", str(tmp_path / "x.csv"))
    assert_one_sentence(ended, "deno must be on PATH", str(tmp_path))


def test_out_that_is_a_file_is_refused_before_any_work(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    ended = run_command("--out", str(file))
    assert_one_sentence(ended, "--out must be a folder that can be written", str(file))
    assert ended.out == ""


def test_sample_into_a_missing_folder_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "none" / "x.csv"
    assert_one_sentence(run_command("simulate", "--rows", "1", "--out", str(out)), str(out))


def test_a_folder_outside_the_project_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert_one_sentence(run_command("--out", "models/1"), "deno.json", str(tmp_path))
    with pytest.raises(TrainingError, match="Cannot find the project"):
        find_project(tmp_path)


def test_a_failing_feature_command_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deno = tmp_path / "deno"
    deno.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    deno.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    ended = run_command("simulate", "--rows", "1", "--out", str(tmp_path / "x.csv"))
    assert_one_sentence(ended, "current value is 3", "broken")

"""A search that was interrupted ends like one that was not; the journal survives being cut off."""

import json
from pathlib import Path
from typing import Any

import pytest
from support import family, problem, setting

from prescore_training import tuning
from prescore_training.errors import TrainingError
from prescore_training.families import ROUNDS
from prescore_training.tuning import Journal, trials_of, tune

PROBLEM = problem(300, seed=1)


def search(journal: Journal, name: str = "xgboost", budget: int = 5) -> dict[str, object]:
    return tune(family(name), PROBLEM, setting(), budget=budget, journal=journal, tick=lambda: None)


class InterruptedSearchError(Exception):
    """Stands for a kill."""


def test_an_interrupted_search_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.jsonl"
    whole = search(Journal())
    ticks = 0

    def stop_at_third() -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 3:
            raise InterruptedSearchError

    with pytest.raises(InterruptedSearchError):
        tune(family("xgboost"), PROBLEM, setting(), budget=5, journal=Journal(path), tick=stop_at_third)
    assert len(Journal(path)) == 3
    measured: list[int] = []
    own = tuning._try  # noqa: SLF001 - counts what is measured again

    def counting(*given: Any) -> dict[str, float]:  # noqa: ANN401
        measured.append(1)
        return own(*given)

    monkeypatch.setattr(tuning, "_try", counting)
    assert search(Journal(path)) == whole
    assert len(measured) == 2
    assert search(Journal(path)) == whole
    assert len(measured) == 2


def test_a_journal_that_was_cut_off_loses_only_its_last_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    search(Journal(path))
    text = path.read_text()
    path.write_text(text[:-20])
    assert len(Journal(path)) == 4
    assert path.read_text().count("\n") == 4
    path.write_text('{"key": 1}\n[]\nnull\n' + text)
    assert len(Journal(path)) == 5


def test_other_rows_or_seeds_are_measured_anew(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    search(journal)
    other = problem(300, seed=2)
    tune(family("xgboost"), other, setting(), budget=5, journal=journal, tick=lambda: None)
    assert len(journal) == 10


def test_a_journal_in_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match="Cannot use the journal"):
        Journal(tmp_path / "file" / "journal.jsonl")


@pytest.mark.parametrize("name", ["logistic_regression", "random_forest", "xgboost", "lightgbm", "mlp"])
def test_every_family_is_tuned_within_its_budget(name: str) -> None:
    ticks: list[int] = []
    found = tune(family(name), PROBLEM, setting(), budget=2, journal=Journal(), tick=lambda: ticks.append(1))
    assert len(ticks) == trials_of(family(name), 2)
    assert (ROUNDS in found) == (name in ("xgboost", "lightgbm"))


def test_a_search_never_does_worse_than_its_first_trial(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    search(Journal(path), budget=6)
    losses = [json.loads(line)["value"]["log_loss"] for line in path.read_text().splitlines()]
    found = search(Journal(path), budget=6)
    first = search(Journal(path), budget=1)
    assert (found == first) == (min(losses) == losses[0])

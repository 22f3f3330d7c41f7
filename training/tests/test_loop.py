"""The whole loop: applications and what banks decided go to a service, are exported from it, and train a version."""

import csv
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from support import run_command

from prescore_training.project import Project
from prescore_training.table import MISSING

ROWS = 900
DECISIONS = {"success": "approved", "denied": "refused"}


@dataclass(frozen=True)
class Service:
    url: str

    def post(self, path: str, body: object, **headers: str) -> dict[str, object]:
        sent = {"Content-Type": "application/json", **headers}
        with urlopen(Request(self.url + path, json.dumps(body).encode(), sent)) as response:  # noqa: S310
            answer: dict[str, object] = json.load(response)
            return answer


@contextmanager
def _service(project: Project, environment: dict[str, str], folder: Path) -> Iterator[Service]:
    command = ["deno", "run", "--quiet", "-P=start", f"--allow-write={folder}", "main.ts"]
    with subprocess.Popen(
        command, cwd=project.folder, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout
            lines = iter(process.stdout.readline, "")
            url = next(found[1] for line in lines if (found := re.search(r"listens on (http:\S+)", line)))
            yield Service(url)
        finally:
            # With whatever started it on `deno`'s behalf.
            os.killpg(process.pid, signal.SIGTERM)


def test_what_the_service_exports_trains_a_version(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    sample = tmp_path / "sample.csv"
    assert run_command("simulate", "--rows", str(ROWS), "--seed", "11", "--out", str(sample)).status == 0
    environment = {
        **os.environ,
        "PRESCORE_PORT": "0",
        "PRESCORE_DATABASE_URL": f"file:{tmp_path}/loop.db",
    }
    _tell(project, environment, sample, tmp_path)

    exported = tmp_path / "exported.csv"
    task = ["deno", "task", "export-training", "--out", str(exported)]
    subprocess.run(task, cwd=project.folder, env=environment, check=True, capture_output=True)
    assert len(exported.read_text().splitlines()) == ROWS + 1

    out = tmp_path / "models" / "9"
    quick = ("--trials", "1", "--families", "logistic_regression", "--journal", str(tmp_path / "journal.jsonl"))
    ended = run_command("train", "--data", str(exported), *quick, "--golden-rows", "50", "--out", str(out))
    assert ended.status == 0, ended.err
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["version"] == "9"
    assert (out / "MODEL_CARD.md").read_text().startswith("#")


def _tell(project: Project, environment: dict[str, str], sample: Path, folder: Path) -> None:
    """Send every row as an application, and then what each bank decided of it."""
    fields = json.loads((project.folder / "configs" / "questionnaire.json").read_text())["fields"]
    types = {field["id"]: field["type"] for field in fields}
    with sample.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file, delimiter=";"))
    outcomes = []
    with _service(project, environment, folder) as service:
        for row in table:
            cells = {name.lower().replace(" ", "_"): cell for name, cell in row.items()}
            answers = {
                name: cells[name] if kind == "string" else float(cells[name])
                for name, kind in types.items()
                if cells[name] != MISSING
            }
            application = service.post("/v1/applications", {"answers": answers}, Prefer="wait=10")
            for letter in "abcde":
                decision = DECISIONS.get(cells[f"bank{letter}_decision"])
                if decision is not None:
                    outcomes.append(
                        {
                            "application": application["id"],
                            "bank": f"bank_{letter}",
                            "decision": decision,
                            "decidedAt": datetime.now(UTC).isoformat(),
                        }
                    )
        for at in range(0, len(outcomes), 1000):
            told = service.post("/v1/outcomes", {"outcomes": outcomes[at : at + 1000]})
            assert told["rejected"] == []

"""A trained version is whole, true to its hashes, reproducible, judged, and close to the best possible models."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from support import APPLICATIONS, QUICK, Published

from prescore_training.evidence import THRESHOLD
from prescore_training.pipeline import Options, train
from prescore_training.policies import LENDERS
from prescore_training.project import Project
from prescore_training.table import BANKS
from prescore_training.world import simulated

MAX_VERSION_BYTES = 6_000_000


@pytest.fixture(scope="module")
def manifest(published: Published) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((published.folder / "manifest.json").read_text())
    return document


@pytest.fixture(scope="module")
def golden(published: Published) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((published.folder / "golden.json").read_text())
    return document


def test_manifest_names_true_hashes(published: Published, manifest: dict[str, Any]) -> None:
    assert manifest["version"] == "7"
    assert list(manifest["models"]) == list(BANKS)
    models = manifest["models"].values()
    files = [model[kind] for model in models for kind in ("onnx", "forest") if kind in model]
    for entry in [manifest["golden"], manifest["drift"], *files]:
        data = (published.folder / entry["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]


def test_manifest_carries_evidence_and_band(manifest: dict[str, Any]) -> None:
    for model in manifest["models"].values():
        evidence, band = model["evidence"], model["band"]
        assert evidence["signal"]
        assert THRESHOLD < evidence["low"] < evidence["auc"] < evidence["high"] < 1
        assert len(band["below"]) == len(band["above"]) == len(band["edges"]) + 1


def test_manifest_carries_the_dependence_of_its_models(manifest: dict[str, Any]) -> None:
    assert list(manifest["dependence"]["loadings"]) == list(manifest["models"])
    for found in manifest["dependence"]["loadings"].values():
        assert -1 < found["low"] < found["loading"] < found["high"] < 1
        assert 1_000 < found["applications"] <= APPLICATIONS


def test_version_holds_its_files_and_stays_small(published: Published, manifest: dict[str, Any]) -> None:
    files = {path.name: path.stat().st_size for path in published.folder.iterdir()}
    models = {
        entry[kind]["file"] for entry in manifest["models"].values() for kind in ("onnx", "forest") if kind in entry
    }
    assert set(files) == {"manifest.json", "golden.json", "drift.json", "MODEL_CARD.md", "report.html", *models}
    assert sum(files.values()) < MAX_VERSION_BYTES
    assert [path.name for path in published.folder.parent.iterdir()] == ["7"]


def test_nothing_is_pickled() -> None:
    source = Path(__file__).parents[1] / "src"
    assert not [path for path in source.rglob("*.py") if re.search(r"\b(pickle|joblib|dill)\b", path.read_text())]


def test_golden_rows_are_float32_and_awkward(golden: dict[str, Any]) -> None:
    rows = np.array(golden["rows"], dtype=np.float64)
    assert rows.shape == (1_000, 20)
    assert np.array_equal(rows, rows.astype(np.float32).astype(np.float64), equal_nan=True)
    assert 0.12 < np.isnan(rows).mean() < 0.2
    education = rows[:, golden["features"].index("education")]
    assert np.any(education == -1)
    assert np.any(education == 987_654)
    assert np.any(np.abs(rows) >= 1e8)


def test_golden_probabilities_are_those_of_onnx_runtime(published: Published, golden: dict[str, Any]) -> None:
    rows = np.array(golden["rows"], dtype=np.float32)
    for bank in BANKS:
        session = ort.InferenceSession(published.folder / f"{bank}.onnx", providers=["CPUExecutionProvider"])
        (given,) = session.run(None, {"features": rows})
        assert np.abs(given[:, 0] - np.array(golden["probabilities"][bank])).max() < 1e-5


def test_card_says_what_the_models_are(published: Published) -> None:
    card = (published.folder / "MODEL_CARD.md").read_text()
    for part in (
        "**The lenders are simulated.**",
        "## Evidence",
        "## Dependence",
        "## Fairness",
        "## Limits",
        "## Intended use",
    ):
        assert part in card
    assert f"{APPLICATIONS:,} applications of" in card
    assert re.search(r"from 2022-01-0\d to 2023-12-(2|3)\d", card)
    for lender in LENDERS:
        assert f"### {lender.bank}: {lender.policy.__name__.replace('_', ' ')}" in card


def test_report_stands_alone(published: Published) -> None:
    report = (published.folder / "report.html").read_text()
    assert not re.search(r"(src|href)=|https?://", report)
    assert report.count("Reliability: observed over predicted") == 2 * len(BANKS)
    assert "<h2>Do refusals hang together beyond the answers?</h2>" in report


def test_same_seed_gives_the_same_bytes_and_an_older_version_is_replaced(
    project: Project, published: Published, tmp_path: Path
) -> None:
    again = tmp_path / "7"
    again.mkdir()
    (again / "bank_z.onnx").write_bytes(b"of an older run")
    data, origin = simulated(project, applications=APPLICATIONS, seed=3)
    train(project, again, data, origin, Options(seed=3, trials=1, families=QUICK, threads=1), lambda _: None)
    files = {path.name: path.read_bytes() for path in published.folder.iterdir()}
    assert {path.name: path.read_bytes() for path in again.iterdir()} == files


def test_models_come_close_to_the_best_possible(published: Published) -> None:
    # 3,000 applications and one trial: further from the best than the card's.
    lines = [line for line in published.said if "best possible" in line]
    assert len(lines) == len(BANKS)
    for line in lines:
        found = re.search(r"AUC ([\d.]+) \(best possible ([\d.]+)\), log loss [\d.]+, ECE ([\d.]+)", line)
        assert found, line
        auc, best, ece = map(float, found.groups())
        assert best - auc < 0.07
        assert ece < 0.13

"""A published version is whole, true to its hashes, reproducible, and close to the best possible models."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from support import APPLICANTS, Published

from prescore_training.export import MAX_DIFFERENCE
from prescore_training.features import describe_features
from prescore_training.policies import LENDERS, Lender
from prescore_training.publish import publish
from prescore_training.simulate import Simulation
from prescore_training.table import BANKS
from prescore_training.train import predict, train_one

MAX_VERSION_BYTES = 6_000_000


@pytest.fixture(scope="module")
def manifest(published: Published) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((published.folder / "manifest.json").read_text())
    return document


@pytest.fixture(scope="module")
def golden(published: Published) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((published.folder / "golden.json").read_text())
    return document


def test_manifest_names_the_features_and_true_hashes(
    project: Path, published: Published, manifest: dict[str, Any]
) -> None:
    space = describe_features(project)
    assert manifest["version"] == "7"
    assert manifest["features"] == {"names": list(space.names), "sha256": space.sha256}
    assert list(manifest["models"]) == list(BANKS)
    models = manifest["models"].values()
    for entry in [manifest["golden"], *(model[kind] for model in models for kind in ("onnx", "forest"))]:
        data = (published.folder / entry["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]


def test_version_holds_its_files_and_stays_small(published: Published) -> None:
    files = {path.name: path.stat().st_size for path in published.folder.iterdir()}
    models = {f"{bank}.{kind}" for bank in BANKS for kind in ("onnx", "forest")}
    assert set(files) == {"manifest.json", "golden.json", "MODEL_CARD.md", *models}
    assert sum(files.values()) < MAX_VERSION_BYTES


def test_golden_rows_are_float32_and_awkward(golden: dict[str, Any], manifest: dict[str, Any]) -> None:
    assert golden["features"] == manifest["features"]["names"]
    rows = np.array(golden["rows"], dtype=np.float64)
    assert rows.shape == (1_000, 20)
    assert np.array_equal(rows, rows.astype(np.float32).astype(np.float64), equal_nan=True)
    assert 0.12 < np.isnan(rows).mean() < 0.2
    assert np.any(rows[:, golden["features"].index("education")] == -1)
    assert np.any(np.abs(rows) >= 1e8)


def test_golden_probabilities_are_those_of_onnx_runtime(published: Published, golden: dict[str, Any]) -> None:
    rows = np.array(golden["rows"], dtype=np.float32)
    for bank in BANKS:
        session = ort.InferenceSession(published.folder / f"{bank}.onnx", providers=["CPUExecutionProvider"])
        (given,) = session.run(None, {"features": rows})
        assert given[:, 0] == pytest.approx(golden["probabilities"][bank], abs=MAX_DIFFERENCE)


def test_card_says_what_the_models_are(published: Published) -> None:
    card = (published.folder / "MODEL_CARD.md").read_text()
    assert "**The lenders are simulated.**" in card
    assert f"{APPLICANTS:,} simulated applications, seed 3" in card
    for lender in LENDERS:
        assert f"### {lender.bank}: {lender.policy.__name__.replace('_', ' ')}" in card


def test_progress_names_every_step(published: Published) -> None:
    steps = [line for line in published.progress if not line.startswith(" ")]
    assert [line.split(":")[0] for line in steps] == [
        "1/5 simulate",
        "2/5 train",
        "3/5 export",
        "4/5 write",
        "5/5 compile",
    ]


def test_same_seed_gives_the_same_bytes(project: Path, published: Published, tmp_path: Path) -> None:
    again = tmp_path / "7"
    publish(project, again, applicants=APPLICANTS, seed=3, say=lambda _: None)
    for path in published.folder.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name


@pytest.mark.parametrize("lender", LENDERS, ids=lambda lender: lender.bank)
def test_models_come_close_to_the_best_possible(simulation: Simulation, lender: Lender) -> None:
    # 20,000 applications, a third of a release's: a little further from the best than the card's.
    quality = train_one(simulation, lender, seed=1).quality
    assert quality.best_auc - quality.auc < 0.02
    assert quality.log_loss - quality.best_log_loss < 0.02
    assert quality.calibration_error < 0.04


def test_larger_loans_are_never_approved_sooner_by_a_constrained_model(simulation: Simulation) -> None:
    lender = LENDERS[0]
    booster = train_one(simulation, lender, seed=1).booster
    names = simulation.space.names
    rows = simulation.matrix[:500].copy()
    before = predict(booster, rows)
    for name in ("loan_amount", "monthly_payment", "payment_to_income"):
        rows[:, names.index(name)] *= 1.5
    assert np.all(predict(booster, rows) <= before)

"""One run from the simulation to a model version: ONNX, forests, manifest, golden rows and card in a folder.

The folder's name is the version. The same seed gives the same bytes with the pinned packages on one kind of
processor; across processors the last bits of sums may differ.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .card import model_card
from .deno import run_task
from .errors import TrainingError
from .export import check_export, run_onnx, to_onnx
from .forest import read_forest
from .golden import golden_json, golden_rows
from .policies import Applications
from .questionnaire import load_questionnaire
from .simulate import Simulation, simulate
from .train import Trained, predict, split, train_all

Progress = Callable[[str], None]

MIN_APPLICANTS = 1_000
"""With fewer, a bank's held-out part may lack one of the classes, and figures mean nothing."""


def publish(project: Path, out: Path, *, applicants: int, seed: int, say: Progress) -> None:
    """Simulate, train, export, check and write a model version into `out`.

    Args:
        project: folder of the project.
        out: folder of the version, made where it is missing; only this run's own files are replaced.
        applicants: simulated applications, MIN_APPLICANTS or more.
        seed: 0 or more.
        say: takes a progress line.

    Raises:
        TrainingError: the folder cannot be written, features cannot be computed, or an export is not exact.
    """
    check_writable(out)
    say(f"1/5 simulate: {applicants} applications, seed {seed}")
    simulation = simulate(project, applicants=applicants, seed=seed)
    say("2/5 train: one forest per bank")
    trained = []
    for one in train_all(simulation, seed=seed):
        trained.append(one)
        say(
            f"    {one.quality.bank}: {one.quality.trees} trees, AUC {one.quality.auc:.4f} "
            f"(best possible {one.quality.best_auc:.4f}), ECE {one.quality.calibration_error:.4f}"
        )
    say("3/5 export: ONNX, compared with XGBoost row by row")
    files = _export(simulation, trained, _held_out(project, simulation), seed, say)
    say(f"4/5 write: {out}")
    version = out.resolve().name
    files["manifest.json"] = _manifest(version, simulation, trained, files)
    card = model_card(version, simulation.space, trained, applicants=applicants, seed=seed)
    files["MODEL_CARD.md"] = card.encode()
    for name, data in files.items():
        write_file(out / name, data)
    say("5/5 compile: forests for the service, checked on the golden rows")
    for line in run_task(project, ["compile-models", str(out.resolve())]).decode("utf-8").splitlines():
        say(f"    {line}")


def _held_out(project: Path, simulation: Simulation) -> Applications:
    """Return the held-out applications of the simulation."""
    _, _, test = split(simulation.matrix.shape[0])
    return Applications(simulation.space.names, simulation.matrix[test], load_questionnaire(project))


def check_writable(folder: Path) -> None:
    """Make the folder and prove that files can be made in it, before hours are spent.

    Raises:
        TrainingError: they cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise TrainingError(
            f"Cannot write the models as --out must be a folder that can be written: current value is "
            f"{folder} ({error.strerror})"
        ) from error


def write_file(path: Path, data: bytes) -> None:
    """Write the file whole or not at all.

    Raises:
        TrainingError: the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        raise TrainingError(
            f"Cannot write {path} as its folder must exist and be writable: {error.strerror}"
        ) from error


def _export(
    simulation: Simulation, trained: list[Trained], held_out: Applications, seed: int, say: Progress
) -> dict[str, bytes]:
    """Return the ONNX files and golden.json, all checked against XGBoost."""
    forests = [read_forest(one.booster) for one in trained]
    rows = golden_rows(held_out, forests, seed=seed)
    checked = np.concatenate([held_out.matrix, rows])
    names = simulation.space.names
    files, probabilities = {}, {}
    for one, forest in zip(trained, forests, strict=True):
        bank = one.lender.bank
        model = to_onnx(forest, features=len(names), name=bank)
        worst = check_export(model, checked, predict(one.booster, checked), name=bank)
        say(f"    {bank}: {len(model)} bytes, largest difference {worst:.1e} on {len(checked)} rows")
        files[f"{bank}.onnx"] = model
        probabilities[bank] = run_onnx(model, rows)
    files["golden.json"] = golden_json(names, rows, probabilities)
    return files


def _manifest(version: str, simulation: Simulation, trained: list[Trained], files: dict[str, bytes]) -> bytes:
    def entry(name: str) -> dict[str, str]:
        return {"file": name, "sha256": hashlib.sha256(files[name]).hexdigest()}

    document = {
        "version": version,
        "features": {
            "names": list(simulation.space.names),
            "sha256": simulation.space.sha256,
        },
        "models": {one.lender.bank: {"onnx": entry(f"{one.lender.bank}.onnx")} for one in trained},
        "golden": entry("golden.json"),
    }
    return (json.dumps(document, indent=2) + "\n").encode()

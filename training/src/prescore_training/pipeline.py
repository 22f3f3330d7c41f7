"""The whole run: applications in, a model version out (ONNX, forests, manifest, golden rows, drift, card, report).

The version is built in a folder beside its own and moved there whole, so that a reader never sees half of one.
With the pinned packages on one kind of processor, the same data and seed give the same bytes; across processors
the last bits of sums may differ. The folder's name is the version.
"""

import hashlib
import json
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import optuna
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from .band import LEVEL
from .card import model_card
from .dataset import APPROVED, Dataset, check_decisions
from .dependence import LEVEL as DEPENDENCE_LEVEL
from .dependence import Decided, Dependence, estimate
from .drift import drift_json
from .errors import TrainingError
from .evidence import THRESHOLD, Evidence
from .export import MAX_DIFFERENCE, check_export, to_onnx
from .fairness import neutral
from .families import FAMILIES, Family
from .fitted import Trees
from .golden import CHECKED_ROWS, golden_json, golden_rows
from .models import Model, finish, judged, prepare, start, trials_of_final
from .progress import Progress
from .project import Project
from .report import training_report
from .selection import Search, trials_of_comparison
from .tuning import Journal

Say = Callable[[str], None]
Floats = npt.NDArray[np.float64]

VERSION_FILES: Final = ("manifest.json", "golden.json", "drift.json", "MODEL_CARD.md", "report.html")


@dataclass(frozen=True)
class Options:
    """What a run may be told."""

    seed: int = 1
    trials: int = 6
    """Trials of each search; slow families get fewer."""
    families: tuple[Family, ...] = FAMILIES
    leave_out: tuple[str, ...] = ()
    """Features that no model may use, besides those of training.json; what is derived from them goes, too."""
    threads: int = 2
    golden_rows: int = 1_000
    journal: Path | None = None


@dataclass(frozen=True)
class Origin:
    """Where the data come from, for the card."""

    title: str
    text: str
    """Markdown about the data."""
    truth: Mapping[str, Floats] | None = None
    """Bank -> true probability of each row, of simulated data."""


def train(project: Project, out: Path, data: Dataset, origin: Origin, options: Options, say: Say) -> None:
    """Train a model for every bank and write the version into `out`.

    Raises:
        TrainingError: the data cannot be learned from, the folder not be written, or an export is not exact.
    """
    check_out(out)
    data = _without(data, options)
    models, dependence = _train_all(data, origin, options, say)
    say("export: ONNX, compared with the trained models row by row")
    files = _export(data, models, options, say)
    version = out.resolve().name
    files["drift.json"] = drift_json(
        data.configuration, data.matrix, {model.bank.model: model.scores for model in models}
    )
    files["manifest.json"] = _manifest(version, data, models, dependence, files)
    files["MODEL_CARD.md"] = model_card(
        version, data, models, dependence, title=origin.title, origin=origin.text, seed=options.seed
    ).encode()
    files["report.html"] = training_report(version, data, models, dependence, title=origin.title).encode()
    _write(project, out, files, say)


def evidence(data: Dataset, options: Options, say: Say) -> dict[str, Evidence]:
    """Judge every bank without exporting anything."""
    data = _without(data, options)
    with _quiet(), ThreadPoolExecutor(options.threads) as pool:
        tasks = [prepare(data, bank, seed=options.seed) for bank in data.configuration.banks]
        search = _search(options, len(tasks), finals=False)
        waits = [start(task, search, pool) for task in tasks]
        found = {task.bank.id: judged(wait(), seed=options.seed) for task, wait in zip(tasks, waits, strict=True)}
    for bank, one in found.items():
        say(f"{bank}: {one.sentence()}")
    return found


def _train_all(data: Dataset, origin: Origin, options: Options, say: Say) -> tuple[list[Model], Dependence | None]:
    for warning in data.warnings:
        say(f"warning: {warning}")
    check_decisions(data.configuration, data.decisions)
    say(f"{data.matrix.shape[0]} applications, {len(data.configuration.banks)} banks")
    with _quiet(), ThreadPoolExecutor(options.threads) as pool:
        tasks = list(pool.map(lambda bank: prepare(data, bank, seed=options.seed), data.configuration.banks))
        for task in tasks:
            later = f", tests on {task.test.sum()} later" if task.test.any() else ""
            share = f" (latest {task.window.share:.0%} of the time)" if task.window else ""
            say(f"    {task.bank.id}: learns from {task.learn.sum()} applications{share}{later}")
        search = _search(options, len(tasks), finals=True)
        waits = [start(task, search, pool) for task in tasks]
        comparisons = [wait() for wait in waits]
        truths = origin.truth or {}
        finals = [
            pool.submit(finish, task, comparison, search, truths.get(task.bank.id))
            for task, comparison in zip(tasks, comparisons, strict=True)
        ]
        models = [final.result() for final in finals]
        dependence = estimate(_decided(data, models), seed=options.seed, true=_true(models, truths))
    for model in models:
        best = f" (best possible {model.best.auc:.4f})" if model.best else ""
        say(
            f"    {model.bank.id}: {model.family.title}, AUC {model.measured.auc:.4f}{best}, log loss "
            f"{model.measured.log_loss:.4f}, ECE {model.measured.ece:.4f}; {model.evidence.sentence()}"
        )
    if dependence:
        found = ", ".join(f"{bank} {one.value:.3f}" for bank, one in dependence.loadings.items())
        say(f"    loadings on the hidden factor: {found}")
    return models, dependence


def _decided(data: Dataset, models: Sequence[Model]) -> Decided:
    """Return the applications with their out-of-fold probabilities and decisions, bank by bank."""
    probabilities = np.full((data.applicants.size, len(models)), np.nan)
    for at, model in enumerate(models):
        probabilities[model.learned_from, at] = model.scores
    return Decided(
        tuple(model.bank.id for model in models),
        probabilities,
        np.column_stack([data.decisions[model.bank.id] == APPROVED for model in models]),
        data.applicants,
    )


def _true(models: Sequence[Model], truths: Mapping[str, Floats]) -> Floats | None:
    known = [truths[model.bank.id] for model in models if model.bank.id in truths]
    return np.column_stack(known) if len(known) == len(models) else None


def _search(options: Options, banks: int, *, finals: bool) -> Search:
    """Return the shared search, with a progress bar over all its trials."""
    journal = Journal(options.journal)
    unticked = Search(options.families, options.trials, journal, lambda: None)
    total = banks * (trials_of_comparison(unticked) + (trials_of_final(unticked) if finals else 0))
    progress = Progress(total, "trials")
    return replace(unticked, tick=progress.step)


class _quiet:  # noqa: N801 - used as a function
    """One thread in every numeric library, and no chatter of the tuner."""

    def __enter__(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", category=UserWarning, module="optuna")
        self._limits = threadpool_limits(1)

    def __exit__(self, *_: object) -> None:
        self._limits.unregister()
        self._warnings.__exit__(None, None, None)


def _without(data: Dataset, options: Options) -> Dataset:
    names = data.configuration.names
    for name in options.leave_out:
        if name not in names:
            raise TrainingError(f"Cannot leave out {name} as it must be a feature: one of {', '.join(names)}")
    chosen = dict.fromkeys((*data.configuration.leave_out, *options.leave_out))
    gone = frozenset().union(*(data.configuration.made_of(name) for name in chosen))
    return replace(
        data,
        matrix=neutral(data.matrix, names, gone) if gone else data.matrix,
        configuration=replace(data.configuration, leave_out=tuple(name for name in names if name in gone)),
    )


def _export(data: Dataset, models: Sequence[Model], options: Options, say: Say) -> dict[str, bytes]:
    """Return the ONNX files and golden.json, all checked against the trained models."""
    names = data.configuration.names
    forests = [model.fitted.read() for model in models if isinstance(model.fitted, Trees)]
    rows = golden_rows(
        data.configuration,
        data.matrix,
        forests,
        rows=max(CHECKED_ROWS, options.golden_rows),
        seed=options.seed,
    )
    files, probabilities = {}, {}
    for model in models:
        name = model.bank.model
        onnx = to_onnx(model.fitted, model.calibration, features=len(names), name=name)
        expected = model.probability(rows)
        kind = "forest" if isinstance(model.fitted, Trees) else "network"
        worst = check_export(onnx, rows, expected, name=name, kind=kind)
        say(
            f"    {name}: {len(onnx)} bytes, largest difference {worst:.1e} on {len(rows)} rows "
            f"(allowed {MAX_DIFFERENCE[kind]})"
        )
        files[f"{name}.onnx"] = onnx
        probabilities[name] = expected[: options.golden_rows]
    files["golden.json"] = golden_json(names, rows[: options.golden_rows], probabilities)
    return files


def _manifest(
    version: str,
    data: Dataset,
    models: Sequence[Model],
    dependence: Dependence | None,
    files: Mapping[str, bytes],
) -> bytes:
    def entry(name: str) -> dict[str, str]:
        return {"file": name, "sha256": hashlib.sha256(files[name]).hexdigest()}

    def described(model: Model) -> dict[str, Any]:
        found = model.evidence
        return {
            "onnx": entry(f"{model.bank.model}.onnx"),
            "family": model.family.name,
            "evidence": {
                "signal": found.signal,
                "auc": round(found.auc, 6),
                "low": round(found.low, 6),
                "high": round(found.high, 6),
                "pValue": round(found.p_value, 6),
                "threshold": THRESHOLD,
                "applications": found.applications,
            },
            "band": {
                "level": LEVEL,
                "edges": list(model.band.edges),
                "below": list(model.band.below),
                "above": list(model.band.above),
            },
        }

    document = {
        "version": version,
        "features": {"names": list(data.configuration.names), "sha256": data.configuration.sha256},
        "models": {model.bank.model: described(model) for model in models},
        **({"dependence": _dependence(models, dependence)} if dependence else {}),
        "golden": entry("golden.json"),
        "drift": entry("drift.json"),
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def _dependence(models: Sequence[Model], dependence: Dependence) -> dict[str, Any]:
    def described(bank: str) -> dict[str, Any]:
        found = dependence.loadings[bank]
        return {
            "loading": round(found.value, 6),
            "low": round(found.low, 6),
            "high": round(found.high, 6),
            "applications": found.applications,
            **({"note": found.note} if found.note else {}),
        }

    return {
        "level": DEPENDENCE_LEVEL,
        "loadings": {model.bank.model: described(model.bank.id) for model in models},
    }


def check_out(out: Path) -> None:
    """Prove that the version can be written to `out`, before hours are spent.

    Raises:
        TrainingError: it cannot, or the folder holds what is no model version.
    """
    wrong = f"Cannot write the models as --out must be a folder that can be written: current value is {out}"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out.parent):
            pass
        strange = [
            path.name
            for path in (out.iterdir() if out.exists() else ())
            if path.name not in VERSION_FILES and path.suffix not in (".onnx", ".forest")
        ]
    except OSError as error:
        raise TrainingError(f"{wrong} ({error.strerror})") from error
    if strange:
        raise TrainingError(f"{wrong}, which must be new or a model version, but it holds {strange[0]}")


def _write(project: Project, out: Path, files: Mapping[str, bytes], say: Say) -> None:
    built = out.with_name(f".{out.name}.built")
    old = out.with_name(f".{out.name}.old")
    for folder in (built, old):
        shutil.rmtree(folder, ignore_errors=True)
    built.mkdir()
    try:
        for name, content in files.items():
            (built / name).write_bytes(content)
        say("compile: forests for the service, checked on the golden rows in WebAssembly")
        for line in project.run(["compile-models", str(built.resolve())]).decode("utf-8").splitlines():
            say(f"    {line}")
        if out.exists():
            out.rename(old)
        built.rename(out)
    finally:
        for folder in (built, old):
            shutil.rmtree(folder, ignore_errors=True)
    say(f"written: {out}")

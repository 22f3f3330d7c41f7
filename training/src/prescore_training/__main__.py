"""The commands: `python -m prescore_training train | evidence | explore | simulate`.

A user's mistake ends with one sentence on standard error: status 2 for the command line itself, else 1.
"""

import argparse
import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .configuration import read_configuration
from .dataset import Dataset, read_dataset
from .errors import TrainingError
from .explore import exploration_report
from .families import FAMILIES, FAMILY_BY_NAME
from .pipeline import Options, Origin, evidence, train
from .project import Project, find_project
from .simulate import simulate
from .world import DEFAULT_APPLICATIONS, simulated

MAX_APPLICATIONS = 5_000_000
"""Memory: about 10 KB an application while training."""
MAX_SEED = 2**31 - 10_000
"""XGBoost's seed is a signed 32-bit number, and trials count up from it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (by default the process's own) and return its exit status."""
    options = _parser().parse_args(sys.argv[1:] if arguments is None else list(arguments))
    run: Callable[[argparse.Namespace], None] = options.run
    try:
        run(options)
    except TrainingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _train(options: argparse.Namespace) -> None:
    project = find_project(configs=options.config)
    data, origin = _data(project, options)
    train(project, options.out, data, origin, _options(project, data, options), _say)


def _evidence(options: argparse.Namespace) -> None:
    project = find_project(configs=options.config)
    data, _ = _data(project, options)
    evidence(data, _options(project, data, options), _say)


def _explore(options: argparse.Namespace) -> None:
    project = find_project(configs=options.config)
    configuration = read_configuration(project)
    table = _read(options.data)
    data = read_dataset(project, configuration, table)
    _write(options.out, exploration_report(options.data.name, data, table).encode())
    _say(f"{options.out}: {data.matrix.shape[0]} applications, {len(data.warnings)} warnings")


def _simulate(options: argparse.Namespace) -> None:
    simulation = simulate(find_project(), applications=options.rows, seed=options.seed)
    _write(options.out, simulation.to_csv())
    _say(f"{options.out}: {options.rows} simulated applications with five decisions each")


def _data(project: Project, options: argparse.Namespace) -> tuple[Dataset, Origin]:
    if options.data is None:
        _say(f"simulate: {options.applications} applications, seed {options.seed}")
        return simulated(project, applications=options.applications, seed=options.seed)
    data = read_dataset(project, read_configuration(project), _read(options.data))
    text = f"From the table `{options.data.name}`."
    return data, Origin("Approval models", text)


def _options(project: Project, data: Dataset, options: argparse.Namespace) -> Options:
    digest = hashlib.sha256(data.matrix.tobytes())
    digest.update(repr((sorted(data.configuration.directions.items()), options.seed)).encode())
    journal = options.journal or project.folder / ".work" / f"trials-{digest.hexdigest()[:16]}.jsonl"
    return Options(
        seed=options.seed,
        trials=options.trials,
        families=tuple(FAMILY_BY_NAME[name] for name in options.families.split(",")),
        leave_out=tuple(name for name in options.leave_out.split(",") if name),
        threads=options.threads,
        golden_rows=options.golden_rows,
        journal=journal,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m prescore_training",
        description="Explore tables of applications, and train, judge and export approval models.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    learn = commands.add_parser("train", help="train a model per bank and write a model version")
    learn.add_argument("--out", type=Path, required=True, help="folder of the version, such as models/1")
    _add_training(learn)
    learn.set_defaults(run=_train)

    judge = commands.add_parser("evidence", help="judge whether decisions can be predicted; write nothing")
    _add_training(judge)
    judge.set_defaults(run=_evidence)

    look = commands.add_parser("explore", help="write an HTML report on a table of applications")
    look.add_argument("--data", type=Path, required=True, help="CSV of applications")
    look.add_argument("--out", type=Path, default=Path("exploration.html"), help="file to write (default: %(default)s)")
    _add_config(look)
    look.set_defaults(run=_explore)

    make = commands.add_parser("simulate", help="write simulated applications with decisions as CSV")
    make.add_argument("--out", type=Path, required=True, help="file to write")
    make.add_argument("--rows", type=_whole(1, MAX_APPLICATIONS), required=True, help="applications to simulate")
    _add_seed(make)
    make.set_defaults(run=_simulate)
    return parser


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, help="CSV of applications with decisions; without it lenders are simulated"
    )
    _add_config(parser)
    _add_seed(parser)
    parser.add_argument(
        "--applications",
        type=_whole(2_000, MAX_APPLICATIONS),
        default=DEFAULT_APPLICATIONS,
        help="applications to simulate without --data (default: %(default)s)",
    )
    parser.add_argument(
        "--trials",
        type=_whole(1, 10_000),
        default=Options.trials,
        help="tuning trials of a search; slow families get fewer (default: %(default)s)",
    )
    names = ",".join(family.name for family in FAMILIES)
    parser.add_argument("--families", type=_families, default=names, help="families to compare (default: %(default)s)")
    parser.add_argument("--leave-out", default="", metavar="FEATURES", help="features that no model may use, by commas")
    parser.add_argument("--threads", type=_whole(1, 64), default=Options.threads, help="(default: %(default)s)")
    parser.add_argument(
        "--golden-rows",
        type=_whole(1, 100_000),
        default=Options.golden_rows,
        help="golden rows of the version (default: %(default)s)",
    )
    parser.add_argument(
        "--journal",
        type=Path,
        help="file of finished trials, from which an interrupted run goes on (default: in .work/, by data)",
    )


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="configuration folder (default: PRESCORE_CONFIG, else configs)")


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=_whole(0, MAX_SEED), default=1, help="seed of all chance (default: %(default)s)")


def _whole(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers within the bounds."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"current value is {text}, must be a whole number from {least} to {most}")
        return value

    return parse


def _families(text: str) -> str:
    wrong = [name for name in text.split(",") if name not in FAMILY_BY_NAME]
    if wrong:
        raise argparse.ArgumentTypeError(f"current value is {wrong[0]}, must be of {', '.join(FAMILY_BY_NAME)}")
    return ",".join(name for name in FAMILY_BY_NAME if name in text.split(","))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TrainingError(
            f"Cannot read the table as --data must be a readable file: current value is {path} ({error.strerror})"
        ) from error


def _write(path: Path, data: bytes) -> None:
    """Write the file whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        raise TrainingError(
            f"Cannot write {path} as its folder must exist and be writable: {error.strerror}"
        ) from error


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

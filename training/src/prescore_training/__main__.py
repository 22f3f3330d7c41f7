"""The commands: `python -m prescore_training` trains a model version, `... simulate` writes applications.

A user's mistake ends with one sentence on standard error: status 2 for the command line itself, else 1.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .errors import TrainingError
from .project import find_project
from .publish import MIN_APPLICANTS, publish, write_file
from .simulate import simulate

DEFAULT_APPLICANTS = 60_000
"""40,000 to learn from, 20,000 to test on (a standard error of the AUC of about 0.003)."""
MAX_APPLICANTS = 5_000_000
"""Memory: about 1 KB an application."""
MAX_SEED = 2**31 - 1
"""XGBoost's seed is a signed 32-bit number."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (by default the process's own) and return its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    run, parser = (_simulate, _simulate_parser()) if words[:1] == ["simulate"] else (_train, _train_parser())
    options = parser.parse_args(words[1:] if run is _simulate else words)
    try:
        run(options)
    except TrainingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _train(options: argparse.Namespace) -> None:
    publish(find_project(), options.out, applicants=options.applicants, seed=options.seed, say=_say)


def _simulate(options: argparse.Namespace) -> None:
    simulation = simulate(find_project(), applicants=options.rows, seed=options.seed)
    write_file(options.out, simulation.to_csv())
    _say(f"{options.out}: {options.rows} simulated applications with five decisions each")


def _train_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m prescore_training",
        description="Simulate applicants and lenders, train a model per bank, and write a model version.",
        epilog="'python -m prescore_training simulate --help' writes sample applications instead.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the version, such as models/1")
    _add_seed(parser)
    parser.add_argument(
        "--applicants",
        type=_whole(MIN_APPLICANTS, MAX_APPLICANTS),
        default=DEFAULT_APPLICANTS,
        help="simulated applications, a third of them held out (default: %(default)s)",
    )
    return parser


def _simulate_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m prescore_training simulate",
        description="Write simulated applications with the simulated lenders' decisions as CSV.",
    )
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    parser.add_argument(
        "--rows", type=_whole(1, MAX_APPLICANTS), required=True, help="applications to simulate"
    )
    _add_seed(parser)
    return parser


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed",
        type=_whole(0, MAX_SEED),
        default=1,
        help="seed of all chance (default: %(default)s)",
    )


def _whole(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers within the bounds."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"current value is {text}, must be a whole number from {least} to {most}"
            )
        return value

    return parse


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

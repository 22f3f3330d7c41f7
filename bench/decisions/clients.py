"""Draws clients of the simulated lenders that no model has met.

    python clients.py FOLDER REFUSED SEED

Writes FOLDER/clients.csv, their answers, and FOLDER/world.json, from which `judge.py` draws the same world again. The
clients are those that apply after the lenders' last change of policy, in their order, up to the one with whom REFUSED
of them have been refused by the bank that they went to: one of the five at random, for the application as it stands.
"""

import json
import sys
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from prescore_training.dataset import DENIED
from prescore_training.policies import CHANGE_DAY
from prescore_training.project import find_project
from prescore_training.simulate import Simulation, simulate
from prescore_training.table import BANKS, to_csv

TRAINED_ON: Final = 1
"""Seed of the world that models/1 comes from."""
APPLICATIONS_EACH: Final = 4
"""To simulate for each refused client that is wanted: more than every third is one."""

Banks = npt.NDArray[np.int64]
"""Positions of the bank that refused each application of a world, -1 where none has; [applications]."""


def refused_by_chance(world: Simulation) -> Banks:
    """Return the bank drawn at random, where it refuses."""
    size = world.applied_day.size
    return _where_refused(world, np.random.default_rng(size).integers(len(BANKS), size=size))


def refused_by_likeliest(world: Simulation) -> Banks:
    """Return the bank that is truly likeliest to approve, given the answers, where even that one refuses."""
    return _where_refused(world, np.column_stack([world.truth[bank] for bank in BANKS]).argmax(axis=1))


def refused_by_all(world: Simulation) -> Banks:
    """Return the likeliest bank where all banks refuse."""
    denied = np.all(_decisions(world) == DENIED, axis=1)
    return np.where(denied, refused_by_likeliest(world), -1)


def _decisions(world: Simulation) -> npt.NDArray[np.int8]:
    return np.column_stack([world.decisions[bank] for bank in BANKS])


def _where_refused(world: Simulation, banks: Banks) -> Banks:
    decided = _decisions(world)[np.arange(banks.size), banks]
    return np.where(decided == DENIED, banks, -1)


def main() -> None:
    """Draw and write."""
    folder, wanted, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    if seed == TRAINED_ON:
        sys.exit(f"Cannot judge on seed {seed}: it must not be {TRAINED_ON}, which the models were trained on")
    world = simulate(find_project(), applications=APPLICATIONS_EACH * wanted, seed=seed)
    rows = np.flatnonzero(world.applied_day >= CHANGE_DAY)
    counts = np.cumsum(refused_by_chance(world)[rows] >= 0)
    rows = rows[: int(np.searchsorted(counts, wanted)) + 1]
    if counts[-1] < wanted:
        sys.exit(f"Cannot find {wanted} refused clients: {counts[-1]} of {counts.size} are")
    cells = {column: [values[row] for row in rows.tolist()] for column, values in world.answers.items()}
    (folder / "clients.csv").write_bytes(to_csv(cells))
    description = {"seed": seed, "applications": APPLICATIONS_EACH * wanted, "rows": rows.tolist()}
    (folder / "world.json").write_text(json.dumps(description), encoding="utf-8")


if __name__ == "__main__":
    main()

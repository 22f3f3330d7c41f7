"""Where the project and its configuration lie, and how the project's own commands are run there.

What the service computes or checks is never done again here: `deno task features` gives the matrix,
`deno task train -- --describe` the checked configuration, `deno task compile-models` the forests.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .errors import TrainingError

TIMEOUT_S = 1_800
"""A table of 100,000 rows takes about 10 s; a command 100 times slower hangs."""


@dataclass(frozen=True)
class Project:
    """The folder with `deno.json`, and the configuration in use (by default its `configs/`)."""

    folder: Path
    configs: Path

    def run(self, words: list[str], *, stdin: bytes = b"") -> bytes:
        """Run `deno task WORDS` in the project, with this configuration, and return what it prints.

        Raises:
            TrainingError: deno is missing, or the command fails or hangs.
        """
        deno = os.environ.get("PRESCORE_DENO") or shutil.which("deno")
        if deno is None:
            raise TrainingError(
                f"Cannot run deno task {words[0]} as the program deno must be on PATH (https://deno.com, "
                f"2.6 or newer) or named by PRESCORE_DENO: current value of PATH is "
                f"{os.environ.get('PATH', '')}"
            )
        env = {**os.environ, "PRESCORE_CONFIG": str(self.configs), "NO_COLOR": "1"}
        command = [deno, "task", "--quiet", *words]
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and the first word is the program found above
                command,
                cwd=self.folder,
                env=env,
                input=stdin,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except OSError as error:
            raise TrainingError(f"Cannot run {deno} as it must be the program deno: {error}") from error
        except subprocess.TimeoutExpired as error:
            raise TrainingError(f"Cannot wait for {' '.join(command)} as it must end within {TIMEOUT_S} s") from error
        if done.returncode != 0:
            reason = done.stderr.decode("utf-8", "replace").strip()[-2000:]
            raise TrainingError(
                f"Cannot go on as deno task {' '.join(words)} must end with status 0: "
                f"current value is {done.returncode}, and it says: {reason}"
            )
        return done.stdout


def find_project(start: Path | None = None, *, configs: Path | None = None) -> Project:
    """Return the project at or above `start` (by default the current folder, else where this package lies).

    Args:
        start: where to look from.
        configs: configuration folder; by default PRESCORE_CONFIG, else the project's `configs/`.

    Raises:
        TrainingError: no such folder.
    """
    origins = (start,) if start else (Path.cwd(), Path(__file__))
    for origin in origins:
        for folder in (origin.resolve(), *origin.resolve().parents):
            if (folder / "deno.json").is_file() and (folder / "tasks" / "train.ts").is_file():
                chosen = configs or Path(os.environ.get("PRESCORE_CONFIG") or folder / "configs")
                return Project(folder, _existing(chosen.resolve()))
    raise TrainingError(
        "Cannot find the project as the current folder must lie inside it, below the folder that holds "
        f"deno.json and tasks/train.ts: current value is {origins[0]}"
    )


def _existing(configs: Path) -> Path:
    if configs.is_dir():
        return configs
    raise TrainingError(
        f"Cannot read the configuration as --config must be a folder with questionnaire.json, banks.json and "
        f"training.json: current value is {configs}"
    )

"""The project's own commands, run with `deno task`: what the service computes is not computed again here."""

import os
import shutil
import subprocess
from pathlib import Path

from .errors import TrainingError

TIMEOUT_S = 600
"""A table of 60,000 rows takes about 5 s; a command 100 times slower hangs."""


def run_task(project: Path, words: list[str], *, stdin: bytes = b"") -> bytes:
    """Run `deno task WORDS` in the project, with its own configuration, and return what it prints.

    Raises:
        TrainingError: `deno` is missing, or the command fails or hangs.
    """
    deno = shutil.which("deno")
    if deno is None:
        raise TrainingError(
            f"Cannot run deno task {words[0]} as the program deno must be on PATH (https://deno.com, 2.6 or "
            f"newer): current value of PATH is {os.environ.get('PATH', '')}"
        )
    # The questionnaire read here and by deno must be one and the same.
    env = {**os.environ, "PRESCORE_CONFIG": str(project / "configs"), "NO_COLOR": "1"}
    command = [deno, "task", "--quiet", *words]
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the first word is the program found above
            command,
            cwd=project,
            env=env,
            input=stdin,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TrainingError(
            f"Cannot wait for {' '.join(command)} as it must end within {TIMEOUT_S} s"
        ) from error
    if done.returncode != 0:
        reason = done.stderr.decode("utf-8", "replace").strip()[-1000:]
        raise TrainingError(
            f"Cannot go on as {' '.join(command)} in {project} must end with status 0: "
            f"current value is {done.returncode}, and it says: {reason}"
        )
    return done.stdout

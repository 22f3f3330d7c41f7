"""Where the project lies: the folder with `deno.json` and `configs/`."""

from pathlib import Path

from .errors import TrainingError

QUESTIONNAIRE = Path("configs", "questionnaire.json")


def find_project(start: Path | None = None) -> Path:
    """Return the nearest folder at or above `start` (by default the current one) that is the project.

    Raises:
        TrainingError: no such folder.
    """
    origin = (start or Path.cwd()).resolve()
    for folder in (origin, *origin.parents):
        if (folder / "deno.json").is_file() and (folder / QUESTIONNAIRE).is_file():
            return folder
    raise TrainingError(
        f"Cannot find the project as the current folder must lie inside it, below the folder that holds "
        f"deno.json and {QUESTIONNAIRE}: current value is {origin}"
    )

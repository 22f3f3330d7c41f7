"""The questionnaire's categories by their English labels.

Why labels: policies and population tables then read as plain English, while the texts that
applicants answer and the codes that models see stay defined once, in `configs/questionnaire.json`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import TrainingError
from .project import Project


@dataclass(frozen=True)
class Questionnaire:
    """Categories and text groups of the questionnaire."""

    codes: Mapping[str, Mapping[str, int]]
    """Feature name -> English label -> code in the matrix (0, 1, 2... in the configured order)."""
    answers: Mapping[str, Mapping[str, str]]
    """Field id of a category -> English label -> the answer as a table writes it."""

    def code(self, feature: str, label: str) -> int:
        """Return the matrix code of a category's label.

        Raises:
            TrainingError: the questionnaire has no such feature or label.
        """
        labels = self.codes.get(feature, {})
        if label not in labels:
            raise TrainingError(
                f"Cannot use the category {label!r} of {feature} as it must be in "
                f"questionnaire.json: current labels are {sorted(labels)}"
            )
        return labels[label]

    def answer(self, field: str, label: str) -> str:
        """Return the answer that an applicant of this category gives.

        Raises:
            TrainingError: the questionnaire has no such field or label.
        """
        self.code(field, label)
        return self.answers[field][label]


def load_questionnaire(project: Project) -> Questionnaire:
    """Read `questionnaire.json` of the project's configuration.

    Raises:
        TrainingError: the file is not readable as JSON.
    """
    path = project.configs / "questionnaire.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"Cannot read {path} as it must be a JSON file: {error}") from error
    codes: dict[str, dict[str, int]] = {}
    answers: dict[str, dict[str, str]] = {}
    for field in document["fields"]:
        meaning = field["meaning"]
        if meaning["kind"] == "category":
            labels = [value["label"]["en"] for value in meaning["values"]]
            codes[field["id"]] = {label: code for code, label in enumerate(labels)}
            answers[field["id"]] = {
                label: str(value["value"]) for label, value in zip(labels, meaning["values"], strict=True)
            }
        elif meaning["kind"] == "text":
            groups = meaning["groups"]
            codes[meaning["feature"]] = {g["label"]["en"]: code for code, g in enumerate(groups)}
    return Questionnaire(codes, answers)

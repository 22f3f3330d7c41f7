"""The configuration as training reads it: features, banks, and how a table of decisions is to be understood.

It is checked by the project's own schemas (`configs/*.ts`), so that Python has no second definition of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from .project import Project

Directions = Mapping[str, int]
"""Feature -> +1 (the probability may only rise with it) or -1 (only fall)."""

CATEGORICAL = ("category", "text")
"""Kinds of feature whose values are codes 0, 1, 2... of a listed label, and -1 for an unknown one."""


@dataclass(frozen=True)
class Feature:
    """A column of the matrix."""

    name: str
    kind: str
    """quantity, code, date, category, text or derived."""
    of: tuple[str, ...]
    """Field that it is read from, or the features that it is derived from."""
    label: str
    labels: tuple[str, ...]
    """Of the codes of a category or text."""


@dataclass(frozen=True)
class Bank:
    """A bank and the name of its model."""

    id: str
    model: str
    title: str
    column: str
    """Header of the column with its decisions."""
    weights: str | None = None
    """Header of the column with their weights."""


@dataclass(frozen=True)
class Protected:
    """A feature by whose groups fairness is reported."""

    feature: str
    bands: tuple[float, ...]


@dataclass(frozen=True)
class Configuration:
    """Everything that training is told; see `configs/training.ts` for the meanings."""

    sha256: str
    features: tuple[Feature, ...]
    fields: tuple[str, ...]
    banks: tuple[Bank, ...]
    approved: frozenset[str]
    denied: frozenset[str]
    no_answer: frozenset[str]
    applicant: tuple[str, ...]
    applied_column: str | None
    applied_otherwise: date
    ignored: tuple[str, ...]
    directions: Mapping[str, Directions]
    """By bank id."""
    protected: tuple[Protected, ...]
    min_group: int
    leave_out: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the matrix, in order."""
        return tuple(feature.name for feature in self.features)

    def made_of(self, name: str) -> frozenset[str]:
        """Return the features that hold the feature's information: itself and those derived from it."""
        found = {name}
        for feature in self.features:
            if feature.kind == "derived" and found & set(feature.of):
                found.add(feature.name)
        return frozenset(found)


def read_configuration(project: Project) -> Configuration:
    """Ask the project for its checked configuration.

    Raises:
        TrainingError: deno is missing, or the configuration is wrong; the text says where.
    """
    described: dict[str, Any] = json.loads(project.run(["train", "--describe"]))
    training = described["training"]
    decisions = training["decisions"]
    banks = tuple(
        Bank(
            bank["id"],
            bank["model"],
            bank["title"],
            decisions["columns"][bank["id"]],
            decisions["weights"].get(bank["id"]),
        )
        for bank in described["banks"]
    )
    return Configuration(
        sha256=described["sha256"],
        features=tuple(
            Feature(item["name"], item["kind"], tuple(item["of"]), item["label"], tuple(item["labels"]))
            for item in described["features"]
        ),
        fields=tuple(described["fields"]),
        banks=banks,
        approved=_words(decisions["approved"]),
        denied=_words(decisions["denied"]),
        no_answer=_words(decisions["noAnswer"]) | {"", "null"},
        applicant=tuple(training["applicant"]),
        applied_column=training["appliedAt"].get("column"),
        applied_otherwise=date.fromisoformat(training["appliedAt"]["otherwise"]),
        ignored=tuple(training["ignored"]),
        directions={bank.id: _directions(training, bank.id) for bank in banks},
        protected=tuple(Protected(item["feature"], tuple(item.get("bands", ()))) for item in training["protected"]),
        min_group=training["minGroup"],
        leave_out=tuple(training["leaveOut"]),
    )


def _words(texts: list[str]) -> frozenset[str]:
    return frozenset(text.strip().lower() for text in texts)


def _directions(training: dict[str, Any], bank: str) -> Directions:
    merged = {**training["monotone"], **training["monotoneByBank"].get(bank, {})}
    return {name: 1 if way == "up" else -1 for name, way in merged.items() if way != "free"}

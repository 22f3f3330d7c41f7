"""What schemathesis must know of the service's formats: tables, and lines of JSON."""

import csv
import io
import json
from typing import Any

import schemathesis
from hypothesis import strategies as st

# Of applications and of outcomes: each leaves the other's columns alone.
COLUMNS = {
    "application": ["app_2c26b46b68ffc68ff99b453c1d304134", "0"],
    "bank": ["bank_a", "bank_z"],
    "decision": ["approved", "declined", "__proto__"],
    "decided_at": ["2026-01-31T12:00:00Z", "NULL"],
    "birthdate": ["1988-07-21", "21.07.1988", "30.02.2000", ""],
    "loan_amount": ["137000", "1e999", "-0", "NaN"],
    "merch_code": ["77", "9007199254740993", "7.5"],
}
# No line ends and no quotes that are never closed: the first line says which delimiter is meant.
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)


def table_of(rows: list[tuple[str, ...]]) -> bytes:
    """A table with its header, in UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue().encode()


CELLS = [st.sampled_from(values) | TEXT for values in COLUMNS.values()]
TABLES = st.lists(st.tuples(*CELLS), min_size=1, max_size=20).map(table_of)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
ANSWERS = st.dictionaries(st.sampled_from(["birthdate", "loan_amount", "merch_code"]), JSON)
ROWS = st.fixed_dictionaries({"answers": ANSWERS}) | JSON
LINES = st.lists(ROWS, min_size=1, max_size=20).map(
    lambda rows: "\n".join(map(json.dumps, rows)).encode(),
)


MADE_HERE = ["text/csv", "application/x-ndjson"]


@schemathesis.hook
def before_load_schema(_: schemathesis.HookContext, schema: dict[str, Any]) -> None:
    r"""Leave out what schemathesis 4.32 cannot read:

    to it `\p{L}` is a Latin letter, and a format that is made here has no examples.
    """
    for methods in schema["paths"].values():
        for operation in methods.values():
            content = operation.get("requestBody", {}).get("content", {})
            for media_type in MADE_HERE:
                content.get(media_type, {}).pop("example", None)
                content.get(media_type, {}).get("schema", {}).pop("example", None)
    forget_letters(schema)


def forget_letters(node: object) -> None:
    if isinstance(node, dict):
        if "\\p{" in str(node.get("pattern", "")):
            del node["pattern"]
        for inner in node.values():
            forget_letters(inner)
    elif isinstance(node, list):
        for inner in node:
            forget_letters(inner)


@schemathesis.deserializer("application/x-ndjson")
def first_line(_: schemathesis.DeserializationContext, response: schemathesis.Response) -> object:
    """The document says of each line what it is; of a batch that has only begun there is none."""
    line = response.content.decode().split("\n", 1)[0]
    return json.loads(line) if line else {"row": 1, "status": "failed", "failure": "none yet"}


schemathesis.openapi.media_type("text/csv", TABLES)
schemathesis.openapi.media_type("application/x-ndjson", LINES)

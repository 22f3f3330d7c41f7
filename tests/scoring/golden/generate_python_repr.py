"""Prints Python's own texts for the golden tests of scoring/python_repr.ts.

Run with Python 3.11 (Unicode 14). Writes python_repr.json beside this file, and
scoring/python_printable.ts: the table of printable characters, kept fixed on purpose.
Known limit: floats are drawn at random with a fixed seed, so they sample the magnitudes.
"""

import hashlib
import json
import math
import random
import struct
import sys
import unicodedata
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE.parents[2] / "scoring" / "python_printable.ts"
CODE_POINTS = 0x110000
RANDOM_FLOATS = 400

EDGE_FLOATS = [
    *(0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, 180000.0, 137000.0, 1e-05, 0.0001, 0.00012345),
    *(
        9999999999999998.0,
        1e16,
        1.2345e16,
        123456789012345680.0,
        1e20,
        1e21,
        1e22,
        1e23,
    ),
    *(
        5e-324,
        2.2250738585072014e-308,
        1.7976931348623157e308,
        2.0**53,
        2.0**63,
        1e100,
        1e-100,
    ),
    *(0.3, 2.675, 1e-07, 123456.789, 4.35, 1e15, 999999999999999.9, 0.000099999),
]

STRINGS = [
    *(
        "",
        "plain",
        "Работаю по найму полный рабочий день\\/служу",
        "it's",
        'say "x"',
        "both ' and \"",
    ),
    *(
        "\\",
        "\n\r\t",
        "\0\x1f\x7f\x80\xa0\xad\xff",
        "\u200b\u2028\u2029\u3000\ufeff",
        "ё Ё №",
        "\u0378",
    ),
    *(
        "😀",
        "\U000e0001",
        "\U0001fae8",
        "\U0010ffff",
        "e\u0301",
        "日本語",
        "'''",
        '"""',
        "a\u0530b",
    ),
]


def printable_boundaries() -> list[int]:
    """Code points at which `str.isprintable` changes, starting from not printable at 0."""
    boundaries: list[int] = []
    printable = False
    for code_point in range(CODE_POINTS):
        if chr(code_point).isprintable() != printable:
            printable = not printable
            boundaries.append(code_point)
    return boundaries


def base36(number: int) -> str:
    """Digits as JavaScript's parseInt(text, 36) reads them."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return digits[number] if number < 36 else base36(number // 36) + digits[number % 36]


def table_source(boundaries: list[int]) -> str:
    """The TypeScript module that holds the table."""
    steps = [base36(b - a) for a, b in zip([0, *boundaries], boundaries, strict=False)]
    lines: list[str] = []
    line = ""
    for step in steps:
        if len(line) + len(step) + 1 > 92:
            lines.append(line)
            line = ""
        line += step + " "
    lines.append(line.rstrip())
    table = " +\n".join(f'  "{text}"' for text in lines)
    return f"""/**
 * Which characters Python prints as they are (`str.isprintable`), as of Unicode \
{unicodedata.unidata_version}.
 *
 * Made by `tests/scoring/golden/generate_python_repr.py`; do not edit. A table and not `\\p{{...}}` in a
 * regular expression, because the runtime's Unicode version moves and task ids must not.
 */

/** Distances between the code points at which the property changes, in base 36. */
const STEPS =
{table};

const BOUNDARIES = readBoundaries(STEPS);

export function isPythonPrintable(codePoint: number): boolean {{
  let low = 0;
  let high = BOUNDARIES.length;
  while (low < high) {{
    const middle = (low + high) >>> 1;
    if ((BOUNDARIES[middle] ?? Infinity) <= codePoint) low = middle + 1;
    else high = middle;
  }}
  return low % 2 === 1;
}}

function readBoundaries(steps: string): Uint32Array {{
  let codePoint = 0;
  return Uint32Array.from(steps.split(" "), (step) => codePoint += parseInt(step, 36));
}}
"""


def random_floats() -> list[float]:
    """Finite floats over all bit patterns, and decimal ones of ordinary size."""
    rng = random.Random(14)
    floats: list[float] = []
    while len(floats) < RANDOM_FLOATS:
        (drawn,) = struct.unpack("<d", rng.randbytes(8))
        if math.isfinite(drawn):
            floats.append(drawn)
    for exponent in range(-12, 24):
        floats.append(rng.random() * 10.0**exponent)
        floats.append(float(f"{rng.randrange(1, 10)}e{exponent}"))
    return floats


def main() -> None:
    """Writes both files."""
    if sys.version_info[:2] != (3, 11):
        raise SystemExit(f"Cannot generate as Python must be 3.11: current is {sys.version}")
    floats = [*EDGE_FLOATS, *random_floats()]
    flags = "".join("1" if chr(c).isprintable() else "0" for c in range(CODE_POINTS))
    golden = {
        "floats": [{"bits": struct.pack(">d", x).hex(), "repr": repr(x)} for x in floats],
        "strings": [{"text": text, "repr": repr(text)} for text in STRINGS],
        "printableSha1": hashlib.sha1(flags.encode()).hexdigest(),
        "dict": {
            "answers": {"a": "it's", "b": 77, "c": 1e16, "e": -0.0},
            "fields": ["a:string", "b:integer", "c:number", "d:string", "e:number"],
            "repr": repr({"a": "it's", "b": 77, "c": 1e16, "d": None, "e": -0.0}),
        },
    }
    text = json.dumps(golden, indent=2)
    (HERE / "python_repr.json").write_text(text + "\n", encoding="utf-8")
    TABLE.write_text(table_source(printable_boundaries()), encoding="utf-8")


if __name__ == "__main__":
    main()

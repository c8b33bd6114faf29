#!/usr/bin/env bash
# Installs the client command from this repository, unless the machine has it.
set -euo pipefail
if command -v penstock >/dev/null; then exit 0; fi
here=$(cd "$(dirname "$0")/.." && pwd)
venv=${RUNNER_TEMP:-/tmp}/penstock
python3 -m venv "$venv"
PENSTOCK_SKIP_UI=1 "$venv/bin/pip" install --quiet --disable-pip-version-check "$here"
echo "$venv/bin" >> "$GITHUB_PATH"

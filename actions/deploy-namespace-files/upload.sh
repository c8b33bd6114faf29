#!/usr/bin/env bash
# Uploads a folder to a folder of a namespace, or a file to a path.
set -euo pipefail
options=()
if [ "$OVERRIDE" = true ]; then options+=(--override); fi
folder=$NAMESPACE_PATH
if [ -f "$LOCAL_PATH" ]; then
    kept=$(mktemp -d)
    trap 'rm -rf "$kept"' EXIT
    cp "$LOCAL_PATH" "$kept/$(basename "$NAMESPACE_PATH")"
    LOCAL_PATH=$kept folder=$(dirname "$NAMESPACE_PATH")
fi
"$(dirname "$0")/../ctl.sh" nsfiles upload "$NAMESPACE" "$LOCAL_PATH" --path "${folder#/}" "${options[@]}"

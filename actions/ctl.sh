#!/usr/bin/env bash
# Runs `penstock ctl` with the login that an action was given; what was left empty does not count.
set -euo pipefail
for name in KESTRACTL_HOST KESTRACTL_TENANT KESTRACTL_TOKEN KESTRACTL_USERNAME KESTRACTL_PASSWORD; do
    if [ -z "${!name:-}" ]; then unset "$name"; fi
done
exec penstock ctl "$@"

"""A Pub/Sub server for the tests: Google's own, of its client library for Go, built once below the user's cache.

`scripts/machine.py` has it built; which library that is, says `go.mod`: one that Go 1.19
builds, which Debian 12 has.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_SOURCES = Path(__file__).parent


def pubsub_executable() -> Path | None:
    """Return the server's program."""
    program = _program()
    return program if program.exists() else None


def build_pubsub() -> bool:
    """Have Go fetch the library and build the server; return whether that worked."""
    program, go = _program(), shutil.which("go")
    if go is None:
        return False
    print("Building a Pub/Sub server with Go", flush=True)
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as unfinished:
        made = Path(unfinished) / program.name
        build = [go, "build", "-mod=readonly", "-ldflags=-s -w", "-o", str(made), "."]
        if subprocess.run(build, cwd=_SOURCES, check=False).returncode:
            return False
        made.replace(program)
    return True


def _program() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    sources = b"".join((_SOURCES / name).read_bytes() for name in ("go.sum", "main.go"))
    return cache / "penstock" / f"pubsub-{hashlib.sha256(sources).hexdigest()[:12]}"

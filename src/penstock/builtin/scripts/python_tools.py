"""The Python that scripts find on their `PATH`: the worker's, or an environment made for their dependencies."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock.builtin.scripts.environments import Environments
from penstock.builtin.scripts.input_files import PRIVATE
from penstock.builtin.scripts.revision_lock import RevisionLock
from penstock.sdk import RunContext


@contextmanager
def python_tools(
    context: RunContext, environment: Mapping[str, str], dependencies: Sequence[str], *, is_kept: bool
) -> Iterator[str | None]:
    """Give the `PATH` on which `python` and `python3` are found with the dependencies; None when it is good as it is.

    Implements SCR-047, BEY-036.
    """
    path = environment.get("PATH", os.defpath)
    python = shutil.which("python3", path=path) or sys.executable
    if not dependencies:
        if shutil.which("python3", path=path) and shutil.which("python", path=path):
            yield None
        else:
            yield os.pathsep.join([str(_named(context, python)), path])
        return
    installer = _Installer(context, environment, python)
    with installer.environment(dependencies, is_kept=is_kept) as folder:
        yield os.pathsep.join([str(folder / "bin"), path])


def _named(context: RunContext, python: str) -> Path:
    """Return a folder in which an interpreter has the names that scripts call it by."""
    folder = context.resolve(f"{PRIVATE}/bin")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        program = folder / name
        # Not a link: a Python that is called through one does not find its own environment.
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(python)} "$@"\n')
        program.chmod(0o755)
    return folder


class _Installer:
    """Makes environments with `uv`, or `pip` where there is none."""

    def __init__(self, context: RunContext, environment: Mapping[str, str], python: str) -> None:
        self._context = context
        self._python = python
        self._environments = Environments(context, environment, "python")
        self._uv = shutil.which("uv", path=environment.get("PATH")) or shutil.which(
            "uv", path=Path(sys.executable).parent
        )

    @contextmanager
    def environment(self, dependencies: Sequence[str], *, is_kept: bool) -> Iterator[Path]:
        """Give an environment with packages; one that is kept is named by its lock, not by what was asked for."""
        lock = self._lock(dependencies) if is_kept else None

        def build(folder: Path) -> None:
            install = self._made(folder)
            if lock is None:
                self._environments.call([*install, "--", *dependencies])
                return
            file = folder / "dependencies.txt"
            file.write_text(lock, encoding="utf-8")
            self._environments.call([*install, "--no-deps", "--requirement", str(file)])

        contents = dependencies if lock is None else [lock]
        with self._environments.folder(Path(self._python), contents, build, is_kept=is_kept) as folder:
            yield folder

    def _lock(self, dependencies: Sequence[str]) -> str:
        """Return the versions that this revision of the flow was given first, finding them when nobody has before."""
        lock = RevisionLock.of(
            self._context, [Path(self._python).resolve().name, sysconfig.get_platform()], dependencies
        )
        return lock.find() or lock.keep(self._resolve(dependencies))

    def _resolve(self, dependencies: Sequence[str]) -> str:
        """Return the versions that go together today, one requirement a line."""
        folder = self._context.resolve(PRIVATE)
        folder.mkdir(parents=True, exist_ok=True)
        found = folder / "dependencies.txt"
        if self._uv is None:
            plain = [
                "--disable-pip-version-check",
                "--quiet",
                "--dry-run",
                "--ignore-installed",
                "--report",
                str(found),
            ]
            self._environments.call([self._python, "-m", "pip", "install", *plain, "--", *dependencies])
            report = json.loads(found.read_text(encoding="utf-8"))
            return "".join(sorted(f"{_requirement(one)}\n" for one in report["install"]))
        wanted = folder / "dependencies.in"
        wanted.write_text("\n".join(dependencies), encoding="utf-8")
        plain = ["--quiet", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
        self._environments.call(
            [self._uv, "pip", "compile", *plain, "--python", self._python, "--output-file", str(found), str(wanted)]
        )
        return found.read_text(encoding="utf-8")

    def _made(self, folder: Path) -> list[str]:
        """Make an empty environment, and return the command that installs into it."""
        python = str(folder / "bin" / "python")
        if self._uv is None:
            self._environments.call([self._python, "-m", "venv", str(folder)])
            return [python, "-m", "pip", "--disable-pip-version-check", "install"]
        self._environments.call([self._uv, "venv", "--quiet", "--python", self._python, str(folder)])
        return [self._uv, "pip", "install", "--python", python]


def _requirement(installed: Mapping[str, Any]) -> str:
    """Return what pip's report says of a package, as a requirement."""
    name, version = installed["metadata"]["name"], installed["metadata"]["version"]
    return f"{name} @ {installed['download_info']['url']}" if installed.get("is_direct") else f"{name}=={version}"

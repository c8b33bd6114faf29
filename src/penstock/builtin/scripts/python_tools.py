"""The Python that scripts find on their `PATH`: the worker's, or an environment made for their dependencies."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from penstock.builtin.scripts.environments import Environments
from penstock.builtin.scripts.input_files import PRIVATE
from penstock.sdk import RunContext


@contextmanager
def python_tools(
    context: RunContext, environment: Mapping[str, str], dependencies: Sequence[str], *, is_kept: bool
) -> Iterator[str | None]:
    """Give the `PATH` on which `python` and `python3` are found with the dependencies; None when it is good as it is.

    Implements SCR-047; BEY-036 in part.
    """
    path = environment.get("PATH", os.defpath)
    python = shutil.which("python3", path=path) or sys.executable
    if not dependencies:
        if shutil.which("python3", path=path) and shutil.which("python", path=path):
            yield None
        else:
            yield os.pathsep.join([str(_named(context, python)), path])
        return
    environments = Environments(context, environment, "python")

    def build(folder: Path) -> None:
        _build(environments, environment, python, folder, dependencies)

    with environments.folder(Path(python), dependencies, build, is_kept=is_kept) as folder:
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


def _build(
    environments: Environments, environment: Mapping[str, str], python: str, folder: Path, dependencies: Sequence[str]
) -> None:
    """Make an environment with `uv`, or `pip` where there is none."""
    inside = str(folder / "bin" / "python")
    uv = shutil.which("uv", path=environment.get("PATH")) or shutil.which("uv", path=Path(sys.executable).parent)
    if uv:
        environments.call([uv, "venv", "--quiet", "--python", python, str(folder)])
        environments.call([uv, "pip", "install", "--python", inside, "--", *dependencies])
    else:
        pip = [inside, "-m", "pip", "--disable-pip-version-check"]
        environments.call([python, "-m", "venv", str(folder)])
        environments.call([*pip, "install", "--", *dependencies])

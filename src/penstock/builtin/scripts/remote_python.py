"""Python packages for scripts that run elsewhere, in the versions that the flow's revision was given first."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from importlib import resources

from penstock.builtin.scripts.input_files import PRIVATE
from penstock.builtin.scripts.revision_lock import RevisionLock
from penstock.builtin.scripts.task import Stage

_FOLDER = f"{PRIVATE}/python"
_INSTALLER = "remote_install.py"
_CACHE = '"${XDG_CACHE_HOME:-$HOME/.cache}/penstock/python"'


def remote_setup(stage: Stage, wanted: Sequence[str], *, is_kept: bool) -> Sequence[str]:
    """Return the shell commands that install packages where the script is about to run. Implements BEY-036, SCR-047.

    On a machine that stays they go to an environment of their own, which later tasks find if it is to be kept; a
    container has them for itself.
    """
    folder = stage.context.resolve(_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath(_INSTALLER).write_text(
        resources.files(__package__).joinpath(_INSTALLER).read_text("utf-8"), "utf-8"
    )
    if is_kept and (lock := _lock(stage, wanted).find()):
        folder.joinpath("given.txt").write_text(lock, encoding="utf-8")
    install = f"python3 {shlex.quote(str(stage.place / _FOLDER / _INSTALLER))}"
    if not stage.keeps_tools:
        return [f"{install} '' {shlex.join(wanted)}"]
    lines = [f"penstock_python={_CACHE}"]
    if not is_kept:
        lines = ["penstock_python=$(mktemp -d)", "trap 'rm -rf \"$penstock_python\"' EXIT"]
    return [
        *lines,
        f'penstock_programs=$({install} "$penstock_python" {shlex.join(wanted)})',
        'export PATH="$penstock_programs:$PATH"',
    ]


def keep_remote_lock(stage: Stage, wanted: Sequence[str]) -> None:
    """Keep the versions that were installed, as those of the flow's revision."""
    found = stage.context.resolve(f"{_FOLDER}/lock.txt")
    if wanted and found.is_file() and not stage.context.resolve(f"{_FOLDER}/given.txt").exists():
        _lock(stage, wanted).keep(found.read_text(encoding="utf-8"))


def _lock(stage: Stage, wanted: Sequence[str]) -> RevisionLock:
    return RevisionLock.of(stage.context, ["elsewhere"], wanted)

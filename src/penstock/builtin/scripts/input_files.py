"""Files a script finds in its working directory: those of `inputFiles`, and copies of stored files it names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from penstock.sdk import PluginError, RunContext, is_file_uri, json_text

PRIVATE = ".penstock"
"""The folder of the working directory for what the script itself did not ask for."""

_UNTOUCHED = f"{PRIVATE}/untouched"
_IN_TEXT = re.compile(r"kestra:///[-a-zA-Z0-9%._+~#=/]+")


class InputFilesError(PluginError):
    """An input file cannot be made."""

    code = "INPUT_FILES_INVALID"


def put_input_files(context: RunContext, files: Mapping[str, Any]) -> None:
    """Write files into the working directory. Implements SCR-019, SCR-063, ENG-344.

    Args:
        context: The task's.
        files: Contents, or URIs of stored files, by relative name.
    """
    for name, value in files.items():
        target = context.resolve(name)
        if not name or target == context.working_directory:
            raise InputFilesError(f"`{name}` in `inputFiles` is no name for a file")
        content = "" if value is None else json_text(value)
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_file_uri(content):
            context.get_file(content.strip(), target)
        else:
            target.write_text(content, encoding="utf-8", newline="")
        make_runnable(target)


def mark_untouched(context: RunContext) -> None:
    """Note that all there is in the directory was put there before the first task; the note goes with `PRIVATE`."""
    note = context.resolve(_UNTOUCHED)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.touch()


def is_untouched(context: RunContext) -> bool:
    """Return whether no task of a `WorkingDirectory` has run in it yet (SCR-025)."""
    return context.resolve(_UNTOUCHED).exists()


def make_runnable(path: Path) -> None:
    """Let a file that names its interpreter be called by its own name (SCR-003)."""
    with path.open("rb") as file:
        is_program = file.read(2) == b"#!"
    if is_program:
        path.chmod(path.stat().st_mode | 0o100)


class StoredFiles:
    """Copies of stored files in the working directory, one each. Implements SCR-008.

    Args:
        context: The task's.
        place: Where the commands find the working directory.
    """

    def __init__(self, context: RunContext, place: PurePath) -> None:
        self._context = context
        self._place = place
        self._copies: dict[str, str] = {}

    def localize(self, text: str) -> str:
        """Return the text with each URI of internal storage replaced by the path of a local copy."""
        return _IN_TEXT.sub(lambda match: self._copy(match[0]), text)

    def _copy(self, uri: str) -> str:
        if uri not in self._copies:
            name = f"{PRIVATE}/files/{len(self._copies)}/{PurePosixPath(uri).name}"
            self._context.get_file(uri, self._context.resolve(name))
            self._copies[uri] = str(self._place / name)
        return self._copies[uri]

"""Files a script leaves behind that are to be kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from penstock.builtin.scripts.input_files import PRIVATE
from penstock.builtin.scripts.patterns import glob_regex
from penstock.sdk import RunContext


def collect(
    context: RunContext, patterns: Sequence[str], place: PurePath, except_for: Iterable[Path] = ()
) -> dict[str, str]:
    """Store the files of the working directory that match and return their URIs by relative path.

    Implements SCR-021, SCR-022.

    Args:
        context: The task's.
        patterns: Names and patterns, relative or beginning with the place.
        place: Where the commands found the working directory.
        except_for: Files that are not the script's.
    """
    root = context.working_directory
    is_wanted = _matcher(patterns, place)
    hidden = {*except_for}
    names = (path.relative_to(root).as_posix() for path in _files(root) if path not in hidden) if patterns else ()
    return _store(context, root, sorted(filter(is_wanted, names)))


def kept_files(patterns: Sequence[str], place: PurePath, folder: str | None) -> Callable[[str], bool] | None:
    """Return what tells which files of the working directory will be asked for; None when none will.

    Args:
        patterns: Names and patterns, relative or beginning with the place.
        place: Where the commands find the working directory.
        folder: The folder of which all files are kept.
    """
    if not patterns and folder is None:
        return None
    is_wanted, below = _matcher(patterns, place), f"{folder}/"
    return lambda name: name.startswith(below) if name.startswith(f"{PRIVATE}/") else is_wanted(name)


def collect_folder(context: RunContext, folder: Path) -> dict[str, str]:
    """Store all files of a folder and return their URIs by path relative to it. Implements SCR-023."""
    return _store(context, folder, sorted(path.relative_to(folder).as_posix() for path in _files(folder)))


def _store(context: RunContext, folder: Path, names: Iterable[str]) -> dict[str, str]:
    stored: dict[str, str] = {}
    for name in names:
        path = folder / name
        if context.working_directory in path.resolve().parents:
            stored[name] = context.put_file(path, name, keep=True)
        else:
            context.logger.warning(f"output file `{name}` is a link that leads out of the working directory; not kept")
    return stored


def _matcher(patterns: Sequence[str], place: PurePath) -> Callable[[str], bool]:
    wanted = [glob_regex(_relative(pattern, place)) for pattern in patterns]
    return lambda name: any(regex.fullmatch(name) for regex in wanted)


def _relative(pattern: str, root: PurePath) -> str:
    """Return a pattern relative to the working directory, however it was written."""
    return pattern.removeprefix(f"{root}/").removeprefix("./")


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        if PRIVATE in folders:
            folders.remove(PRIVATE)
        for name in names:
            path = Path(parent, name)
            if path.is_file():
                yield path

"""Files put into flows before they go anywhere: `[[> path]]`, read from the folder of the file that says it.

A file of one line takes the place of the words; one of several lines must stand alone on its line, and is indented as
that is. What is to stay as it is written is `\\[[> ... ]]`. Implements IAC-066, IAC-067.
"""

from __future__ import annotations

import re
from pathlib import Path

from penstock.base.errors import InvalidRequestError

_INCLUDE = re.compile(r"^(?P<before>.*?)(?<!\\)\[\[>\s*(?P<file>[^\]]+?)\s*\]\](?P<after>.*)$")


def expanded(file: Path) -> str:
    """Return a file's text with all that it includes.

    Raises:
        InvalidRequestError: A file is missing, includes itself, or has several lines where one is wanted.
    """
    return _expanded(file, ())


def _expanded(file: Path, above: tuple[Path, ...]) -> str:
    here = file.resolve()
    if here in above:
        raise InvalidRequestError(f"{file} includes itself", hint="take one of the includes out")
    try:
        text = here.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        asking = f" (included by {above[-1]})" if above else ""
        raise InvalidRequestError(f"{file} cannot be read: {error.strerror}{asking}", hint="check the path") from error
    if "[[>" not in text:
        return text
    lines = [_line(line, here, number, (*above, here)) for number, line in enumerate(text.split("\n"), 1)]
    return "\n".join(lines)


def _line(line: str, file: Path, number: int, above: tuple[Path, ...]) -> str:
    found = _INCLUDE.match(line)
    if found is None:
        return line.replace("\\[[>", "[[>")
    before, after = found["before"], found["after"]
    content = _expanded(file.parent / found["file"], above).rstrip("\n")
    if "\n" not in content:
        return f"{before}{content}{_line(after, file, number, above)}"
    if before.strip() or after.strip():
        raise InvalidRequestError(
            f"{file}:{number}: {found['file']} has several lines", hint="give the include a line of its own"
        )
    return "\n".join(before + one if one else one for one in content.split("\n"))

"""What is given on the command line: inputs, labels, secrets, environment files."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.base.errors import InvalidRequestError
from penstock.cli.texts import text_of

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]*=")
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class GivenInputs:
    """Values and files for the inputs of a flow."""

    values: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """Return `name=value` texts as a map.

    Raises:
        InvalidRequestError: One has no `=`.
    """
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise InvalidRequestError(f"`{text}` given to {option} is no pair", hint=f"write {option} name=value")
        found[name.strip()] = value
    return found


def given_inputs(inputs: Iterable[str], input_files: Iterable[str]) -> GivenInputs:
    """Return what the options `--input` and `--input-file` give.

    `--input name=value`, `--input name=@file`, `--input-file name=file`, and `--input-file values.yaml` with a map of
    values. A single value wins over a file of values.

    Raises:
        InvalidRequestError: A file is missing or holds no map.
    """
    values: dict[str, Any] = {}
    files: dict[str, Path] = {}
    for text in input_files:
        if _NAME.match(text):
            name, _, path = text.partition("=")
            files[name] = _existing(path.removeprefix("@"))
        else:
            values.update(_values(_existing(text)))
    for name, value in pairs(inputs, "--input").items():
        if value.startswith("@"):
            files[name] = _existing(value[1:])
        else:
            values[name] = value
    return GivenInputs(values, files)


def _existing(name: str) -> Path:
    path = Path(name).expanduser()
    if not path.is_file():
        raise InvalidRequestError(f"there is no file {name}", hint="check the path given for the input")
    return path


def _values(path: Path) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(text_of(path))
    except yaml.YAMLError as error:
        raise InvalidRequestError(f"{path} is neither YAML nor JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidRequestError(f"{path} holds no map of inputs", hint="write lines such as `name: value`")
    return found


def environment_file(path: Path) -> dict[str, str]:
    """Return the variables of a `.env` file: `NAME=value` lines, quotes and `export` understood, `#` for comments.

    Raises:
        InvalidRequestError: A line is neither.
    """
    found = {}
    for number, raw in enumerate(text_of(_existing(str(path))).splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, sign, value = line.removeprefix("export ").partition("=")
        if not sign or not name.strip():
            raise InvalidRequestError(f"{path}:{number}: `{line}` is no variable", hint="write NAME=value")
        found[name.strip()] = _unquoted(value.strip())
    return found


def environment(files: Iterable[Path], base: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables with those of `.env` files; a later file wins."""
    found = dict(base)
    for file in files:
        found.update(environment_file(file))
    return found


def _unquoted(value: str) -> str:
    for quote in "\"'":
        if len(value) > 1 and value.startswith(quote) and (end := value.find(quote, 1)) > 0:
            inner = value[1:end]
            return inner.replace("\\n", "\n") if quote == '"' else inner
    return value.split(" #", 1)[0].rstrip()


async def read_pieces(path: Path) -> AsyncIterator[bytes]:
    """Yield a file's bytes."""
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece

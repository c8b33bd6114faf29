"""Loading: sources laid over each other, placeholders filled in, bound to typed settings, mistakes named.

Implements OPS-046 to OPS-052 and the error and warning rules of OPS-215.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from penstock.model.complaints import Complaint, complaints
from penstock.wiring.config import sources
from penstock.wiring.config.errors import ConfigurationError
from penstock.wiring.config.keys import Path, Value, Values, dotted, flatten, is_secret, nest, overlay, path_of
from penstock.wiring.config.placeholders import resolve
from penstock.wiring.config.settings import WITHOUT_EFFECT, Settings, known_paths

_KNOWN = dict(known_paths())
_MASK = "******"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings of a server and where they come from."""

    settings: Settings
    values: Mapping[Path, Value]
    """Every value that was given, after placeholders."""
    warnings: tuple[str, ...] = ()
    files: tuple[FilePath, ...] = ()
    """The files that were read."""

    def is_given(self, key: str) -> bool:
        """Return whether a key was set by any source."""
        return path_of(key) in self.values

    def shown(self) -> dict[str, Any]:
        """Return the effective configuration for people, secrets masked (OPS-052, OPS-214)."""
        return nest(
            {path: _MASK if is_secret(path) else _masked(entry.value) for path, entry in sorted(self.values.items())}
        )


def load(
    file: FilePath | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Configuration:
    """Return the configuration that all sources together make.

    Args:
        file: The file named by `--config`; the default files are tried without one.
        environment: The environment variables; those of the process by default.
        defaults: Dotted keys that hold when no source says otherwise.
        overrides: Dotted keys given on the command line, above all else.

    Raises:
        ConfigurationError: A source cannot be read, a value has the wrong type, a placeholder names nothing.
    """
    variables = os.environ if environment is None else environment
    values: Values = _dotted_values(defaults or {}, "default of this command")
    path = file or sources.default_file()
    if path is not None:
        values = overlay(values, sources.read_file(path))
    if (whole := sources.whole_configuration(variables)) is not None:
        values = overlay(values, sources.read_text(whole[1], f"environment variable {whole[0]}"))
    maps = [known for known, is_open in _KNOWN.items() if is_open]
    values = overlay(values, sources.read_environment(variables, [*_KNOWN, *values], maps))
    values = overlay(values, _dotted_values(overrides or {}, "command line"))
    values = resolve(values, variables)
    return Configuration(_bind(values), values, tuple(_strangers(values)), (path,) if path else ())


def _dotted_values(entries: Mapping[str, Any], source: str) -> Values:
    values: Values = {}
    for key, value in entries.items():
        if isinstance(value, Mapping):
            values |= flatten(nest({path_of(key): value}), source)
        elif value is not None:
            values[path_of(key)] = Value(value, source)
    return values


def _bind(values: Values) -> Settings:
    given = nest({path: entry.value for path, entry in values.items()})
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = [_explain(values, one) for one in complaints(error, given, Settings)]
        raise ConfigurationError(
            "the configuration is wrong: " + "; ".join(problems), hint="correct the value where it is set"
        ) from None


def _explain(values: Values, complaint: Complaint) -> str:
    """Return what is wrong with which key, and who set it; a value that is a secret is left out."""
    wrong = path = tuple(str(part) for part in complaint.path)
    while path and path not in values:
        path = path[:-1]
    if path not in values:
        return f"{dotted(wrong)}: {complaint.message}"
    entry, message = values[path], complaint.message
    if is_secret(path):
        message = message.partition(", not ")[0]
    elif f"`{entry.value}`" not in message:
        message = f"`{entry.value}`: {message}"
    return f"{dotted(path)}: {message} (set by {entry.source})"


def _strangers(values: Values) -> Iterable[str]:
    for path, entry in values.items():
        if path[0] != "kestra" or path in _KNOWN or _is_below(path, WITHOUT_EFFECT):
            continue
        if _is_below(path, (known for known, is_open in _KNOWN.items() if is_open)):
            continue
        names = {dotted(known): known for known in _KNOWN}
        near = difflib.get_close_matches(dotted(path), names, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        yield f"unknown key {dotted(path)} ({entry.source}) has no effect{hint}"


def _is_below(path: Path, roots: Iterable[Path]) -> bool:
    return any(path[: len(root)] == root for root in roots)


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _MASK if is_secret(("", str(key).lower())) else _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value

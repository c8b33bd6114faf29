"""`${other.key}`, `${ENV_VAR}` and `${key:default}` in configuration values. Implements OPS-049."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from penstock.wiring.config.errors import ConfigurationError
from penstock.wiring.config.keys import Path, Value, Values, dotted, path_of

_PLACEHOLDER = re.compile(r"\$\{(?P<key>[^}:]+)(?::(?P<default>[^}]*))?\}")


def resolve(values: Values, environment: Mapping[str, str]) -> Values:
    """Return the values with all placeholders replaced; a value that is one placeholder takes the other's type.

    Raises:
        ConfigurationError: A placeholder names nothing and has no default, or refers to itself.
    """
    resolver = _Resolver(values, environment)
    return {path: Value(resolver.value(path), entry.source) for path, entry in values.items()}


class _Resolver:
    def __init__(self, values: Values, environment: Mapping[str, str]) -> None:
        self._values = values
        self._environment = environment
        self._done: dict[Path, Any] = {}
        self._open: list[Path] = []

    def value(self, path: Path) -> Any:
        if path not in self._done:
            if path in self._open:
                circle = " -> ".join(dotted(step) for step in (*self._open, path))
                raise ConfigurationError(f"placeholders of the configuration refer to each other in a circle: {circle}")
            self._open.append(path)
            self._done[path] = self._replace(self._values[path].value, path)
            self._open.pop()
        return self._done[path]

    def _replace(self, value: Any, path: Path) -> Any:
        if isinstance(value, list):
            return [self._replace(item, path) for item in value]
        if isinstance(value, Mapping):
            return {key: self._replace(item, path) for key, item in value.items()}
        if not isinstance(value, str) or "${" not in value:
            return value
        if whole := _PLACEHOLDER.fullmatch(value):
            return self._look_up(whole, path)
        return _PLACEHOLDER.sub(lambda match: str(self._look_up(match, path)), value)

    def _look_up(self, match: re.Match[str], path: Path) -> Any:
        key = match["key"].strip()
        if (other := path_of(key)) in self._values:
            return self.value(other)
        if key in self._environment:
            return self._environment[key]
        if match["default"] is not None:
            return match["default"]
        raise ConfigurationError(
            f"{dotted(path)} ({self._values[path].source}) refers to `${{{key}}}`,"
            " which is neither a key nor an environment variable",
            hint=f"set it, or give a default: ${{{key}:value}}",
        )

"""Rendering with the variables script tasks add: `workingDir`, `outputDir`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from pydantic import ValidationError

from penstock.sdk import Property, RunContext

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders properties with some variables more. Implements SCR-007, SCR-051, ENG-117."""

    context: RunContext
    variables: Mapping[str, Any]

    def render(self, value: Property[T] | None, default: T) -> T:
        """Return a property's value; the default when it is absent."""
        if value is None:
            return default
        if not isinstance(value.raw, str):
            return value.convert(self.context.render_nested(value.raw, self.variables))
        text = self.context.render_text(value.raw, self.variables)
        try:
            return value.convert(text)
        except ValidationError:
            try:
                return value.convert(msgspec.json.decode(text))
            except msgspec.DecodeError:
                pass
            raise

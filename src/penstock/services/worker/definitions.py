"""Task definitions that come into being while a flow runs: YAML texts."""

from __future__ import annotations

from typing import Any

from penstock.model.yaml import read_yaml
from penstock.sdk.errors import PermanentError


class InvalidSpec(PermanentError):
    """A rendered text is no task definition."""

    code = "INVALID_SPEC"


def read_definition(spec: str, task_id: str) -> dict[str, Any]:
    """Return the task definition that a YAML text holds; without an `id` of its own it gets this one.

    Implements ENG-058.

    Raises:
        InvalidSpec: It is no YAML, or no map with a `type`.
    """
    document = read_yaml(spec)
    if document.problems:
        first = document.problems[0]
        raise InvalidSpec(
            f"the rendered `spec` is no YAML: {first.message} (line {first.line}, column {first.column} of the text)",
            hint=first.hint,
        )
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise InvalidSpec("the rendered `spec` is no task", hint="it has to be a map with a `type`")
    return {"id": task_id, **data}

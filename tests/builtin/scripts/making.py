"""Script tasks as flows define them, for tests."""

from __future__ import annotations

from typing import Any

from penstock.builtin.runners.process import Process
from penstock.builtin.scripts import python, shell
from penstock.sdk import RunContext
from penstock.testing.run_context import messages_of

RUNNER = {"type": Process.type_name}


def commands(*lines: str, **properties: Any) -> shell.Commands:
    return shell.Commands.model_validate(
        {"id": "t", "type": shell.Commands.type_name, "commands": list(lines), "taskRunner": RUNNER, **properties}
    )


def script(text: str, **properties: Any) -> shell.Script:
    return shell.Script.model_validate(
        {"id": "t", "type": shell.Script.type_name, "script": text, "taskRunner": RUNNER, **properties}
    )


def python_script(text: str, **properties: Any) -> python.Script:
    return python.Script.model_validate(
        {"id": "t", "type": python.Script.type_name, "script": text, "taskRunner": RUNNER, **properties}
    )


def python_commands(*lines: str, **properties: Any) -> python.Commands:
    return python.Commands.model_validate(
        {"id": "t", "type": python.Commands.type_name, "commands": list(lines), "taskRunner": RUNNER, **properties}
    )


def said(context: RunContext) -> list[str]:
    """Take out the log messages."""
    return [message for _, message in messages_of(context)]  # type: ignore[arg-type]  # the worker's context

"""Script tasks as flows define them, for tests."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path
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


def wheel(folder: Path, name: str, version: str, code: str) -> Path:
    """Make an installable package of one module."""
    files = {
        f"{name}.py": code,
        f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            lines.append(f"{file},sha256={digest},{len(text.encode())}")
            archive.writestr(file, text)
        archive.writestr(
            f"{name}-{version}.dist-info/RECORD", "\n".join([*lines, f"{name}-{version}.dist-info/RECORD,,"])
        )
    return path

"""Executions on a server: started with inputs and files, and followed to their ends."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from penstock.cli.remote import Remote, path_of
from penstock.cli.run.given import GivenInputs
from penstock.engine.states import TERMINAL

_PAUSE = 1.0
"""Between looks at an execution whose stream of events broke, in seconds."""


class Launcher:
    """Starts flows of a server. Implements ENG-131.

    Args:
        remote: The server.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def start(
        self, namespace: str, flow_id: str, inputs: GivenInputs, labels: Mapping[str, str], revision: int | None = None
    ) -> dict[str, Any]:
        """Start an execution and return it."""
        params: dict[str, Any] = {"labels": [f"{key}:{value}" for key, value in labels.items()]}
        if revision is not None:
            params["revision"] = revision
        with ExitStack() as opened:
            form: dict[str, Any] = {name: (None, _part(value)) for name, value in inputs.values.items()}
            for name, file in inputs.files.items():
                form[name] = (file.name, opened.enter_context(file.open("rb")))
            answer = self._remote.ask(
                "POST", path_of("executions", namespace, flow_id), params=params, files=form or None
            )
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, execution_id: str) -> dict[str, Any]:
        """Wait for an execution's end and return it.

        The stream of its changes ends with it; when the stream breaks before, it is asked for again.
        """
        while True:
            for _ in self._remote.lines(f"{path_of('executions', execution_id)}/follow"):
                pass
            execution: dict[str, Any] = self._remote.get(path_of("executions", execution_id))
            if execution["state"]["current"] in TERMINAL:
                return execution
            time.sleep(_PAUSE)


def succeeded(execution: Mapping[str, Any]) -> bool:
    """Return whether an execution ended well."""
    return execution["state"]["current"] in ("SUCCESS", "WARNING")


def _part(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

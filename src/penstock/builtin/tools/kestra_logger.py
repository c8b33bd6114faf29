"""A callback of Ansible, which reads this file itself: each result becomes a log line and an output of the task."""

from __future__ import annotations

import json
import sys
from typing import Any

from ansible.plugins.callback import CallbackBase  # type: ignore[import-not-found]

DOCUMENTATION = """
    name: kestra_logger
    type: stdout
    short_description: tells of each result in messages that script tasks understand
    description:
        - Each result is a log line, and an element of the output C(outputs).
"""
_LONGEST = 10_000
"""Of one text: all results together are one line, and lines are cut somewhere."""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Tells of each result."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "kestra_logger"

    def __init__(self) -> None:
        super().__init__()
        self._outputs: list[dict[str, Any]] = []

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Tell that a play begins."""
        _say(logs=[{"level": "INFO", "message": f"PLAY [{play.get_name()}]"}])

    def v2_runner_on_ok(self, result: Any) -> None:
        """Tell of a task that did its work."""
        self._tell(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Tell of a task that failed."""
        self._tell(result, "failed", "WARN" if ignore_errors else "ERROR", failed=True)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Tell of a host that does not answer."""
        self._tell(result, "unreachable", "ERROR", unreachable=True)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Tell of a task that was left out."""
        self._tell(result, "skipped", skipped=True)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Hand out all results and tell how many there were of each kind on each host."""
        _say(outputs={"outputs": self._outputs})
        for host in sorted(stats.processed):
            numbers = stats.summarize(host)
            text = ", ".join(f"{name} {number}" for name, number in numbers.items() if number)
            _say(logs=[{"level": "INFO", "message": f"{host}: {text}"}])

    def _tell(self, result: Any, word: str, level: str = "INFO", **flags: bool) -> None:
        found, host, task = result._result, result._host.get_name(), result._task.get_name().strip()
        said = {key: _shortened(found[key]) for key in ("msg", "stdout", "stderr", "rc") if found.get(key) is not None}
        self._outputs.append({"task": task, "host": host, "changed": bool(found.get("changed")), **flags, **said})
        shown = said.get("msg", "")
        text = shown if isinstance(shown, str) else json.dumps(shown)
        _say(logs=[{"level": level, "message": f"{word}: [{host}] {task}{f': {text}' if text else ''}"}])


def _shortened(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    if len(text) > _LONGEST:
        return f"{text[:_LONGEST]}..."
    return value if isinstance(value, str) else json.loads(text)


def _say(**message: Any) -> None:
    sys.stdout.write(f"::{json.dumps(message)}::\n")
    sys.stdout.flush()

"""What runs in a process of its own: a script, once for each item that comes in as a line of JSON.

Each line is answered with one: what became of the item, what the script logged, and what went wrong. Only the standard
library is used, since the file is run by its path.
"""

from __future__ import annotations

import json
import sys
from typing import Any


class Logger:
    """Collects what the script logs."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __getattr__(self, name: str) -> Any:
        level = {"warn": "WARN", "warning": "WARN"}.get(name, name.upper())
        if level not in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR"):
            raise AttributeError(f"the logger has no level {name}")
        return lambda message, *values: self.lines.append((level, _filled(str(message), values)))


def _filled(message: str, values: tuple[Any, ...]) -> str:
    """Return a message with its values in the places of `{}`."""
    for value in values:
        message = message.replace("{}", str(value), 1)
    return message


def answer(code: Any, item: Any) -> dict[str, Any]:
    """Run the script on an item; `rows`, where the script sets it, stands for several items in place of one."""
    logger = Logger()
    names = {"row": item, "rows": None, "logger": logger}
    try:
        exec(code, names)  # noqa: S102 - to run the flow's script is what this process is for
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}", "logs": logger.lines}
    rows = names["rows"] if names["rows"] is not None else [] if names["row"] is None else [names["row"]]
    return {"rows": rows, "logs": logger.lines}


def main() -> None:
    """Answer line by line until there are no more."""
    replies, sys.stdout = sys.stdout, sys.stderr  # what the script prints is no answer
    code = compile(json.loads(sys.stdin.readline()), "<script>", "exec")
    for line in sys.stdin:
        replies.write(json.dumps(answer(code, json.loads(line)), default=str) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()

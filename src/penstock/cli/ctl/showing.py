"""How `penstock ctl` shows answers: a table for people, JSON or YAML for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from penstock.base.errors import InvalidRequestError
from penstock.cli.terminal import say, tell

Row = Mapping[str, Any]


class Output(Enum):
    """The forms of an answer."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: What stands above it.
        value: Where its values are: a path with dots, or a function of the row.
    """

    title: str
    value: str | Callable[[Row], Any]

    def text(self, row: Row) -> str:
        """Return a row's value as it is shown."""
        return _text(self.value(row) if callable(self.value) else _at(row, self.value))


def output_named(name: str) -> Output:
    """Return a form by its name.

    Raises:
        InvalidRequestError: There is none of that name.
    """
    try:
        return Output(name.lower())
    except ValueError:
        known = ", ".join(one.value for one in Output)
        raise InvalidRequestError(f"`{name}` is no form of output", hint=f"known: {known}") from None


def show(output: Output, body: Any, columns: Sequence[Column], *, empty: str = "nothing found") -> None:
    """Write an answer: a list of rows, or a single one."""
    if output is not Output.TABLE:
        say(document(output, body))
        return
    rows: list[Row] = body if isinstance(body, list) else [body]
    if not rows:
        tell(empty)
        return
    for line in table_lines(rows, columns):
        say(line)


def document(output: Output, body: Any) -> str:
    """Return a body as JSON or YAML."""
    if output is Output.YAML:
        import yaml

        text: str = yaml.safe_dump(body, sort_keys=False, allow_unicode=True)
        return text.rstrip("\n")
    return json.dumps(body, indent=2, ensure_ascii=False)


def table_lines(rows: Iterable[Row], columns: Sequence[Column]) -> list[str]:
    """Return the lines of a table; nothing is cut off, so that other programs can read them too."""
    from rich.cells import cell_len

    lines = [[column.title for column in columns], *([column.text(row) for column in columns] for row in rows)]
    widths = [max(cell_len(line[index]) for line in lines) for index in range(len(columns))]
    return [
        "   ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _at(row: Row, path: str) -> Any:
    found: Any = row
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _text(value: Any) -> str:
    """Return a value on one line, without anything that would steer a terminal."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else " " for one in text)

"""How `penstock db size` shows what it found."""

from __future__ import annotations

import json
from dataclasses import asdict

from penstock.cli.terminal import console, say
from penstock.services.retention import SizeReport

_UNITS = ("B", "KB", "MB", "GB")
_STEP = 1024


def show_sizes(report: SizeReport, *, as_json: bool) -> None:
    """Print a report."""
    if as_json:
        say(json.dumps(asdict(report)))
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("table")
    for name in ("rows", "size", "growth/day", "a purge frees"):
        table.add_column(name, justify="right")
    for one in report.tables:
        table.add_row(one.name, f"{one.rows:,}", _bytes(one.bytes), _bytes(one.growth), _bytes(one.freed))
    console().print(table)
    say(
        f"{_bytes(report.total)} in all; a purge would remove {report.executions_due:,} executions "
        f"and {report.lines_due:,} log lines"
    )


def _bytes(number: int | None) -> str:
    """Return a number of bytes for people."""
    if number is None:
        return "-"
    amount, unit = float(number), 0
    while amount >= _STEP and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    return f"{amount:.0f} {_UNITS[unit]}" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"

"""Writes the tables of docs/reference/api.md anew: one row per operation that is served, under the heading of its tag.

Rows keep their order and new ones follow; what is no longer served goes. Run it as `python -m scripts.api_reference`.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Any

import httpx

from tests.support.live import live_server

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "api.md"
HEAD = "| method | path | operation | what it does |\n|---|---|---|---|\n"
ROW = re.compile(r"^\| ([A-Z]+) \| `([^`]+)` \| `(\w+)` \| .* \|\n", re.MULTILINE)


async def served() -> dict[str, dict[tuple[str, str, str], str]]:
    """Return by tag what is served: method, path and operation, and the row that says so."""
    with tempfile.TemporaryDirectory() as folder:
        async with live_server(Path(folder)) as server:
            answer: httpx.Response = await server.client.get("/openapi.json")
    found: dict[str, dict[tuple[str, str, str], str]] = {}
    paths: dict[str, dict[str, Any]] = answer.json()["paths"]
    for path, methods in paths.items():
        short = path.replace("/api/v1/{tenant}", "T").replace("/api/v1/", "G/")
        for method, operation in methods.items():
            key = (method.upper(), short, operation["operationId"])
            row = f"| {key[0]} | `{short}` | `{key[2]}` | {operation['summary'].rstrip('.')} |\n"
            found.setdefault(operation["tags"][0], {})[key] = row
    return found


def written(page: str, operations: dict[str, dict[tuple[str, str, str], str]]) -> str:
    """Return the page with rows for all operations."""
    for tag, rows in operations.items():
        heading = f"\n### {tag}\n\n"
        if heading not in page:
            page = page.rstrip("\n") + f"\n{heading}{HEAD}"
        begin = page.index(heading) + len(heading)
        begin = page.index(HEAD, begin) + len(HEAD)
        table = re.compile(r"(?:\|.*\n)*").match(page, begin)
        assert table is not None
        known = [(one.group(1), one.group(2), one.group(3)) for one in ROW.finditer(table.group())]
        kept = [key for key in known if key in rows]
        lines = "".join(rows[key] for key in [*kept, *(key for key in rows if key not in kept)])
        page = page[:begin] + lines + page[table.end() :]
    return page


if __name__ == "__main__":
    TARGET.write_text(written(TARGET.read_text(), asyncio.run(served())))

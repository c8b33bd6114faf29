"""No endpoint leads to a file outside of what it is about: every parameter that could is tried."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.support.live import LiveServer

PLACES = frozenset({"path", "from", "to", "uri", "file", "name", "prefix", "destination"})
"""Names of parameters that may say where a file lies."""
SECRET = "what nobody may read"
WRITTEN = b"what is written somewhere"
FILED = """\
id: filed
namespace: team
inputs:
  - {id: data, type: FILE}
tasks:
  - {id: one, type: io.kestra.plugin.core.log.Log, message: x}
"""
OPERATIONS_AT_LEAST = 14


def ways_out(target: Path) -> Iterator[str]:
    """Yield paths that would lead to a file if any were followed."""
    absolute = target.as_posix()
    for up in (1, 4, 12):
        yield "../" * up + absolute.lstrip("/")
    yield from (
        absolute,
        f"//{absolute}",
        f"file://{absolute}",
        f"kestra://{absolute}",
        f"kestra:///../../..{absolute}",
    )
    yield quote("../" * 12, safe="") + absolute.lstrip("/")  # decoded twice it would be one
    yield ("..\\" * 12) + absolute.lstrip("/")
    yield f"nsfile:///../../{target.name}"
    yield f"a/../../../{target.name}\0.txt"


def tried(document: dict[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]], list[str]]]:
    """Yield method, path, parameters and the names of those that may say where a file lies."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            given = operation.get("parameters", [])
            about_files = "/file" in path
            names = [
                one["name"]
                for one in given
                if one["name"] in PLACES or (about_files and one["in"] == "path" and one["name"] != "tenant")
            ]
            if names and "/worker/" not in path:
                yield method.upper(), path, given, names


def fingerprints(folder: Path, *, without: Path) -> dict[str, str]:
    """Return what lies in a folder, apart from the storage and the database."""
    return {
        one.relative_to(folder).as_posix(): hashlib.sha256(one.read_bytes()).hexdigest()
        for one in folder.rglob("*")
        if one.is_file() and without not in one.parents and ".db" not in one.name
    }


async def test_no_parameter_that_names_a_file_leads_out(server: LiveServer, tmp_path: Path) -> None:
    """ENG-126: neither to files of the machine, nor to those of other executions."""
    client = server.client
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    await server.flow(FILED)
    ran = [await server.run("filed", files={"data": ("d.txt", text, "text/plain")}) for text in (b"mine", SECRET)]
    mine = {"tenant": "main", "namespace": "team", "execution_id": ran[0]["id"]}
    own, foreign = (str(one["inputs"]["data"]) for one in ran)
    read = await client.get(f"/api/v1/main/executions/{mine['execution_id']}/file", params={"path": own})
    assert read.content == b"mine", "what an execution owns is read"
    before = fingerprints(tmp_path, without=tmp_path / "storage")
    asked = set()
    for method, path, parameters, names in tried((await client.get("/openapi.json")).json()):
        for name in names:
            for way in (*ways_out(secret), foreign):
                values = {one["name"]: mine.get(one["name"], "x") for one in parameters} | {name: way}
                inside = [one["name"] for one in parameters if one["in"] == "path"]
                address = path.format_map({one: quote(values[one], safe="") for one in inside})
                query = {
                    one["name"]: values[one["name"]]
                    for one in parameters
                    if one["in"] == "query" and (one.get("required") or one["name"] == name)
                }
                body = (
                    {"fileContent": ("x.txt", WRITTEN)} if (method, path.endswith("/files")) == ("POST", True) else None
                )
                answer = await client.request(method, address, params=query, files=body)
                told = f"{method} {path} with {name}={way!r}"
                assert answer.status_code < 500, told
                assert SECRET not in answer.text, told
        asked.add((method, path))
    assert len(asked) >= OPERATIONS_AT_LEAST
    assert fingerprints(tmp_path, without=tmp_path / "storage") == before
    stored = [one for one in (tmp_path / "storage").rglob("*") if one.is_file() and one.read_bytes() == WRITTEN]
    assert all("_files" in one.parts for one in stored), "what was taken for a name lies among the namespace's files"
    assert (await client.get(f"/api/v1/main/executions/{ran[1]['id']}/file", params={"path": foreign})).text == SECRET

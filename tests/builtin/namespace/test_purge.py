"""Purges of revisions of namespace files, run by a worker on a real server."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.services.namespace_files import NamespaceFileService
from tests.support.flows import CORE, Ended, run_tasks
from tests.support.live import LiveServer

PURGE = {"type": f"{CORE}namespace.PurgeFiles"}
FUTURE, PAST = "{{ now() | dateAdd(1, 'HOURS') }}", "{{ now() | dateAdd(-1, 'HOURS') }}"


@pytest.fixture
async def files(server: LiveServer) -> NamespaceFileService:
    """Give files with four revisions each in three namespaces."""
    service = server.core.namespace_files
    for namespace in ("team", "team.below", "other"):
        for path in ("/a.sql", "/deep/b.txt"):
            for number in range(4):
                await service.put("main", namespace, path, str(number).encode())
    return service


async def left(files: NamespaceFileService) -> list[int]:
    """Return how many revisions there are: of a.sql and b.txt of `team`, of the namespace below, and of `other`."""
    return [
        len(await files.revisions("main", namespace, path))
        for namespace in ("team", "team.below", "other")
        for path in ("/a.sql", "/deep/b.txt")
    ]


async def purge(server: LiveServer, **properties: Any) -> Ended:
    return await run_tasks(server, {**PURGE, **properties})


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, [1, 1, 1, 1, 1, 1]),
        ({"behavior": {"type": "version", "keepAmount": 3}}, [3, 3, 3, 3, 3, 3]),
        ({"behavior": {"keepAmount": 0}, "namespaces": ["team"]}, [1, 1, 1, 1, 4, 4]),
        ({"namespaces": ["team"], "includeChildNamespaces": False}, [1, 1, 4, 4, 4, 4]),
        ({"namespaces": ["other", "team.below", "never"], "filePattern": "**/*.sql"}, [4, 4, 1, 4, 1, 4]),
        ({"filePattern": "/deep/**"}, [4, 1, 4, 1, 4, 1]),
        ({"behavior": {"before": PAST}}, [4, 4, 4, 4, 4, 4]),
        ({"behavior": {"before": FUTURE}}, [1, 1, 1, 1, 1, 1]),
        ({"behavior": {"before": FUTURE, "keepAmount": 2}}, [2, 2, 2, 2, 2, 2]),
    ],
)
async def test_purge_removes_old_revisions(
    server: LiveServer, files: NamespaceFileService, properties: dict[str, Any], expected: list[int]
) -> None:
    """OPS-167, ENG-352, USE-084."""
    ended = await purge(server, **properties)
    assert ended.state == "SUCCESS", ended.messages
    assert await left(files) == expected
    assert ended.outputs["t1"]["size"] == 24 - sum(expected)
    _, content = await files.read("main", "team", "/a.sql")
    assert b"".join([piece async for piece in content]) == b"3"


async def test_purge_without_bounds_of_place_warns(server: LiveServer, files: NamespaceFileService) -> None:
    """USE-B145."""
    ended = await purge(server, namespaces=["team"])
    assert "there is no `filePattern`: all are looked at" in ended.messages


async def test_purge_that_does_not_say_what_is_old_fails(server: LiveServer, files: NamespaceFileService) -> None:
    """OPS-167."""
    ended = await purge(server, behavior={"type": "version"})
    assert ended.state == "FAILED"
    assert any("does not say what is old" in message for message in ended.messages)


async def test_a_file_whose_old_revisions_are_gone_goes_on_counting(
    server: LiveServer, files: NamespaceFileService
) -> None:
    """ENG-352."""
    await purge(server)
    await files.put("main", "team", "/a.sql", b"4")
    assert list(await files.revisions("main", "team", "/a.sql")) == [3, 4]

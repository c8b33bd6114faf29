"""`NamespaceSync` and `TenantSync` between a real server and real repositories."""

from __future__ import annotations

from typing import Any

from tests.builtin.git.repositories import Bare
from tests.builtin.git.test_flows import flows, put, source
from tests.support.flows import RETURN, Ended, run_tasks
from tests.support.live import LiveServer

ONE = {"id": "git", "type": "io.kestra.plugin.git.NamespaceSync", "namespace": "shop", "branch": "main"}
ALL = {"id": "git", "type": "io.kestra.plugin.git.TenantSync", "branch": "main"}
ROWS = {"id": "rows", "type": RETURN, "format": "{{ read(outputs.git.diff) }}"}


async def put_file(server: LiveServer, namespace: str, path: str, content: str) -> None:
    await server.services.namespace_files.put("main", namespace, path, content.encode())


async def paths(server: LiveServer, namespace: str) -> list[str]:
    return sorted(await server.services.namespace_files.paths("main", namespace))


async def ran(server: LiveServer, task: dict[str, Any], **more: Any) -> Ended:
    ended = await run_tasks(server, {**task, **more}, ROWS)
    assert ended.state == "SUCCESS", ended.messages
    return ended


def states(ended: Ended) -> list[tuple[str, str]]:
    """Return the path and the state of each row."""
    rows = ended.outputs["rows"]["value"].splitlines()
    return [(row.split('gitPath:"')[1].split('"')[0], row.split('syncState:"')[1].split('"')[0]) for row in rows]


async def test_namespace_sync_makes_the_repository_what_the_namespace_is(server: LiveServer, repository: Bare) -> None:
    """IAC-127, IAC-128, IAC-129, USE-091."""
    repository.commit({"README": "r", "base/shop/flows/old.yaml": "old", "base/shop/files/x": "x",
                       "base/other/flows/o.yaml": "o", "base/shop/flows/a.yml": "a"})  # fmt: skip
    await put(server, source("a", "shop"), source("b", "shop"), source("c", "shop.below"))
    await put_file(server, "shop", "/sql/q.sql", "select 1")
    known = {"url": repository.url, "gitDirectory": "base", "whenMissingInSource": "DELETE"}
    dry = await ran(server, ONE, **known, dryRun=True)
    assert len(repository.log("%H")) == 1
    ended = await ran(server, ONE, **known)
    assert states(ended) == states(dry)
    assert states(ended) == [
        ("shop/files/sql/q.sql", "ADDED"),
        ("shop/flows/a.yaml", "UPDATED"),
        ("shop/flows/b.yaml", "ADDED"),
        ("shop/files/x", "DELETED"),
        ("shop/flows/old.yaml", "DELETED"),
    ]
    assert repository.files() == {
        "README": "r",
        "base/other/flows/o.yaml": "o",
        "base/shop/files/sql/q.sql": "select 1",
        "base/shop/flows/a.yml": source("a", "shop"),
        "base/shop/flows/b.yaml": source("b", "shop"),
    }
    assert repository.log("%H")[0] == ended.outputs["git"]["commitId"]


async def test_namespace_sync_makes_the_namespace_what_the_repository_is(server: LiveServer, repository: Bare) -> None:
    """IAC-127, IAC-128, IAC-129, USE-091."""
    commit = repository.commit({"shop/flows/a.yaml": source("a", "shop", "new"), "shop/files/sql/q.sql": "select 2"})
    await put(server, source("a", "shop"), source("gone", "shop"), source("o", "other"))
    await put_file(server, "shop", "/x", "x")
    known = {"url": repository.url, "sourceOfTruth": "GIT"}
    kept = await ran(server, ONE, **known, dryRun=True)
    assert dict(states(kept))["shop/flows/gone.yaml"] == "KEPT"
    refused = await run_tasks(server, {**ONE, **known, "whenMissingInSource": "FAIL"})
    assert any("on the other side alone: shop/files/x, shop/flows/gone.yaml" in one for one in refused.messages)
    assert sorted(await flows(server, "shop")) == ["shop.a", "shop.gone"]
    ended = await ran(server, ONE, **known, whenMissingInSource="DELETE")
    assert ended.outputs["git"]["commitId"] == commit
    assert await flows(server, "shop") == {"shop.a": (2, source("a", "shop", "new"))}
    assert await paths(server, "shop") == ["/sql/q.sql"]
    assert sorted(await flows(server, "other")) == ["other.o"]


async def test_tenant_sync_takes_everything_there_and_back(server: LiveServer, repository: Bare) -> None:
    """IAC-120, IAC-126, USE-091."""
    await put(server, source("a", "shop"), source("c", "shop.below"))
    await put_file(server, "docs", "/guide.md", "g")
    url = {"url": repository.url, "kestraUrl": "http://localhost:8080", "auth": {"username": "a", "password": "b"}}
    await ran(server, ALL, **url)
    names = ["docs/files/guide.md", "shop.below/flows/c.yaml", "shop/flows/a.yaml", "team/flows/flow.yaml"]
    assert sorted(repository.files()) == names
    repository.commit({"shop.below/flows/c.yaml": None, "new/flows/n.yaml": source("n", "new")})
    await put(server, source("s", "system"))
    back = {"sourceOfTruth": "GIT", "whenMissingInSource": "DELETE"}
    ended = await ran(server, ALL, **url, **back)
    told = dict(states(ended))
    assert told["shop.below/flows/c.yaml"] == "DELETED"
    assert told["system/flows/s.yaml"] == "KEPT"
    assert told["team/flows/flow.yaml"] == "UNCHANGED"
    assert sorted(await flows(server, "shop")) == ["shop.a"]
    assert sorted(await flows(server, "new")) == ["new.n"]


async def test_namespace_sync_of_files_that_are_no_flows_heeds_how_it_is_to_react(
    server: LiveServer, repository: Bare
) -> None:
    """IAC-128, IAC-130."""
    repository.commit({"shop/flows/a.yaml": source("a"), "shop/flows/b.yaml": source("other"),
                       "shop/flows/c.yaml": "id: c\nnamespace: shop\ntasks: none\n"})  # fmt: skip
    known = {"url": repository.url, "sourceOfTruth": "GIT"}
    refused = await run_tasks(server, {**ONE, **known})
    assert refused.state == "FAILED"
    assert any("the file is called `b`, and the flow `other`" in message for message in refused.messages)
    assert await flows(server, "shop") == {}
    ended = await ran(server, ONE, **known, onInvalidSyntax="SKIP")
    assert states(ended) == [("shop/flows/a.yaml", "ADDED")]
    assert await flows(server, "shop") == {"shop.a": (1, source("a", "shop"))}


async def test_namespace_sync_of_a_branch_without_anything_deletes_nothing(
    server: LiveServer, repository: Bare
) -> None:
    """IAC-128."""
    repository.commit({"README": "r"})
    await put(server, source("a", "shop"))
    known = {**ONE, "url": repository.url, "sourceOfTruth": "GIT", "whenMissingInSource": "DELETE"}
    for directory in ("", "none"):
        ended = await run_tasks(server, {**known, "gitDirectory": directory})
        assert ended.state == "FAILED"
    assert sorted(await flows(server, "shop")) == ["shop.a"]

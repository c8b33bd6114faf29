"""`PushFlows`, `SyncFlows` and `SyncFlow` between a real server and real repositories."""

from __future__ import annotations

import json
from typing import Any

from penstock.ports.flows import Way
from tests.builtin.git.repositories import Bare
from tests.support.flows import RETURN, Ended, run_tasks
from tests.support.live import LiveServer

PUSH = {"id": "git", "type": "io.kestra.plugin.git.PushFlows", "sourceNamespace": "dev", "gitDirectory": "flows"}
SYNC = {"id": "git", "type": "io.kestra.plugin.git.SyncFlows", "targetNamespace": "git", "gitDirectory": "flows"}
ROWS = {"id": "rows", "type": RETURN, "format": "{{ read(outputs.git.flows) }}"}


def source(flow_id: str, namespace: str = "dev", message: str = "hello") -> str:
    log = "{id: log, type: io.kestra.plugin.core.log.Log, message: MESSAGE}".replace("MESSAGE", message)
    return f"# a remark\nid: {flow_id}\nnamespace: {namespace}\ntasks:\n  - {log}\n"


async def put(server: LiveServer, *sources: str) -> None:
    for one in sources:
        await server.services.flows.put("main", one)


async def flows(server: LiveServer, namespace: str) -> dict[str, tuple[int, str]]:
    """Return revisions and sources of the flows of a namespace and those below."""
    found = await server.services.flows.all("main")
    return {
        f"{one.namespace}.{one.id}": (one.revision, one.source)
        for one in found
        if one.namespace == namespace or one.namespace.startswith(f"{namespace}.")
    }


async def ran(server: LiveServer, task: dict[str, Any], **more: Any) -> Ended:
    ended = await run_tasks(server, {**task, **more}, ROWS)
    assert ended.state == "SUCCESS", ended.messages
    return ended


def told(ended: Ended) -> list[str]:
    lines: list[str] = ended.outputs["rows"]["value"].splitlines()
    return lines


async def test_push_flows_writes_each_into_the_folder_of_its_namespace(server: LiveServer, repository: Bare) -> None:
    """ENG-011, IAC-123, USE-085."""
    await put(server, source("a"), source("b"), source("c", "dev.tutorial.first"), source("other", "devil"))
    children = {"includeChildNamespaces": True, "targetNamespace": "prod", "branch": "develop"}
    dry = await ran(server, PUSH, url=repository.url, dryRun=True, **children)
    assert "commitId" not in dry.outputs["git"]
    ended = await ran(server, PUSH, url=repository.url, commitMessage="of {{ flow.id }}", **children)
    assert told(ended) == told(dry)
    assert told(ended)[0] == '{file:"flows/a.yml",additions:"+5",deletions:"-0"}'
    assert repository.files("develop") == {
        "flows/a.yml": source("a", "prod"),
        "flows/b.yml": source("b", "prod"),
        "flows/tutorial/first/c.yml": source("c", "prod.tutorial.first"),
    }
    assert repository.log("%H %s", "develop") == [f"{ended.outputs['git']['commitId']} of flow"]
    again = await ran(server, PUSH, url=repository.url, **children)
    assert "commitId" not in again.outputs["git"]


async def test_push_flows_of_some_removes_those_that_are_gone_and_leaves_the_others(
    server: LiveServer, repository: Bare
) -> None:
    """IAC-123, USE-085."""
    repository.commit({"README": "r", "flows/a1.yaml": "old", "flows/a2.yml": "gone", "flows/b.yml": "b",
                       "flows/below/a3.yml": "below", "flows/notes.txt": "n"})  # fmt: skip
    await put(server, source("a1"), source("b"), source("c"))
    await ran(server, PUSH, url=repository.url, flows=["a.*", "c"])
    assert repository.files() == {
        "README": "r",
        "flows/a1.yaml": source("a1"),
        "flows/b.yml": "b",
        "flows/below/a3.yml": "below",
        "flows/c.yml": source("c"),
        "flows/notes.txt": "n",
    }
    await ran(server, PUSH, url=repository.url, flows="*", delete=False)
    assert repository.files()["flows/b.yml"] == source("b")


async def test_sync_flows_makes_the_namespace_what_the_repository_is(server: LiveServer, repository: Bare) -> None:
    """ENG-011, IAC-121, USE-087, BEY-002."""
    commit = repository.commit({"flows/new.yml": source("new", "dev"), "flows/old.yaml": source("old", message="more"),
                                "flows/same.yml": source("same"), "flows/tutorial/c.yml": source("c"),
                                "flows/README.md": "no flow"})  # fmt: skip
    await put(server, source("old", "git"), source("same", "git"), source("mine", "git"), source("d", "git.tutorial"))
    before = await flows(server, "git")
    dry = await ran(server, SYNC, url=repository.url, delete=True, dryRun=True)
    assert await flows(server, "git") == before
    ended = await ran(server, SYNC, url=repository.url, delete=True)
    assert ended.outputs["git"]["commitId"] == commit
    assert told(ended) == told(dry)
    assert told(ended) == [
        '{gitPath:"flows/new.yml",namespace:"git",flowId:"new",revision:1,syncState:"ADDED"}',
        '{gitPath:"flows/old.yaml",namespace:"git",flowId:"old",revision:2,syncState:"UPDATED"}',
        '{gitPath:"flows/same.yml",namespace:"git",flowId:"same",revision:1,syncState:"UNCHANGED"}',
        '{gitPath:null,namespace:"git",flowId:"mine",syncState:"DELETED"}',
    ]
    assert await flows(server, "git") == {
        "git.new": (1, source("new", "git")),
        "git.old": (2, source("old", "git", "more")),
        "git.same": (1, source("same", "git")),
        "git.tutorial.d": (1, source("d", "git.tutorial")),
    }
    [new] = await server.services.flows.revisions("main", "git", "new")
    assert new.author is not None
    assert new.author.way is Way.TASK
    await ran(server, SYNC, url=repository.url, includeChildNamespaces=True)
    assert sorted(await flows(server, "git")) == ["git.new", "git.old", "git.same", "git.tutorial.c", "git.tutorial.d"]


async def test_sync_flows_leaves_the_flow_it_runs_in(server: LiveServer, repository: Bare) -> None:
    """IAC-121."""
    repository.commit({"flows/flow.yml": source("flow"), "flows/a.yml": source("a")})
    ended = await ran(server, SYNC, url=repository.url, targetNamespace="team", delete=True)
    assert '"UNCHANGED"' in told(ended)[1]
    found = await flows(server, "team")
    assert sorted(found) == ["team.a", "team.flow"]
    assert "SyncFlows" in found["team.flow"][1]
    repository.commit({"flows/flow.yml": None})
    await ran(server, SYNC, url=repository.url, targetNamespace="team", delete=True)
    assert sorted(await flows(server, "team")) == ["team.a", "team.flow"]


async def test_sync_flows_of_which_one_is_wrong_stores_none(server: LiveServer, repository: Bare) -> None:
    """IAC-121, USE-091."""
    for wrong, said in (
        ({"flows/b.yml": "id: b\nnamespace: dev\ntasks: none\n"}, "flows/b.yml: "),
        ({"flows/b.yml": source("a")}, "flow git.a is in flows/a.yml, too"),
    ):
        repository.commit({"flows/a.yml": source("a"), **wrong})
        ended = await run_tasks(server, {**SYNC, "url": repository.url, "delete": True})
        assert ended.state == "FAILED"
        assert any(said in message for message in ended.messages), ended.messages
        assert await flows(server, "git") == {}


async def test_sync_flows_of_a_folder_without_any_deletes_nothing(server: LiveServer, repository: Bare) -> None:
    """IAC-121."""
    repository.commit({"flows/README.md": "r"})
    await put(server, source("mine", "git"))
    for directory in ("flows", "none"):
        ended = await run_tasks(server, {**SYNC, "url": repository.url, "delete": True, "gitDirectory": directory})
        assert ended.state == "FAILED"
    assert sorted(await flows(server, "git")) == ["git.mine"]


async def test_sync_flow_stores_a_single_one(server: LiveServer, repository: Bare) -> None:
    """IAC-121."""
    commit = repository.commit({"x/a.yml": source("a"), "x/b.yml": source("b")})
    task = {"id": "git", "type": "io.kestra.plugin.git.SyncFlow", "targetNamespace": "git", "url": repository.url}
    dry = await run_tasks(server, {**task, "flowPath": "x/a.yml", "dryRun": True})
    assert dry.state == "SUCCESS", dry.messages
    assert await flows(server, "git") == {}
    ended = await run_tasks(server, {**task, "flowPath": "/x/a.yml"})
    expected = {"commitId": commit, "flowId": "a", "namespace": "git", "revision": 1}
    assert {name: ended.outputs["git"][name] for name in expected} == expected
    assert sorted(await flows(server, "git")) == ["git.a"]
    missing = await run_tasks(server, {**task, "flowPath": "x/c.yml"})
    assert any("no file `x/c.yml`" in message for message in missing.messages)


async def test_flows_go_from_one_server_to_another_by_a_repository(server: LiveServer, repository: Bare) -> None:
    """IAC-120, USE-091."""
    await put(server, source("a"))
    await ran(server, PUSH, url=repository.url, targetNamespace="git")
    await ran(server, SYNC, url=repository.url)
    await put(server, source("a", message="changed"))
    await ran(server, PUSH, url=repository.url, targetNamespace="git")
    await ran(server, SYNC, url=repository.url)
    assert await flows(server, "git") == {"git.a": (2, source("a", "git", "changed"))}


async def test_flow_with_an_access_token_as_it_is_is_refused(server: LiveServer) -> None:
    """USE-085."""
    task = {**PUSH, "url": "https://git.example.com/x", "password": "ghp_s3cretword"}
    flow = {"id": "push", "namespace": "team", "tasks": [task]}
    answer = await server.client.post("/api/v1/main/flows", content=json.dumps(flow))
    assert answer.status_code == 422
    assert "keep it as a secret" in answer.text
    assert "s3cretword" not in answer.text
    flow["tasks"] = [{**task, "password": "{{ secret('GIT_TOKEN') }}"}]
    assert (await server.client.post("/api/v1/main/flows", content=json.dumps(flow))).status_code == 200

"""Tasks that call the API of a server, against a real one over a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest

from penstock.builtin.kestra.executions import Count, Delete, Kill, Query, Resume
from penstock.builtin.kestra.flows import Flows, Namespaces, Toggle
from penstock.builtin.kestra.server import ServerRefused, ServerTask, ServerUnknown
from penstock.sdk import ion_values
from penstock.testing.run_context import RunContextFactory
from tests.support.listening import listening_server
from tests.support.live import BASIC, USER
from tests.support.waiting import PATIENCE, eventually

LOG = {"id": "say", "type": "io.kestra.plugin.core.log.Log", "message": "hello"}
FAIL = {"id": "fail", "type": "io.kestra.plugin.core.execution.Fail"}
PAUSE = {
    "id": "wait",
    "type": "io.kestra.plugin.core.flow.Pause",
    "onResume": [{"id": "approved", "type": "BOOL"}, {"id": "notes", "type": "JSON"}],
}
CRON = {"id": "daily", "type": "io.kestra.plugin.core.trigger.Schedule", "cron": "0 3 * * *"}
AUTH = {"username": USER.username, "password": USER.password}
_numbers = count(1)


class Server:
    """A server, and a namespace that nobody else uses."""

    def __init__(self, url: str, namespace: str) -> None:
        self.url = url
        self.namespace = namespace

    def ask(self, method: str, path: str, **options: Any) -> Any:
        answer = httpx.request(
            method, f"{self.url}/api/v1/main/{path}", auth=(BASIC), timeout=PATIENCE, **options
        ).raise_for_status()
        return answer.json() if answer.content else None

    def flow(self, flow_id: str, task: dict[str, Any], **more: Any) -> None:
        source = {"id": flow_id, "namespace": self.namespace, "tasks": [task], **more}
        self.ask("POST", "flows", content=json.dumps(source))

    def run(self, flow_id: str, **params: Any) -> str:
        return str(self.ask("POST", f"executions/{self.namespace}/{flow_id}", params=params)["id"])

    def end(self, flow_id: str, **params: Any) -> str:
        return self.run(flow_id, wait="true", **params)

    def follow(self, execution_id: str, *states: str) -> Any:
        """Return the execution once it is in one of the states, as the server tells it."""
        with httpx.stream(
            "GET", f"{self.url}/api/v1/main/executions/{execution_id}/follow", auth=BASIC, timeout=PATIENCE
        ) as events:
            for line in events.iter_lines():
                body = json.loads(line[5:] or "{}") if line.startswith("data:") else {}
                if body.get("state", {}).get("current") in states:
                    break
        return self.ask("GET", f"executions/{execution_id}")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with listening_server(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture
def server(url: str) -> Server:
    return Server(url, f"kestra{next(_numbers)}.tests")


class Caller:
    """Runs tasks that call the server."""

    def __init__(self, contexts: RunContextFactory, server: Server) -> None:
        self.contexts = contexts
        self.server = server

    def __call__(self, kind: type[ServerTask], **properties: Any) -> Any:
        """Run a task that says nothing of the address: it is the one that the server has configured."""
        task = kind.model_validate({"id": "t", "type": kind.type_name, "auth": AUTH, **properties})
        return task.run(self.contexts.of({"kestra": {"url": self.server.url}, "flow": {"tenantId": "main"}}))


@pytest.fixture
def call(contexts: RunContextFactory, server: Server) -> Caller:
    return Caller(contexts, server)


def test_query_finds_executions_by_what_is_asked_of_them(server: Server, call: Caller) -> None:
    server.flow("good", LOG)
    server.flow("bad", FAIL)
    good = [server.end("good", labels="team:red"), *(server.end("good") for _ in range(2))]
    bad = server.end("bad")
    here = {"namespace": server.namespace, "fetchType": "FETCH"}

    def ids(**properties: Any) -> set[str]:
        return {row["id"] for row in call(Query, **here, **properties).rows}

    assert ids(size=1) == {*good, bad}  # all pages, one after another
    assert len(ids(size=2, page=2)) == 2
    assert ids(states=["FAILED", "KILLED"]) == {bad}
    assert ids(flowId="good") == set(good)
    assert ids(labels={"team": "red"}) == {good[0]}
    assert ids(timeRange="PT1H", childFilter="MAIN", flowScopes=["USER"]) == {*good, bad}
    assert ids(endDate="2001-01-01T00:00:00Z") == set()
    assert ids(childFilter="CHILD") == set()


def test_query_gives_what_is_wanted_of_the_executions(server: Server, call: Caller) -> None:
    server.flow("good", LOG)
    found = {server.end("good") for _ in range(2)}
    stored = call(Query, namespace=server.namespace)
    content = call.contexts.gateway.files[stored.uri]
    assert {row["id"] for row in ion_values(content.decode())} == found
    assert (stored.size, stored.rows) == (2, None)
    one = call(Query, namespace=server.namespace, fetchType="FETCH_ONE")
    assert (one.row["id"] in found, one.size) == (True, 1)
    assert call(Query, namespace="nowhere", fetchType="FETCH_ONE").size == 0
    assert call(Query, namespace=server.namespace, fetchType="NONE").size is None


def test_count_counts_executions_of_namespaces(server: Server, call: Caller) -> None:
    server.flow("good", LOG)
    server.flow("bad", FAIL)
    for flow_id in ("good", "good", "bad"):
        server.end(flow_id)
    names = [server.namespace, "nowhere", server.namespace]
    assert call(Count, namespaces=names).count == 3
    assert call(Count, namespaces=names, states=["SUCCESS"]).count == 2
    assert call(Count, namespaces=names, flowId="bad").count == 1
    assert call(Count, namespaces=names, endDate="2001-01-01T00:00:00Z").count == 0
    assert call(Count).count >= 3


def test_execution_is_resumed_killed_and_deleted(server: Server, call: Caller) -> None:
    server.flow("waits", PAUSE)
    waiting = server.run("waits")
    server.follow(waiting, "PAUSED")
    with pytest.raises(ServerRefused, match="approved"):
        call(Resume, executionId=waiting)
    call(Resume, executionId=waiting, inputs={"approved": True, "notes": {"by": "Ada"}})
    ended = server.follow(waiting, "SUCCESS")
    assert ended["taskRunList"][0]["outputs"]["onResume"] == {"approved": True, "notes": {"by": "Ada"}}

    other = server.run("waits")
    server.follow(other, "PAUSED")
    call(Kill, executionId=other)
    assert server.follow(other, "KILLED")["state"]["current"] == "KILLED"

    call(Delete, executionId=other, deleteLogs=False)
    with pytest.raises(ServerRefused, match=f"404: .*{other}"):
        call(Delete, executionId=other)


def test_flows_and_namespaces_are_listed(server: Server, call: Caller) -> None:
    server.flow("one", LOG)
    server.flow("two", LOG)
    mine = [flow["id"] for flow in call(Flows, namespace=server.namespace).flows]
    assert sorted(mine) == ["one", "two"]
    every = {(flow["namespace"], flow["id"]) for flow in call(Flows).flows}
    assert every >= {(server.namespace, "one"), (server.namespace, "two")}
    above = server.namespace.partition(".")[0]
    assert [one["id"] for one in call(Namespaces, prefix=above).namespaces] == [above, server.namespace]
    assert [one["id"] for one in call(Namespaces, prefix=above, existingOnly=True).namespaces] == [server.namespace]
    assert call(Namespaces, prefix="tests").namespaces == []


async def test_trigger_is_switched(server: Server, call: Caller) -> None:
    server.flow("timed", LOG, triggers=[CRON])
    name = {"namespace": server.namespace, "flowId": "timed", "trigger": "daily"}
    path = f"triggers/{server.namespace}/timed"
    await eventually(lambda: server.ask("GET", path)["results"])  # once the scheduler has seen it
    for enabled in (False, True):
        call(Toggle, **name, enabled=enabled)
        [state] = server.ask("GET", path)["results"]
        assert state["disabled"] is not enabled
    with pytest.raises(ServerRefused, match="404"):
        call(Toggle, **{**name, "trigger": "never"}, enabled=True)


def test_server_without_an_address_is_an_error_that_says_what_to_do(contexts: RunContextFactory) -> None:
    task = Flows.model_validate({"id": "t", "type": Flows.type_name})
    with pytest.raises(ServerUnknown) as raised:
        task.run(contexts.of())
    assert "`kestra.url`" in raised.value.hint


def test_server_that_refuses_the_account_or_does_not_answer_is_told(server: Server, call: Caller) -> None:
    with pytest.raises(ServerRefused, match="401") as raised:
        call(Flows, auth={"apiToken": "wrong"})
    assert "`apiToken`" in raised.value.hint
    with pytest.raises(ServerRefused, match="gives no answer"):
        call(Flows, kestraUrl="http://127.0.0.1:1")


def test_server_takes_a_token(server: Server, call: Caller) -> None:
    token = (
        httpx.post(f"{server.url}/api/v1/me/api-tokens", auth=BASIC, json={"name": server.namespace}, timeout=PATIENCE)
        .raise_for_status()
        .json()["fullToken"]
    )
    assert call(Flows, namespace=server.namespace, auth={"apiToken": token}).flows == []

"""Requests made of the API's own description, senseless ones most of them: none may be more than the server foresaw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.support.listening import listening_server
from tests.support.live import USER
from tests.support.waiting import PATIENCE

EXAMPLES = 2
"""For each operation; more by hand, before a release: each costs about 20 ms."""
LOGIN = (USER.username, USER.password)
HELLO = """\
id: hello
namespace: team
triggers:
  - {id: yearly, type: io.kestra.plugin.core.trigger.Schedule, cron: "0 0 1 1 *"}
tasks:
  - {id: greet, type: io.kestra.plugin.core.debug.Return, format: hello}
"""
LEFT_OUT = ("follow", "/logout", "/login", "/worker/")
"""Streams that end when an execution does, and what would end the session or count as guessing."""


def prepared(address: str) -> dict[str, Any]:
    """Return the description with names of things there are, so that requests get past the first question."""
    with httpx.Client(base_url=address, auth=LOGIN, timeout=PATIENCE) as client:
        client.post("/api/v1/main/flows", content=HELLO).raise_for_status()
        started = client.post("/api/v1/main/executions/team/hello", params={"wait": "true"}).json()
        document: dict[str, Any] = client.get("/openapi.json").json()
    known = {"tenant": "main", "namespace": "team", "id": "hello", "flow_id": "hello", "kind": "FLOW"}
    known |= {"trigger_id": "yearly", "execution_id": started["id"], "task_id": "greet"}
    for path in list(document["paths"]):
        if any(word in path for word in LEFT_OUT):
            del document["paths"][path]
            continue
        for operation in document["paths"][path].values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in known:
                    parameter["schema"] = {"enum": [known[parameter["name"]]]}
    return document


# The client library is told to forget the connection of each case; some are closed by the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_requests_of_all_kinds_are_answered_without_an_unforeseen_error(tmp_path: Path) -> None:
    """API-007: refusals are told as such, and nothing the description allows brings the server down."""
    import schemathesis
    from schemathesis.checks import not_a_server_error

    with listening_server(tmp_path) as address:
        schema = schemathesis.openapi.from_dict(prepared(address))
        count = 0
        for found in schema.get_all_operations():
            operation = found.ok()

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy())
            def ask(case: Any) -> None:
                answer = case.call(base_url=address, auth=LOGIN, timeout=PATIENCE)
                case.validate_response(answer, checks=[not_a_server_error])

            ask()
            count += 1
    assert count > 150, "nearly all operations were asked"

"""Flows that start because another one has ended, and flows whose inputs come from the key-value store."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.shop import Shop
from tests.acceptance.runners import Api, example
from tests.acceptance.server import Server, running, wait_until
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.acceptance

PLAIN = """
id: {flow_id}
namespace: company.team
tasks:
  - id: only
    type: {type}
"""
GOOD = "io.kestra.plugin.core.debug.Return"
BAD = "io.kestra.plugin.core.execution.Fail"


@pytest.fixture
def own_server(tmp_path: Path, shop_url: str) -> Iterator[Server]:
    """Return a server of the test's own: what reacts to every execution must not meet those of other tests."""
    alerts = base64.b64encode(f"{shop_url}/alerts".encode()).decode()
    with running(Server(tmp_path, variables={"SECRET_SLACK_WEBHOOK": alerts})) as started:
        yield started


def run_plain(server: Server, flow_id: str, kind: str) -> dict[str, Any]:
    server.put_flow(PLAIN.format(flow_id=flow_id, type=kind))
    started = server.launch("company.team", flow_id)
    return server.ended(started.json()["id"])


def test_flow_with_two_triggers_starts_when_the_named_flow_has_ended(own_server: Server) -> None:
    """ENG-290, ENG-411, example 22 of the language."""
    own_server.put_flow(example("tutorial/triggers_two"))

    run_plain(own_server, "another_flow", GOOD)
    upstream = run_plain(own_server, "first_flow", GOOD)

    def begun() -> dict[str, Any] | None:
        found = own_server.executions("getting_started")
        return found[0] if found else None

    execution = wait_until(begun, PATIENCE, lambda: "the flow trigger did not start the flow")
    done = own_server.ended(execution["id"])
    assert done["state"]["current"] == "SUCCESS"
    assert done["trigger"]["id"] == "flow_trigger"
    assert done["trigger"]["variables"]["executionId"] == upstream["id"]
    assert len(own_server.executions("getting_started")) == 1


def test_failure_of_any_flow_of_a_namespace_raises_one_alert(own_server: Server, shop: Shop) -> None:
    """ENG-234."""
    own_server.put_flow(example("tutorial/errors_failure_alert"))

    run_plain(own_server, "reliable", GOOD)
    failed = run_plain(own_server, "unreliable", BAD)

    wait_until(lambda: shop.alerts or None, PATIENCE, lambda: "nobody raised the alarm")
    assert len(shop.alerts) == 1
    assert f"company.team.unreliable did not end well: {failed['id']}" in shop.alerts[0]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"resource_type": "Access permissions", "access_permissions": "Admin"}, "Admin"),
        ({"resource_type": "Cloud VM", "cloud_vms": "t2.micro"}, "t2.micro"),
        ({"resource_type": "Cloud VM", "cloud_vms": "f1-micro"}, None),
        ({"resource_type": "Cloud VM"}, None),
    ],
)
def test_choices_come_from_the_key_value_store(server: Server, inputs: dict[str, str], message: str | None) -> None:
    """ENG-164, ENG-165, ENG-402, example 16 of the language."""
    values = {"access_permissions": '["Admin", "Developer"]', "cloud_vms": '{"AWS": ["t2.micro", "t2.small"]}'}
    for key, value in values.items():
        answer = server.request(
            "PUT",
            f"/api/v1/main/namespaces/company.team/kv/{key}",
            content=value,
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code < 300, answer.text
    source = example("flows/request_resources")
    if message is None:
        server.put_flow(source)
        assert server.launch("company.team", "request_resources", inputs).status_code == 422
        return
    result = Api(server).run(source, inputs)
    assert (result.state, result.messages("print")) == ("SUCCESS", [message])

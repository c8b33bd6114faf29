"""Webhooks: the key authorises, the request becomes `trigger`."""

from __future__ import annotations

import pytest

from penstock.base.errors import UnavailableError
from penstock.services.executions import Following
from penstock.services.webhooks import WebhookCall, WebhookService
from tests.api.flows import HOOKED
from tests.support.live import LiveServer

HOOKS = "/api/v1/main/executions/webhook"
SECRET_KEY = HOOKED.replace("key: abc123", "key: \"{{ secret('HOOK') }}\"")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
async def test_webhook_with_the_right_key_starts_the_flow_without_a_login(server: LiveServer, method: str) -> None:
    """API-022, ENG-302, ENG-304, ENG-413."""
    await server.flow(HOOKED)
    async with server.visitor() as visitor:
        answer = await visitor.request(method, f"{HOOKS}/team/hooked/abc123")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) >= {"tenantId", "id", "namespace", "flowId", "flowRevision", "trigger", "labels", "state", "url"}
    assert body["trigger"]["id"] == "hook"
    ended = await server.until(body["id"], "SUCCESS")
    assert ended["taskRunList"][0]["outputs"] == {"value": "nobody"}
    assert "system.username" not in {label["key"] for label in ended["labels"]}


@pytest.mark.parametrize("path", ["team/hooked/wrong", "team/hooked/abc12", "team/other/abc123", "other/hooked/abc123"])
async def test_webhook_with_a_wrong_address_is_not_found_and_tells_nothing(server: LiveServer, path: str) -> None:
    """ENG-413."""
    await server.flow(HOOKED)
    async with server.visitor() as visitor:
        answer = await visitor.post(f"{HOOKS}/{path}")
    assert answer.status_code == 404
    assert answer.json()["message"] == "there is no webhook at this address"


async def test_webhook_passes_body_headers_parameters_and_path_to_the_flow(server: LiveServer) -> None:
    """ENG-303, USE-B013."""
    source = HOOKED.replace(
        "{{ trigger.body.who ?? 'nobody' }}",
        "{{ trigger.body.list[0].who }} {{ trigger.headers['X-Order'] | first }} {{ trigger.parameters.p[1] }} "
        "{{ trigger.parameters.missing[0] ?? 'none' }} {{ trigger.path }}",
    )
    await server.flow(source)
    async with server.visitor() as visitor:
        answer = await visitor.post(
            f"{HOOKS}/team/hooked/abc123/some/path",
            params=[("p", "1"), ("p", "2")],
            json={"list": [{"who": "Ada"}]},
            headers={"X-Order": "7"},
        )
    ended = await server.until(answer.json()["id"], "SUCCESS")
    assert ended["taskRunList"][0]["outputs"] == {"value": "Ada 7 2 none some/path"}


async def test_webhook_body_that_is_no_json_is_text(server: LiveServer) -> None:
    await server.flow(HOOKED.replace("trigger.body.who ?? 'nobody'", "trigger.body"))
    async with server.visitor() as visitor:
        answer = await visitor.post(
            f"{HOOKS}/team/hooked/abc123", content='{"a": 1', headers={"Content-Type": "text/plain"}
        )
    ended = await server.until(answer.json()["id"], "SUCCESS")
    assert ended["taskRunList"][0]["outputs"] == {"value": '{"a": 1'}


async def test_webhook_text_is_read_in_the_character_set_it_names(server: LiveServer) -> None:
    """ENG-303."""
    await server.flow(HOOKED.replace("trigger.body.who ?? 'nobody'", "trigger.body"))
    for charset in ("latin-1", "nobody-knows"):
        kind = {"Content-Type": f"text/plain; charset={charset}"}
        async with server.visitor() as visitor:
            answer = await visitor.post(f"{HOOKS}/team/hooked/abc123", content=b"caf\xe9", headers=kind)
        ended = await server.until(answer.json()["id"], "SUCCESS")
        read = "caf\u00e9" if charset == "latin-1" else "caf\ufffd"
        assert ended["taskRunList"][0]["outputs"] == {"value": read}


async def test_webhook_body_nested_too_deeply_for_json_is_text(server: LiveServer) -> None:
    await server.flow(HOOKED.replace("trigger.body.who ?? 'nobody'", "trigger.body | length"))
    body = "[" * 50_000 + "]" * 50_000
    async with server.visitor() as visitor:
        answer = await visitor.post(
            f"{HOOKS}/team/hooked/abc123", content=body, headers={"Content-Type": "application/json"}
        )
    assert answer.status_code == 200, answer.text
    ended = await server.until(answer.json()["id"], "SUCCESS")
    assert ended["taskRunList"][0]["outputs"] == {"value": "100000"}


async def test_webhook_does_not_store_the_callers_password(server: LiveServer) -> None:
    await server.flow(HOOKED)
    answer = await server.client.post(f"{HOOKS}/team/hooked/abc123", headers={"Cookie": "BASIC_AUTH=secret"})
    ended = await server.until(answer.json()["id"], "SUCCESS")
    names = {name.lower() for name in ended["trigger"]["variables"]["headers"]}
    assert "host" in names
    assert not names & {"authorization", "cookie"}


async def test_webhook_key_may_be_a_secret(server: LiveServer) -> None:
    """ENG-302, USE-B060."""
    await server.flow(SECRET_KEY)
    async with server.visitor() as visitor:
        assert (await visitor.post(f"{HOOKS}/team/hooked/from-a-secret")).status_code == 200
        assert (await visitor.post(f"{HOOKS}/team/hooked/other")).status_code == 404


async def test_webhook_whose_key_cannot_be_told_at_present_may_be_called_again(server: LiveServer) -> None:
    """ENG-302."""

    async def away(*_: object) -> object:
        raise UnavailableError("the database does not answer")

    core = server.core
    followers = Following(core.store.queries, core.followers)
    webhooks = WebhookService(core.catalog, core.reading.triggers, core.executions, followers, away)
    await server.flow(SECRET_KEY)
    call = WebhookCall("main", "team", "hooked", "from-a-secret", None, (), (), "", b"")
    with pytest.raises(UnavailableError, match="does not answer"):
        await webhooks.call(call)


async def test_webhook_that_waits_answers_with_the_outputs(server: LiveServer) -> None:
    """ENG-305."""
    waiting = HOOKED.replace("key: abc123", "key: abc123\n    wait: true\n    returnOutputs: true")
    outputs = 'outputs:\n  - id: greeting\n    type: STRING\n    value: "Hello {{ outputs.show.value }}!"\n'
    await server.flow(waiting + outputs)
    async with server.visitor() as visitor:
        answer = await visitor.post(f"{HOOKS}/team/hooked/abc123", json={"who": "Alice"})
    assert answer.json() == {"greeting": "Hello Alice!"}
    assert answer.headers["content-type"] == "application/json"


async def test_webhook_answers_with_bare_text_when_the_trigger_says_so(server: LiveServer) -> None:
    """ENG-305."""
    options = "key: abc123\n    wait: true\n    returnOutputs: true\n    responseContentType: text/plain"
    outputs = 'outputs:\n  - id: greeting\n    type: STRING\n    value: "Hello {{ outputs.show.value }}!"\n'
    await server.flow(HOOKED.replace("key: abc123", options) + outputs)
    async with server.visitor() as visitor:
        answer = await visitor.post(f"{HOOKS}/team/hooked/abc123", json={"who": "Bob"})
    assert answer.text == "Hello Bob!"
    assert answer.headers["content-type"].startswith("text/plain")


async def test_webhook_whose_execution_fails_answers_with_its_state_not_with_empty_outputs(server: LiveServer) -> None:
    """ENG-305."""
    waiting = HOOKED.replace("key: abc123", "key: abc123\n    wait: true\n    returnOutputs: true")
    await server.flow(waiting + 'outputs:\n  - {id: number, type: INT, value: "{{ outputs.show.value }}"}\n')
    async with server.visitor() as visitor:
        answer = await visitor.post(f"{HOOKS}/team/hooked/abc123", json={"who": "Bob"})
    assert answer.json()["state"]["current"] == "FAILED"


async def test_webhook_that_is_disabled_starts_nothing(server: LiveServer) -> None:
    """ENG-040."""
    await server.flow(HOOKED.replace("key: abc123", "key: abc123\n    disabled: true"))
    async with server.visitor() as visitor:
        answer = await visitor.post(f"{HOOKS}/team/hooked/abc123")
    assert answer.status_code == 409
    assert (await server.client.get("/api/v1/main/executions/search")).json()["total"] == 0


async def test_webhook_gives_the_flow_its_inputs(server: LiveServer) -> None:
    """ENG-303."""
    source = HOOKED.replace("{{ trigger.body.who ?? 'nobody' }}", "{{ inputs.who }} {{ inputs.size }}")
    source = source.replace("key: abc123", 'key: abc123\n    inputs:\n      who: "{{ trigger.body.name }}"')
    await server.flow(source + "inputs:\n  - id: who\n    type: STRING\n  - id: size\n    type: INT\n    defaults: 1\n")
    async with server.visitor() as visitor:
        url = f"{HOOKS}/team/hooked/abc123"
        answer = await visitor.post(url, json={"name": "Ada"}, params={"inputs": '{"size": 4}'})
        ended = await server.until(answer.json()["id"], "SUCCESS")
        assert ended["taskRunList"][0]["outputs"] == {"value": "Ada 4"}
        refused = await visitor.post(url, json={"name": "Ada"}, params={"inputs": "size:many"})
    assert refused.status_code == 422


async def test_webhook_of_a_new_revision_uses_its_key(server: LiveServer) -> None:
    await server.flow(HOOKED)
    await server.client.put("/api/v1/main/flows/team/hooked", content=HOOKED.replace("abc123", "new-key"))
    async with server.visitor() as visitor:
        assert (await visitor.post(f"{HOOKS}/team/hooked/abc123")).status_code == 404
        assert (await visitor.post(f"{HOOKS}/team/hooked/new-key")).status_code == 200


async def test_webhook_that_waits_answers_at_its_timeout_at_the_latest(server: LiveServer) -> None:
    """ENG-305."""
    options = "key: abc123\n    wait: true\n    timeout: PT0.2S"
    hold = "  - {id: hold, type: io.kestra.plugin.core.flow.Pause}\n"
    await server.flow(HOOKED.replace("key: abc123", options) + hold)
    async with server.visitor() as visitor:
        answer = await visitor.post(f"{HOOKS}/team/hooked/abc123", json={"who": "Ada"})
    assert answer.status_code == 200
    assert (await server.until(answer.json()["id"], "PAUSED"))["id"] == answer.json()["id"]


async def test_webhook_condition_on_a_key_is_answered(server: LiveServer) -> None:
    """ENG-272: `kv()` in a condition."""
    condition = """key: abc123
    conditions:
      - type: io.kestra.plugin.core.condition.Expression
        expression: "{{ kv('open') == 'yes' and trigger.body.who == 'Ada' }}"
"""
    await server.flow(HOOKED.replace("key: abc123", condition))
    for value, status in (("no", 409), ("yes", 200)):
        stored = await server.client.put("/api/v1/main/namespaces/team/kv/open", content=f'"{value}"')
        assert stored.status_code == 200, stored.text
        async with server.visitor() as visitor:
            assert (await visitor.post(f"{HOOKS}/team/hooked/abc123", json={"who": "Ada"})).status_code == status
            assert (await visitor.post(f"{HOOKS}/team/hooked/abc123", json={"who": "Bob"})).status_code == 409


async def test_webhook_of_a_flow_whose_check_fails_does_what_the_check_says(server: LiveServer) -> None:
    """ENG-193, ENG-409."""
    check = "checks:\n  - {{condition: '{{{{ false }}}}', message: the shop is closed, behavior: {}}}\n"
    await server.flow(HOOKED + check.format("BLOCK_EXECUTION"))
    async with server.visitor() as visitor:
        blocked = await visitor.post(f"{HOOKS}/team/hooked/abc123")
        assert blocked.status_code == 422
        assert "the shop is closed" in blocked.text
        source = HOOKED + check.format("FAIL_EXECUTION")
        assert (await server.client.put("/api/v1/main/flows/team/hooked", content=source)).status_code == 200
        started = await visitor.post(f"{HOOKS}/team/hooked/abc123")
    ended = await server.until(started.json()["id"], "FAILED")
    assert not ended.get("taskRunList")
    logs = (await server.client.get(f"/api/v1/main/logs/{started.json()['id']}")).json()
    assert "the shop is closed" in [line["message"] for line in logs]

"""Secrets that pass through an execution: inputs, outputs, values given on a resume. Kept encrypted, shown never."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.services.encryption import Encryption
from tests.support.live import LiveServer, live_server

SECRET = "swordfish-99"
EXECUTIONS = "/api/v1/main/executions"
LOG = "type: io.kestra.plugin.core.log.Log"
RETURN = "type: io.kestra.plugin.core.debug.Return"
GUARDED = """
id: guarded
namespace: team
inputs: [{id: token, type: SECRET}]
variables: {name: token}
tasks:
  - {id: size, RETURN, format: "{{ PATH | length }}"}
  - {id: said, LOG, message: "it is {{ PATH }}"}
  - {id: made, LOG, message: "{{ PATH | reverse }}"}
""".replace("RETURN", RETURN).replace("LOG", LOG)
SCRIPTED = """
id: scripted
namespace: team
tasks:
  - id: make
    type: io.kestra.plugin.scripts.shell.Commands
    taskRunner: {type: io.kestra.plugin.core.runner.Process}
    commands:
      - token=$(echo c3dvcmRmaXNoLTk5 | base64 -d)
      - 'echo "::{\\"encryptedOutputs\\": {\\"token\\": \\"$token\\"}}::"'
      - echo "$token"
  - {id: size, RETURN, format: "{{ outputs.make.vars.token | length }}"}
  - {id: said, LOG, message: "{{ outputs['make']['vars']['token'] }}"}
""".replace("RETURN", RETURN).replace("LOG", LOG)
CHILD = """
id: child
namespace: team.other
inputs: [{id: token, type: SECRET}]
tasks:
  - {id: work, RETURN, format: x}
outputs:
  - {id: final, type: SECRET, value: "{{ inputs.token }}"}
""".replace("RETURN", RETURN)
PARENT = """
id: parent
namespace: team
inputs: [{id: token, type: SECRET}]
tasks:
  - {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: team.other, flowId: child,
     inputs: {token: "{{ inputs.token }}"}}
  - {id: size, RETURN, format: "{{ outputs.call.outputs.final | length }}"}
  - {id: said, LOG, message: "{{ outputs.call.outputs.final }}"}
""".replace("RETURN", RETURN).replace("LOG", LOG)
ASKING = """
id: asking
namespace: team
tasks:
  - id: ask
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - {id: token, type: SECRET}
      - {id: letter, type: FILE}
  - {id: size, RETURN, format: "{{ outputs.ask.onResume.token | length }} {{ read(outputs.ask.onResume.letter) }}"}
  - {id: said, LOG, message: "{{ outputs.ask.onResume.token }}"}
""".replace("RETURN", RETURN).replace("LOG", LOG)


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveServer]:
    """Give a server, and look for the secret everywhere in the end."""
    async with live_server(tmp_path, encryption=Encryption.passing()) as server:
        yield server
        await look_for_the_secret(server)
    assert not [path for path in files(tmp_path) if SECRET.encode() in path.read_bytes()]


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


async def look_for_the_secret(live: LiveServer) -> None:
    """Assert that neither answers of the API nor logs show the secret, or its encrypted form."""
    found = (await live.client.get(f"{EXECUTIONS}/search", params={"size": 100})).json()["results"]
    assert found
    for one in found:
        whole = await live.client.get(f"{EXECUTIONS}/{one['id']}")
        logs = await live.client.get(f"/api/v1/main/logs/{one['id']}")
        assert SECRET not in whole.text + logs.text
        assert SECRET[::-1] not in logs.text
        assert all(value["value"] == "******" for value in sealed_in(whole.json()))


def sealed_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if str(value.get("type", "")).endswith("aes_encrypted"):
            yield value
        for item in value.values():
            yield from sealed_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from sealed_in(item)


def outputs_of(execution: dict[str, Any], task_id: str) -> dict[str, Any]:
    (outputs,) = [run.get("outputs", {}) for run in execution["taskRunList"] if run["taskId"] == task_id]
    assert isinstance(outputs, dict)
    return outputs


@pytest.mark.parametrize("path", ["inputs.token", "inputs['token']", "inputs[vars.name]", "inputs['to' ~ 'ken']"])
async def test_secret_input_is_plain_at_run_time_however_it_is_named(live: LiveServer, path: str) -> None:
    """ENG-186."""
    await live.flow(GUARDED.replace("PATH", path))
    execution = await live.run("guarded", files={"token": (None, SECRET)})
    assert execution["state"]["current"] == "SUCCESS"
    assert outputs_of(execution, "size")["value"] == str(len(SECRET))
    lines = (await live.client.get(f"/api/v1/main/logs/{execution['id']}")).json()
    assert "it is ******" in [line["message"] for line in lines]
    assert len(list(sealed_in(execution))) == 1


async def test_encrypted_output_of_a_script_is_plain_for_the_tasks_after_it(live: LiveServer) -> None:
    """ENG-209, SCR-035."""
    await live.flow(SCRIPTED)
    execution = await live.run("scripted")
    assert execution["state"]["current"] == "SUCCESS"
    assert outputs_of(execution, "size")["value"] == str(len(SECRET))
    assert len(list(sealed_in(execution))) == 1


async def test_secret_output_of_a_flow_is_plain_for_the_flow_that_called_it(live: LiveServer) -> None:
    """ENG-206, ENG-104."""
    await live.flow(CHILD)
    await live.flow(PARENT)
    execution = await live.run("parent", files={"token": (None, SECRET)})
    assert execution["state"]["current"] == "SUCCESS"
    assert outputs_of(execution, "size")["value"] == str(len(SECRET))
    assert len(list(sealed_in(execution))) == 2


async def test_secrets_and_files_given_on_a_resume_reach_the_tasks_after_it(live: LiveServer) -> None:
    """ENG-095, USE-B029."""
    await live.flow(ASKING)
    execution = await live.start("asking")
    await live.until(execution["id"], "PAUSED")
    given = {"token": (None, SECRET), "letter": ("letter.txt", b"Dear Ada")}
    checked = await live.client.post(f"{EXECUTIONS}/{execution['id']}/resume/validate", files=given)
    assert checked.status_code == 200, checked.text
    answer = await live.client.post(f"{EXECUTIONS}/{execution['id']}/resume", files=given)
    assert answer.status_code == 204, answer.text
    execution = await live.until(execution["id"], "SUCCESS", "FAILED")
    assert outputs_of(execution, "size")["value"] == f"{len(SECRET)} Dear Ada"


async def test_secret_without_an_encryption_key_is_refused_on_a_resume(tmp_path: Path) -> None:
    """OPS-076."""
    async with live_server(tmp_path) as live:
        await live.flow(ASKING)
        execution = await live.start("asking")
        await live.until(execution["id"], "PAUSED")
        given = {"token": (None, SECRET), "letter": ("letter.txt", b"Dear Ada")}
        answer = await live.client.post(f"{EXECUTIONS}/{execution['id']}/resume", files=given)
        assert answer.status_code == 422
        assert "kestra.encryption.secret-key" in answer.text


HANDED_ON = """
id: handed
namespace: team
tasks:
  - {id: make, RETURN, format: "token {{ secret('TOKEN') }}"}
  - {id: wait, type: io.kestra.plugin.core.flow.Pause}
  - {id: said, LOG, message: "{{ outputs.make.value }} {{ outputs.make.value | base64encode }}"}
  - {id: thrown, type: io.kestra.plugin.core.execution.Fail, errorMessage: "no: {{ outputs.make.value }}"}
""".replace("RETURN", RETURN).replace("LOG", LOG)


async def test_secret_in_outputs_is_hidden_by_workers_that_never_asked_for_it(tmp_path: Path) -> None:
    """BEY-061, ENG-373: the calls that give it travel with the execution, its value does not."""
    secrets = {"TOKEN": SECRET}
    async with live_server(tmp_path, secrets=secrets) as live:
        await live.flow(HANDED_ON)
        execution = await live.start("handed")
        await live.until(execution["id"], "PAUSED")
    async with live_server(tmp_path, secrets=secrets) as live:
        await live.client.post(f"{EXECUTIONS}/{execution['id']}/resume")
        await live.until(execution["id"], "FAILED")
        logs = await live.client.get(f"/api/v1/main/logs/{execution['id']}")
        assert SECRET not in logs.text
        messages = [line["message"] for line in logs.json()]
        assert any(message.startswith("token ******") for message in messages)
        assert any("no: token ******" in message for message in messages)
        found = await live.core.store.queries.get("main", execution["id"])
        assert found is not None
        (call,) = found[0].confidential
        assert call.startswith('["secret",{"key":"TOKEN"')


TELLING = """
id: telling
namespace: team
inputs:
  - {id: given, type: STRING, defaults: none}
tasks:
  - {id: heard, LOG, message: "heard {{ inputs.given }}"}
  - {id: make, RETURN, format: "{{ secret('TOKEN') }}"}
outputs:
  - {id: made, type: STRING, value: "token {{ outputs.make.value }}"}
  - {id: other, type: STRING, value: "{{ secret('OTHER') }}"}
""".replace("RETURN", RETURN).replace("LOG", LOG)
CALLING = """
id: calling
namespace: another
tasks:
  - id: sub
    type: io.kestra.plugin.core.flow.Subflow
    namespace: team
    flowId: telling
    inputs: {given: "{{ secret('THIRD') }}"}
  - {id: wait, type: io.kestra.plugin.core.flow.Pause}
  - {id: said, LOG, message: "{{ outputs.sub.outputs.made }} and {{ outputs.sub.outputs.other }}"}
""".replace("LOG", LOG)


async def test_secret_that_goes_from_one_execution_to_another_is_hidden_in_both(tmp_path: Path) -> None:
    """BEY-061: given as an input, given out as an output; the worker that shows it has never asked for it."""
    secrets = {"TOKEN": SECRET, "OTHER": "another-secret", "THIRD": "third-secret"}
    async with live_server(tmp_path, secrets=secrets) as live:
        await live.flow(TELLING)
        await live.flow(CALLING)
        execution = (await live.client.post(f"{EXECUTIONS}/another/calling")).json()
        await live.until(execution["id"], "PAUSED")
        search = await live.client.get(f"{EXECUTIONS}/search", params={"filters[flowId][EQUALS]": "telling"})
        (child,) = search.json()["results"]
        assert "heard ******" in [line["message"] for line in await lines_of(live, child)]
    async with live_server(tmp_path, secrets=secrets) as live:
        await live.client.post(f"{EXECUTIONS}/{execution['id']}/resume")
        await live.until(execution["id"], "SUCCESS")
        assert "token ****** and ******" in [line["message"] for line in await lines_of(live, execution)]


async def lines_of(live: LiveServer, execution: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await live.client.get(f"/api/v1/main/logs/{execution['id']}")).json()
    return found

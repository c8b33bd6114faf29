"""Tasks of other flows inside the same execution, asked of a whole server."""

from __future__ import annotations

from pathlib import Path

from penstock.services.encryption import Encryption
from tests.language.conftest import Language, outputs
from tests.support.live import live_server

RETURN = "io.kestra.plugin.core.debug.Return"
CALL = "io.kestra.plugin.core.flow.Call"


def called(flow_id: str, text: str) -> str:
    return f"""
id: {flow_id}
namespace: team
inputs:
  - {{id: name, type: STRING}}
  - {{id: token, type: SECRET, required: false}}
tasks:
  - {{id: wait, type: io.kestra.plugin.core.flow.Pause}}
  - id: folder
    type: io.kestra.plugin.core.flow.WorkingDirectory
    tasks:
      - {{id: said, type: {RETURN}, format: "{text} {{{{ inputs.name }}}} of {{{{ flow.id }}}}"}}
      - {{id: again, type: {RETURN}, format: "{{{{ outputs.said.value }}}}!"}}
outputs:
  - {{id: said, type: STRING, value: "{{{{ outputs.again.value }}}}"}}
"""


OUTER = f"""
id: {{id}}
namespace: team
tasks:
  - {{id: call, type: {CALL}, flowId: greeting, inputs: {{name: "{{{{ execution.id }}}}"}}}}
  - {{id: last, type: {RETURN}, format: "{{{{ outputs.call.outputs.said }}}} {{{{ outputs['call.again'].value }}}}"}}
"""


async def test_call_goes_on_with_the_revision_of_its_beginning_when_the_other_flow_changes(language: Language) -> None:
    """BEY-037, BEY-008: the called flow is deployed again while the execution waits inside the call."""
    server = language.server
    await server.flow(called("greeting", "hello"))
    await server.flow(OUTER.replace("{id}", "outer"))
    started = await server.start("outer")
    await server.until(started["id"], "PAUSED")
    answer = await server.client.put("/api/v1/main/flows/team/greeting", content=called("greeting", "bye"))
    assert answer.status_code == 200
    await server.client.post(f"/api/v1/main/executions/{started['id']}/resume")
    ended = await server.until(started["id"], "SUCCESS", "FAILED")
    said = f"hello {started['id']} of greeting!"
    assert outputs(ended, "last").get("value") == f"{said} {said}", await language.logs(ended)
    assert outputs(ended, "call") == {"outputs": {"said": said}}
    order = [run["taskId"] for run in ended["taskRunList"]]
    assert sorted(order) == ["call", "call.again", "call.folder", "call.said", "call.wait", "last"]

    replayed = (await server.client.post(f"/api/v1/main/executions/{started['id']}/replay")).json()
    latest = await server.start("outer")
    for one, word in ((replayed, "hello"), (latest, "bye")):
        await server.until(one["id"], "PAUSED")
        await server.client.post(f"/api/v1/main/executions/{one['id']}/resume")
        found = await server.until(one["id"], "SUCCESS", "FAILED")
        assert str(outputs(found, "last").get("value")).startswith(word)


async def test_call_of_a_flow_that_is_not_there_is_told_when_it_is_started(language: Language) -> None:
    """BEY-037."""
    await language.server.flow(OUTER.replace("{id}", "lonely").replace("greeting", "nobody"))
    answer = await language.server.client.post("/api/v1/main/executions/team/lonely")
    assert answer.status_code == 404
    assert "task `call` of team.lonely runs what is not there: there is no flow team.nobody" in answer.text


async def test_flows_that_call_each_other_are_refused_where_they_are_saved(language: Language) -> None:
    """BEY-037, ENG-015."""
    source = "id: {{id}}\nnamespace: team\ntasks:\n  - {{id: call, type: {call}, flowId: {other}}}\n"
    await language.server.flow(source.format(call=CALL, other="b").replace("{id}", "a"))
    answer = await language.server.client.post(
        "/api/v1/main/flows", content=source.format(call=CALL, other="a").replace("{id}", "b")
    )
    assert answer.status_code == 422
    assert "team.b -> team.a -> team.b" in answer.text
    itself = source.format(call=CALL, other="c").replace("{id}", "c")
    answer = await language.server.client.post("/api/v1/main/flows", content=itself)
    assert answer.status_code == 422
    assert "calls itself" in answer.text


async def test_secret_input_of_a_called_flow_is_kept_encrypted_and_opened_inside(tmp_path: Path) -> None:
    """BEY-037, ENG-186."""
    outer = OUTER.replace("{id}", "outer").replace("name: ", "token: hunter2, name: ")
    waiting = "  - {id: wait, type: io.kestra.plugin.core.flow.Pause}\n"
    inner = called("greeting", "{{ inputs.token | length }}").replace(waiting, "")
    async with live_server(tmp_path, encryption=Encryption.passing()) as server:
        await server.flow(inner)
        await server.flow(outer)
        ended = await server.run("outer")
        assert str(outputs(ended, "last").get("value")).startswith("7 "), ended
        stored = await server.core.store.queries.task_runs([ended["id"]])
        [call] = [run for run in stored[ended["id"]] if run.task_id == "call"]
        assert call.cursor is not None
        assert "hunter2" not in str(call.cursor.memory)


ASKING = """
id: asking
namespace: team
inputs:
  - {id: name, type: STRING}
variables: {greeting: Dear}
tasks:
  - id: ask
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - {id: text, type: STRING, defaults: "{{ vars.greeting }} {{ inputs.name }} of {{ flow.id }}"}
outputs:
  - {id: said, type: STRING, value: "{{ outputs.ask.onResume.text }}"}
"""
CALLER = """
id: {id}
namespace: team
tasks:
  - {id: call, type: CALL, flowId: asking, inputs: {name: Ada}}
  - {id: last, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.call.outputs.said }}"}
""".replace("CALL", CALL)


async def test_defaults_asked_for_on_a_resume_are_those_of_the_called_flow(language: Language) -> None:
    """BEY-037, ENG-095: rendered in the context of the task that asks."""
    server = language.server
    await server.flow(ASKING)
    await server.flow(CALLER.replace("{id}", "calling-asking"))
    execution = await server.start("calling-asking")
    await server.until(execution["id"], "PAUSED")
    answer = await server.client.post(f"/api/v1/main/executions/{execution['id']}/resume")
    assert answer.status_code == 204, answer.text
    ended = await server.until(execution["id"], "SUCCESS")
    assert outputs(ended, "last") == {"value": "Dear Ada of asking"}

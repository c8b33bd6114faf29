"""Plugin defaults as they take effect: of the flow, of its namespaces, of the instance."""

from __future__ import annotations

from tests.language.conftest import Language, outputs

LOG = "io.kestra.plugin.core.log.Log"
RETURN = "io.kestra.plugin.core.debug.Return"
FLOW = f"""
id: {{id}}
namespace: team.sub
pluginDefaults:
  - {{type: io.kestra.plugin.core.debug, values: {{format: of a prefix}}}}
  - {{type: {RETURN}, values: {{format: of the type}}}}
  - {{type: {LOG}, values: {{level: WARN}}, forced: true}}
  - {{type: io.kestra.plugin.core.output.OutputValues, values: {{values: {{a: default, b: default}}}}}}
tasks:
  - {{id: bare, type: {RETURN}}}
  - {{id: own, type: {RETURN}, format: of the task}}
  - {{id: merged, type: io.kestra.plugin.core.output.OutputValues, values: {{a: own}}}}
  - {{id: said, type: {LOG}, message: hello, level: INFO}}
  - {{id: tried, type: io.kestra.plugin.core.execution.Fail, allowFailure: true}}
"""
RETRIED = {"retry": {"type": "constant", "interval": "PT0.01S", "maxAttempts": 2}}
OF_NAMESPACES = {
    "team": [
        {"type": RETURN, "values": {"format": "of team"}},
        {"type": LOG, "values": {"level": "ERROR"}},
        {"type": "io.kestra.plugin.core.execution.Fail", "values": {"errorMessage": "of team"}, "forced": True},
    ],
    "team.sub": [{"type": "io.kestra.plugin.core.execution.Fail", "values": {"errorMessage": "of sub", **RETRIED}}],
}


async def test_defaults_of_the_nearest_level_and_the_longest_type_count_unless_forced(language: Language) -> None:
    """ENG-314 to ENG-317, ENG-319, ENG-320, ENG-421: the flow can be saved without what its defaults give."""
    client = language.server.client
    for namespace, defaults in OF_NAMESPACES.items():
        answer = await client.post("/api/v1/main/namespaces", json={"id": namespace, "pluginDefaults": defaults})
        assert answer.status_code == 200, answer.text
    await language.server.flow(FLOW.replace("{id}", "defaulted"))
    started = (await client.post("/api/v1/main/executions/team.sub/defaulted")).json()
    execution = await language.server.until(started["id"], "WARNING", "SUCCESS", "FAILED")
    assert outputs(execution, "bare") == {"value": "of the type"}
    assert outputs(execution, "own") == {"value": "of the task"}
    assert outputs(execution, "merged") == {"values": {"a": "own", "b": "default"}}
    assert "of team" in await language.logs(execution), "the outermost forced default wins"
    levels = {line["message"]: line["level"] for line in await language.get(f"logs/{execution['id']}")}
    assert levels["hello"] == "WARN"
    [tried] = [run for run in execution["taskRunList"] if run["taskId"] == "tried"]
    assert len(tried["attempts"]) == 2, "ENG-241: a retry may be a default"

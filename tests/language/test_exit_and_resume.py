"""Flows that end themselves early, let others go on, and report numbers."""

from __future__ import annotations

from tests.language.conftest import Language, outputs

CORE = "io.kestra.plugin.core."
EXIT = """id: {id}
namespace: team
tasks:
  - id: check
    type: io.kestra.plugin.core.flow.If
    condition: "{{ true }}"
    then:
      - {id: leave, type: io.kestra.plugin.core.execution.Exit, state: STATE}
  - {id: never, type: io.kestra.plugin.core.log.Log, message: never}
errors:
  - {id: error, type: io.kestra.plugin.core.log.Log, message: error}
finally:
  - {id: last, type: io.kestra.plugin.core.log.Log, message: last}
afterExecution:
  - {id: after, type: io.kestra.plugin.core.log.Log, message: "ended {{ execution.state }}"}
"""
TOGETHER = """id: {id}
namespace: team
tasks:
  - id: together
    type: io.kestra.plugin.core.flow.WorkingDirectory
    tasks:
      - {id: one, type: io.kestra.plugin.core.log.Log, message: one}
      - {id: leave, type: io.kestra.plugin.core.execution.Exit, state: STATE}
      - {id: two, type: io.kestra.plugin.core.log.Log, message: two}
    errors:
      - {id: error, type: io.kestra.plugin.core.log.Log, message: error}
    finally:
      - {id: last, type: io.kestra.plugin.core.log.Log, message: last}
  - {id: never, type: io.kestra.plugin.core.log.Log, message: never}
"""
PAUSED = """id: {id}
namespace: team
tasks:
  - id: wait
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - {id: approved, type: BOOL}
      - {id: reason, type: STRING, defaults: none}
"""


async def test_exit_ends_the_execution_in_its_state(language: Language) -> None:
    """ENG-225, ENG-230."""
    for state, handlers in (("WARNING", ["last"]), ("FAILED", ["error", "last"]), ("KILLED", ["last"])):
        ended = await language.run(EXIT.replace("STATE", state))
        ended = await language.server.until(ended["id"], state)
        assert [run["taskId"] for run in ended["taskRunList"]][:2] == ["check", "leave"]
        ran = [run["taskId"] for run in ended["taskRunList"]][2:]
        assert [task for task in ran if task != "after"] == handlers
    warned = await language.run(EXIT.replace("STATE", "SUCCESS"))
    assert warned["state"]["current"] == "SUCCESS"


async def test_exit_inside_a_working_directory_runs_nothing_after_it(language: Language) -> None:
    for state in ("SUCCESS", "FAILED", "KILLED", "CANCELED"):
        ended = await language.run(TOGETHER.replace("STATE", state))
        own = {"CANCELED": "CANCELLED"}.get(state, state)
        assert ended["state"]["current"] == own
        assert {run["taskId"]: run["state"]["current"] for run in ended["taskRunList"]} == {
            "together": own,
            "one": "SUCCESS",
            "leave": own,
            **({"error": "SUCCESS"} if state == "FAILED" else {}),
            "last": "SUCCESS",
        }


async def test_resume_lets_an_execution_of_another_flow_go_on(language: Language) -> None:
    """ENG-095."""
    await language.server.flow(PAUSED.replace("{id}", "waits"))
    waiting = await language.server.start("waits")
    await language.server.until(waiting["id"], "PAUSED")
    resume = (
        "id: {id}\nnamespace: team\ntasks:\n"
        f"  - {{id: go, type: {CORE}execution.Resume, executionId: {waiting['id']}, namespace: team, flowId: FLOW,"
        " inputs: {approved: VALUE}}\n"
    )
    for flow, value, complaint in (("other", "true", "no execution"), ("waits", "perhaps", "approved")):
        refused = await language.run(resume.replace("FLOW", flow).replace("VALUE", value))
        assert refused["state"]["current"] == "FAILED"
        assert any(complaint in line for line in await language.logs(refused))
    resumed = await language.run(resume.replace("FLOW", "waits").replace("VALUE", "true"))
    assert resumed["state"]["current"] == "SUCCESS", await language.logs(resumed)
    ended = await language.server.until(waiting["id"], "SUCCESS")
    assert outputs(ended, "wait")["onResume"] == {"approved": True, "reason": "none"}
    again = await language.run(resume.replace("FLOW", "waits").replace("VALUE", "true"))
    assert any("PAUSED can be resumed" in line for line in await language.logs(again))


async def test_published_metrics_are_those_of_the_execution(language: Language) -> None:
    """ENG-062, PLG-025."""
    ended = await language.run(
        "id: {id}\nnamespace: team\ntasks:\n"
        f"  - id: report\n    type: {CORE}metric.Publish\n    metrics:\n"
        "      - {type: counter, name: orders, value: 42, tags: {country: France}}\n"
        "      - {type: timer, name: reading, value: PT1M30S}\n"
    )
    assert ended["state"]["current"] == "SUCCESS", await language.logs(ended)
    found = (await language.get(f"metrics/{ended['id']}"))["results"]
    assert {(one["type"], one["name"], one["value"]) for one in found} == {
        ("counter", "orders", 42.0),
        ("timer", "reading", 90.0),
    }

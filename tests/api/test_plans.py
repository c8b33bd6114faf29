"""What saving flows would do."""

from __future__ import annotations

from datetime import datetime

from penstock.api import schemas
from tests.api.test_shapes import check
from tests.support.live import LiveServer

PLAN = "/api/v1/main/flows/validate/plan"
TIMED = """id: timed
namespace: team
tasks:
  - {id: a, type: io.kestra.plugin.core.log.Log, message: x}
triggers:
  - {id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: "30 4 * * *"}
  - {id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: secret-key}
"""


def hours(dates: list[str]) -> list[int]:
    return [datetime.fromisoformat(date).hour for date in dates]


async def test_plan_of_a_flow_tells_its_next_dates_before_and_after(server: LiveServer) -> None:
    """BEY-040."""
    [plan] = (await server.client.post(PLAN, content=TIMED)).json()
    check(schemas.FlowPlan, plan)
    [daily] = plan["triggers"]
    assert (plan["action"], daily["id"], daily["before"], hours(daily["after"])) == ("CREATED", "daily", [], [4] * 5)
    assert (await server.client.get("/api/v1/main/flows/team/timed")).status_code == 404
    await server.flow(TIMED)
    later = TIMED.replace("30 4", "30 5").replace("id: hook", "id: hooked")
    [plan, same] = (await server.client.post(PLAN, content=f"{later}---\n{TIMED}")).json()
    [daily] = plan["triggers"]
    assert (plan["action"], hours(daily["before"]), hours(daily["after"])) == ("UPDATED", [4] * 5, [5] * 5)
    assert (same["action"], same["triggers"][0]["before"]) == ("UNCHANGED", same["triggers"][0]["after"])
    off = TIMED.replace("tasks:", "disabled: true\ntasks:", 1)
    [plan] = (await server.client.post(PLAN, content=off)).json()
    assert plan["triggers"][0]["after"] == []


async def test_plan_of_a_flow_that_is_wrong_tells_every_problem(server: LiveServer) -> None:
    """BEY-040."""
    answer = await server.client.post(PLAN, content=f"{TIMED.replace('log.Log', 'log.Lgo')}---\nid: b\n")
    assert answer.status_code == 422
    assert {problem["path"] for problem in answer.json()["problems"]} >= {"tasks[0].type", "namespace"}

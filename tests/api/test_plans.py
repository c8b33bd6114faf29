"""What saving flows would do."""

from __future__ import annotations

from datetime import datetime

from penstock.api import schemas
from penstock.services.archives import SourceFile, packed
from tests.api.test_shapes import check
from tests.support.live import LiveServer

FLOWS = "/api/v1/main/flows"
PLAN = f"{FLOWS}/validate/plan"
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


async def test_plan_of_an_import_tells_what_each_flow_of_the_archive_becomes(server: LiveServer) -> None:
    """BEY-040."""
    await server.flow(TIMED)
    texts = {
        "same.yml": TIMED,
        "new.yml": TIMED.replace("id: timed", "id: newer"),
        "later.yml": TIMED.replace("30 4", "30 5"),
        "wrong.yml": TIMED.replace("log.Log", "log.Lgo").replace("id: timed", "id: wrong"),
    }
    archive = packed(SourceFile(name, text.encode()) for name, text in texts.items())
    answer = await server.client.post(f"{FLOWS}/import/plan", files={"fileUpload": ("flows.zip", archive)})
    assert answer.status_code == 200, answer.text
    same, new, later, wrong = answer.json()
    check(schemas.FlowPlan, wrong)
    assert [one["action"] for one in (same, new, later, wrong)] == ["UNCHANGED", "CREATED", "UPDATED", "REFUSED"]
    assert (new["id"], wrong["id"]) == ("newer", "team.wrong")
    assert "log.Lgo" in wrong["problem"]
    assert [hours(later["triggers"][0][side]) for side in ("before", "after")] == [[4] * 5, [5] * 5]
    assert (await server.client.get(f"{FLOWS}/team/newer")).status_code == 404


async def test_plan_of_switching_and_deleting_flows_tells_the_dates_that_go_and_come(server: LiveServer) -> None:
    """BEY-040."""
    await server.flow(TIMED)
    names = [{"namespace": "team", "id": name} for name in ("timed", "nothing")]
    for change, action, count in (("delete", "DELETED", 0), ("disable", "UPDATED", 0), ("enable", "UNCHANGED", 5)):
        [plan] = (await server.client.post(f"{FLOWS}/{change}/plan/by-ids", json=names)).json()
        check(schemas.FlowPlan, plan)
        [daily] = plan["triggers"]
        assert (plan["action"], len(daily["before"]), len(daily["after"])) == (action, 5, count)
    query = {"filters[namespace][EQUALS]": "team"}
    assert len((await server.client.post(f"{FLOWS}/delete/plan/by-query", params=query)).json()) == 1
    assert (await server.client.get(f"{FLOWS}/team/timed")).json()["revision"] == 1

"""Test suites that the server keeps and runs."""

from __future__ import annotations

import httpx

from penstock.api import schemas
from tests.api.test_shapes import check
from tests.support.live import LiveServer

API = "/api/v1/main/tests"
FLOW = """id: shop
namespace: team
inputs:
  - {id: name, type: STRING}
tasks:
  - {id: fetch, type: io.kestra.plugin.core.http.Request, uri: "http://nowhere.invalid/"}
  - {id: tell, type: io.kestra.plugin.core.debug.Return, format: "{{ inputs.name }} {{ outputs.fetch.body }}"}
"""
SUITE = """id: shop_tests
namespace: team
flowId: shop
testCases:
  - id: tells
    type: io.kestra.core.tests.flow.UnitTest
    fixtures:
      inputs: {name: Ann}
      tasks:
        - {id: fetch, outputs: {body: buys}}
    assertions:
      - {value: "{{ outputs.tell.value }}", equalTo: Ann buys, taskId: tell}
  - id: wrong
    type: io.kestra.core.tests.flow.UnitTest
    fixtures:
      inputs: {name: Bob}
      tasks:
        - {id: fetch, outputs: {body: sells}}
    assertions:
      - {value: "{{ outputs.tell.value }}", contains: buys, errorMessage: he sells, isNotNull: true}
"""


async def create(client: httpx.AsyncClient, source: str) -> None:
    answer = await client.post(API, content=source)
    assert answer.status_code == 200, answer.text
    check(schemas.TestSuite, answer.json())


async def test_suite_is_kept_as_written_until_it_is_deleted(client: httpx.AsyncClient) -> None:
    """API-122, API-047, API-006, GOV-317."""
    await create(client, SUITE)
    found = (await client.get(f"{API}/team/shop_tests")).json()
    assert (found["source"], found["disabled"], len(found["testCases"])) == (SUITE, False, 2)
    refused = await client.post(API, content=SUITE)
    assert (refused.status_code, "already exists" in refused.text) == (422, True)
    changed = SUITE.replace("flowId", "description: All of it\nflowId")
    assert (await client.put(f"{API}/team/shop_tests", content=changed)).json()["description"] == "All of it"
    other = await client.put(f"{API}/team/shop_tests", content=SUITE.replace("shop_tests", "other"))
    assert (other.status_code, "team.other" in other.text) == (422, True)
    assert (await client.delete(f"{API}/team/shop_tests")).status_code == 204
    for gone in (
        await client.get(f"{API}/team/shop_tests"),
        await client.put(f"{API}/team/shop_tests", content=SUITE),
        await client.delete(f"{API}/team/shop_tests"),
        await client.post(f"{API}/team/shop_tests/run"),
    ):
        assert gone.status_code == 404


FAILING = """id: broken_shop
namespace: team
inputs:
  - {id: name, type: STRING}
tasks:
  - id: fetch
    type: io.kestra.plugin.core.debug.Return
    format: "{% raw %}{{ braces }}{% endraw %} of {{ inputs.name }}"
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [a, b]
    tasks:
      - {id: part, type: io.kestra.plugin.core.debug.Return, format: "{{ taskrun.value }} {{ now() }}"}
  - {id: sell-it, type: io.kestra.plugin.core.execution.Fail, errorMessage: "no {{ outputs.fetch.value }}"}
"""


async def test_failed_execution_becomes_a_suite_that_has_it_happen_again(server: LiveServer) -> None:
    """BEY-032."""
    await server.flow(FAILING)
    ended = await server.client.post(
        "/api/v1/main/executions/team/broken_shop", params={"wait": "true"}, files={"name": (None, "Ann")}
    )
    execution_id = ended.json()["id"]
    assert ended.json()["state"]["current"] == "FAILED"
    made = (await server.client.post(f"{API}/executions/{execution_id}")).json()
    check(schemas.TestSuite, made)
    again = (await server.client.post(f"{API}/executions/{execution_id}")).json()
    assert (again["source"], again["flowId"]) == (made["source"], "broken_shop")
    (case,) = made["testCases"]
    assert case["fixtures"]["inputs"] == {"name": "Ann"}
    assert [(one["id"], one.get("value")) for one in case["fixtures"]["tasks"]] == [
        ("fetch", None),
        ("part", "a"),
        ("part", "b"),
    ]
    states = {one["value"]: one["equalTo"] for one in case["assertions"]}
    assert states["{{ execution.state }}"] == states["{{ tasks['sell-it'].state }}"] == "FAILED"
    result = (await server.client.post(f"{API}/team/{made['id']}/run")).json()
    assert result["state"] == "SUCCESS", result
    run = (await server.client.get(f"/api/v1/main/executions/{result['results'][0]['executionId']}")).json()
    fetched = next(one for one in run["taskRunList"] if one["taskId"] == "fetch")
    assert fetched["outputs"]["value"] == "{{ braces }} of Ann"
    missing = await server.client.post(f"{API}/executions/nothing-here")
    assert missing.status_code == 404


async def test_suite_run_says_what_was_expected_and_what_came(server: LiveServer) -> None:
    """API-122, API-047, GOV-319, GOV-328: the executions are found by id, and in no list."""
    await server.flow(FLOW)
    await create(server.client, SUITE)
    result = (await server.client.post(f"{API}/team/shop_tests/run", json={})).json()
    check(schemas.SuiteRun, result)
    assert (result["state"], result["testSuiteId"], result["flowId"]) == ("FAILED", "shop_tests", "shop")
    good, bad = result["results"]
    assert (good["testId"], good["state"], good["assertionResults"][0]["actual"]) == ("tells", "SUCCESS", "Ann buys")
    assert good["assertionResults"][0]["value"] == "{{ outputs.tell.value }}"
    null, contains = sorted(bad["assertionResults"], key=lambda one: one["isSuccess"], reverse=True)
    assert (null["operator"], null["isSuccess"]) == ("isNotNull", True)
    assert contains == {
        "value": "{{ outputs.tell.value }}",
        "operator": "contains",
        "expected": "buys",
        "actual": "Bob sells",
        "isSuccess": False,
        "errorMessage": "he sells",
    }
    assert good["url"].endswith(f"/ui/executions/team/shop/{good['executionId']}")
    execution = (await server.client.get(f"/api/v1/main/executions/{good['executionId']}")).json()
    assert (execution["state"]["current"], execution["kind"]) == ("SUCCESS", "TEST")
    assert (await server.client.get("/api/v1/main/executions/search")).json()["total"] == 0
    chosen = (await server.client.post(f"{API}/team/shop_tests/run", json={"testCases": ["tells"]})).json()
    assert (chosen["state"], len(chosen["results"])) == ("SUCCESS", 1)
    unknown = await server.client.post(f"{API}/team/shop_tests/run", json={"testCases": ["none"]})
    assert (unknown.status_code, "tells" in unknown.text) == (404, True)
    assert (await server.client.get(f"{API}/results/{result['id']}")).json() == result


async def test_results_are_kept_and_the_last_is_found(server: LiveServer) -> None:
    """API-122, GOV-331."""
    await server.flow(FLOW)
    await create(server.client, SUITE)
    await create(
        server.client, SUITE.replace("shop_tests", "more").replace("  - id: wrong", "  - id: skips\n    disabled: true")
    )
    ran = (await server.client.post(f"{API}/run", json={"namespace": "team"})).json()
    check(schemas.SuiteRuns, ran)
    assert (ran["numberOfTestSuitesToBeRun"], ran["numberOfTestCasesToBeRun"]) == (2, 4)
    assert {one["testSuiteId"]: one["state"] for one in ran["results"]} == {"more": "SUCCESS", "shop_tests": "FAILED"}
    again = (await server.client.post(f"{API}/team/more/run")).json()
    page = (await server.client.get(f"{API}/results/search", params={"testSuiteId": "more", "size": 1})).json()
    check(schemas.PagedSuiteRuns, page)
    assert (page["results"], page["total"]) == ([again], 2)
    names = [{"namespace": "team", "id": "more"}, {"namespace": "team", "id": "never"}]
    last = (await server.client.post(f"{API}/results/search/last", json={"testSuiteIds": names})).json()
    assert last == {"results": [again]}
    await server.client.delete(f"{API}/team/more")
    assert (await server.client.get(f"{API}/results/{again['id']}")).status_code == 404


async def test_suites_are_searched_switched_and_deleted_in_bulk(client: httpx.AsyncClient) -> None:
    """API-122, API-049."""
    for namespace, name in (("team", "b"), ("team", "a"), ("team.sub", "c"), ("teams", "d")):
        source = SUITE.replace("namespace: team", f"namespace: {namespace}").replace("shop_tests", name)
        await create(client, source.replace("flowId: shop", "flowId: other") if name == "b" else source)
    for query, ids in (
        ({}, ["a", "b", "c", "d"]),
        ({"q": "TEAM.S"}, ["c"]),
        ({"namespace": "team"}, ["a", "b", "c"]),
        ({"namespace": "team", "includeChildNamespaces": "false"}, ["a", "b"]),
        ({"flowId": "other"}, ["b"]),
        ({"sort": "id:desc", "size": "2"}, ["d", "c"]),
    ):
        page = (await client.get(f"{API}/search", params=query)).json()
        check(schemas.PagedTestSuites, page)
        assert [one["id"] for one in page["results"]] == ids, query
    names = {"ids": [{"namespace": "team", "id": "a"}, {"namespace": "team", "id": "b"}]}
    assert (await client.post(f"{API}/disable/by-ids", json=names)).json() == {"count": 2}
    assert (await client.post(f"{API}/disable/by-ids", json=names)).json() == {"count": 0}
    switched = (await client.get(f"{API}/team/a")).json()
    assert (switched["disabled"], switched["source"].endswith("disabled: true\n")) == (True, True)
    assert (await client.post(f"{API}/team/a/run")).json()["state"] == "SKIPPED"
    assert (await client.post(f"{API}/enable/by-ids", json=names)).json() == {"count": 2}
    unknown = {"ids": [*names["ids"], {"namespace": "team", "id": "none"}]}
    for answer in (
        await client.post(f"{API}/enable/by-ids", json=unknown),
        await client.request("DELETE", f"{API}/by-ids", json=unknown),
    ):
        assert answer.status_code == 404
    assert (await client.request("DELETE", f"{API}/by-ids", json=names)).json() == {"count": 2}
    assert (await client.get(f"{API}/search")).json()["total"] == 2


async def test_suite_is_checked_with_every_problem_and_its_place(server: LiveServer) -> None:
    """API-122, API-039."""
    wrong = SUITE.replace("contains: buys", "has: buys").replace("flowId: shop", "flowId: 'a b'")
    verdict = (await server.client.post(f"{API}/validate", content=wrong)).json()
    check(schemas.Violation, verdict)
    assert [(one["path"], one["line"]) for one in verdict["problems"]] == [
        ("flowId", 3),
        ("testCases[1].assertions[0].has", 20),
    ]
    assert (await server.client.post(API, content=wrong)).status_code == 422
    verdict = (await server.client.post(f"{API}/validate", content=SUITE)).json()
    assert ("constraints" in verdict, "team.shop" in verdict["warnings"][0]) == (False, True)
    await server.flow(FLOW)
    assert (await server.client.post(f"{API}/validate", content=SUITE)).json()["warnings"] == []

"""Test suites that the server keeps and runs (API-122)."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, paged
from penstock.api.bodies import decode_json, read_body, read_json, read_text
from penstock.api.render.flows import render_verdict
from penstock.api.render.suites import render_result, render_suite
from penstock.api.routes.table import PAGE, YAML, Routes, json_body, parameter
from penstock.api.search import cut, page_of
from penstock.api.settings import ApiSettings
from penstock.services.unit_tests import SuiteRecorder, SuiteService

_OF_FLOW = [parameter("namespace"), parameter("flowId")]
_CHILDREN = parameter("includeChildNamespaces", {"type": "boolean", "default": True})


class _Name(msgspec.Struct):
    namespace: str
    id: str


class _Names(msgspec.Struct):
    ids: list[_Name]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [(one.namespace, one.id) for one in self.ids]


class _Last(msgspec.Struct, rename="camel"):
    test_suite_ids: list[_Name] | None = None


class _Cases(msgspec.Struct, rename="camel"):
    test_cases: list[str] | None = None


class _Query(msgspec.Struct, rename="camel", omit_defaults=True):
    namespace: str | None = None
    flow_id: str | None = None
    include_child_namespaces: bool = True


class SuiteRoutes:
    """Implements API-122, BEY-032.

    Args:
        suites: The use cases.
        recorder: Makes suites of executions.
        settings: Bounds.
    """

    def __init__(self, suites: SuiteService, recorder: SuiteRecorder, settings: ApiSettings) -> None:
        self._suites = suites
        self._recorder = recorder
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes; those with fixed words stand before those with names in the same place."""
        routes = Routes("/api/v1/{tenant}/tests", "Tests")
        add, suite, result, names = routes.add, schemas.TestSuite, schemas.SuiteRun, json_body(schemas.SuiteNames)
        counted = schemas.BulkAnswer
        add("POST", "", self.create, "createTestSuite", answers=suite, body=YAML)
        add("POST", "/validate", self.validate, "validateTestSuite", answers=schemas.Violation, body=YAML)
        add("GET", "/search", self.search, "searchTestSuites", answers=schemas.PagedTestSuites,
            parameters=[*PAGE, parameter("q"), *_OF_FLOW, _CHILDREN])  # fmt: skip
        add("DELETE", "/by-ids", self.delete_many, "deleteTestSuitesByIds", answers=counted, body=names)
        add("POST", "/enable/by-ids", self.enable, "enableTestSuitesByIds", answers=counted, body=names)
        add("POST", "/disable/by-ids", self.disable, "disableTestSuitesByIds", answers=counted, body=names)
        add("POST", "/run", self.run_by_query, "runTestSuitesByQuery", answers=schemas.SuiteRuns,
            body=json_body(schemas.SuiteQuery))  # fmt: skip
        add("POST", "/executions/{id}", self.record, "createTestSuiteOfExecution", answers=suite)
        add("GET", "/results/search", self.results, "searchTestSuitesResults", answers=schemas.PagedSuiteRuns,
            parameters=[*PAGE, parameter("testSuiteId"), *_OF_FLOW])  # fmt: skip
        add("POST", "/results/search/last", self.last_results, "testsLastResult", answers=schemas.LastSuiteRuns,
            body=json_body(schemas.LastSuiteQuery))  # fmt: skip
        add("GET", "/results/{id}", self.result, "testResult", answers=result)
        add("GET", "/{namespace}/{id}", self.get, "testSuite", answers=suite)
        add("PUT", "/{namespace}/{id}", self.update, "updateTestSuite", answers=suite, body=YAML)
        add("DELETE", "/{namespace}/{id}", self.delete, "deleteTestSuite", status=204)
        add("POST", "/{namespace}/{id}/run", self.run, "runTestSuite", answers=result,
            body=json_body(schemas.ChosenCases))  # fmt: skip
        return routes.router

    async def create(self, request: Request, tenant: str) -> Response:
        """Keep a test suite from its YAML source."""
        return JsonAnswer(render_suite(await self._suites.create(tenant, await read_text(request, self._settings))))

    async def record(self, tenant: str, id: str) -> Response:  # noqa: A002
        """Keep a test suite that has an execution happen again: its inputs, what its tasks gave, and how they ended."""
        return JsonAnswer(render_suite(await self._recorder.record(tenant, id)))

    async def validate(self, request: Request, tenant: str) -> Response:
        """Check the source of a test suite without storing it."""
        return JsonAnswer(render_verdict(await self._suites.check(tenant, await read_text(request, self._settings))))

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of test suites, by namespace and id."""
        query = request.query_params
        page = page_of(query.multi_items())
        children = query.get("includeChildNamespaces", "true").lower() != "false"
        namespace, flow_id = query.get("namespace", ""), query.get("flowId", "")
        found = await self._suites.search(tenant, namespace, flow_id, children=children, text=query.get("q", ""))
        if page.sort and not page.sort[0][1]:
            found.reverse()
        return paged([render_suite(self._suites.read(one)) for one in cut(found, page)], len(found))

    async def get(self, tenant: str, namespace: str, id: str) -> Response:  # noqa: A002
        """Return a test suite."""
        return JsonAnswer(render_suite(await self._suites.get(tenant, namespace, id)))

    async def update(self, request: Request, tenant: str, namespace: str, id: str) -> Response:  # noqa: A002
        """Replace the source of a test suite."""
        source = await read_text(request, self._settings)
        return JsonAnswer(render_suite(await self._suites.update(tenant, namespace, id, source)))

    async def delete(self, tenant: str, namespace: str, id: str) -> Response:  # noqa: A002
        """Delete a test suite and its results."""
        await self._suites.delete(tenant, [(namespace, id)])
        return Response(status_code=204)

    async def delete_many(self, request: Request, tenant: str) -> Response:
        """Delete several test suites and their results."""
        wanted = await read_json(request, self._settings, _Names)
        await self._suites.delete(tenant, wanted.pairs)
        return JsonAnswer({"count": len(wanted.ids)})

    async def enable(self, request: Request, tenant: str) -> Response:
        """Switch several test suites on."""
        return await self._switch(request, tenant, disabled=False)

    async def disable(self, request: Request, tenant: str) -> Response:
        """Switch several test suites off: their cases are skipped."""
        return await self._switch(request, tenant, disabled=True)

    async def run(self, request: Request, tenant: str, namespace: str, id: str) -> Response:  # noqa: A002
        """Run a test suite, or some of its cases, and return how it went."""
        body = await read_body(request, self._settings)
        cases = decode_json(body, _Cases).test_cases if body.strip() else None
        suite = await self._suites.get(tenant, namespace, id)
        return JsonAnswer(render_result(await self._suites.run(tenant, suite, cases or ()), self._settings))

    async def run_by_query(self, request: Request, tenant: str) -> Response:
        """Run the test suites of a namespace or a flow, or all, and return how they went."""
        query = await read_json(request, self._settings, _Query)
        children = query.include_child_namespaces
        found = await self._suites.search(tenant, query.namespace or "", query.flow_id or "", children=children)
        suites = [self._suites.read(one) for one in found]
        results = await self._suites.run_all(tenant, suites)
        return JsonAnswer(
            {
                "requestMade": {**msgspec.to_builtins(query), "includeChildNamespaces": children},
                "tenantId": tenant,
                "numberOfTestSuitesToBeRun": len(suites),
                "numberOfTestCasesToBeRun": sum(len(suite.document.test_cases) for suite in suites),
                "results": [render_result(one, self._settings) for one in results],
            }
        )

    async def results(self, request: Request, tenant: str) -> Response:
        """Return a page of how test suites went, the latest first."""
        query = request.query_params
        found = await self._suites.results(
            tenant,
            page_of(query.multi_items()),
            suite_id=query.get("testSuiteId", ""),
            namespace=query.get("namespace", ""),
            flow_id=query.get("flowId", ""),
        )
        return paged([render_result(one, self._settings) for one in found.results], found.total)

    async def last_results(self, request: Request, tenant: str) -> Response:
        """Return how each of some test suites went the last time."""
        wanted = await read_json(request, self._settings, _Last)
        names = [(one.namespace, one.id) for one in wanted.test_suite_ids or ()]
        found = await self._suites.latest(tenant, names)
        return JsonAnswer({"results": [render_result(one, self._settings) for one in found]})

    async def result(self, tenant: str, id: str) -> Response:  # noqa: A002
        """Return how a test suite went once."""
        return JsonAnswer(render_result(await self._suites.result(tenant, id), self._settings))

    async def _switch(self, request: Request, tenant: str, *, disabled: bool) -> Response:
        wanted = await read_json(request, self._settings, _Names)
        return JsonAnswer({"count": await self._suites.switch(tenant, wanted.pairs, disabled=disabled)})

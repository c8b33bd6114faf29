"""Test suites that a server keeps: written over the API, run on the server, with what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from penstock.base.clock import Clock, Instant
from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError
from penstock.model.problems import InvalidFlow, Problem, Severity
from penstock.model.scalars import plain
from penstock.model.suites import SuiteDocument, parse_suite
from penstock.ports.documents import Document, DocumentKind, DocumentStore
from penstock.ports.flows import FlowStore
from penstock.ports.queries import Page, PageRequest
from penstock.ports.suite_results import KeptResult, SuiteName, SuiteResultStore
from penstock.services.flows import Verdict, switched
from penstock.services.unit_tests.results import SuiteResult
from penstock.services.unit_tests.service import UnitTests

KEPT = 100
"""How many results of a suite are kept."""
_KIND = DocumentKind.TEST_SUITE


class InvalidSuite(InvalidFlow):
    """A test suite with errors; carries every problem."""

    code = "INVALID_TEST_SUITE"


@dataclass(frozen=True, slots=True)
class StoredSuite:
    """A test suite, read."""

    source: str
    document: SuiteDocument
    data: Mapping[str, Any]
    """What the source says."""
    updated: Instant

    @property
    def name(self) -> SuiteName:
        """Its namespace and id."""
        return (self.document.namespace, self.document.id)


class SuiteService:
    """Implements API-122, API-047, GOV-317, GOV-319, GOV-328, GOV-331.

    Args:
        documents: Where suites are kept.
        results: Where results are kept.
        tests: Runs suites.
        flows: Tell which flows there are.
        clock: Dates changes.
    """

    def __init__(
        self,
        documents: DocumentStore,
        results: SuiteResultStore,
        tests: UnitTests,
        flows: FlowStore,
        clock: Clock,
    ) -> None:
        self._documents = documents
        self._results = results
        self._tests = tests
        self._flows = flows
        self._clock = clock

    async def check(self, tenant: str, source: str) -> Verdict:
        """Return what is to be said of a source; that the flow is not there is a warning."""
        parsed = parse_suite(source)
        suite, problems = parsed.document, list(parsed.problems)
        if suite is not None and await self._flows.get(tenant, suite.namespace, suite.flow_id) is None:
            message = f"there is no flow {suite.namespace}.{suite.flow_id}"
            problems.append(Problem(Severity.WARNING, "flowId", message, "create it before the tests run", 1, 1))
        namespace, flow_id = (parsed.data.get(key) for key in ("namespace", "flowId"))
        return Verdict(
            0,
            namespace if isinstance(namespace, str) else None,
            flow_id if isinstance(flow_id, str) else None,
            problems,
        )

    async def create(self, tenant: str, source: str) -> StoredSuite:
        """Keep a new suite.

        Raises:
            InvalidSuite: The source is no valid suite.
            InvalidRequestError: There is such a suite already.
        """
        suite = _valid(source)
        try:
            return await self._save(tenant, suite, source, is_new=True)
        except ConflictError as error:
            message = f"Invalid entity: TestSuite already exists for id '{suite.id}'"
            raise InvalidRequestError(message, hint=error.hint) from error

    async def update(self, tenant: str, namespace: str, suite_id: str, source: str) -> StoredSuite:
        """Replace a suite.

        Raises:
            NotFoundError: There is none.
            InvalidSuite: The source is no valid suite.
            InvalidRequestError: The source names another one.
        """
        await self.get(tenant, namespace, suite_id)
        suite = _valid(source)
        if (suite.namespace, suite.id) != (namespace, suite_id):
            raise InvalidRequestError(
                f"the source is test suite {suite.namespace}.{suite.id}, not {namespace}.{suite_id}",
                hint="the namespace and the id of a test suite cannot change",
            )
        return await self._save(tenant, suite, source, is_new=False)

    async def get(self, tenant: str, namespace: str, suite_id: str) -> StoredSuite:
        """Return a suite.

        Raises:
            NotFoundError: There is none.
        """
        found = await self._documents.get(tenant, _KIND, namespace, suite_id)
        if found is None:
            raise _missing(namespace, suite_id)
        return self.read(found)

    async def search(
        self, tenant: str, namespace: str = "", flow_id: str = "", *, children: bool = True, text: str = ""
    ) -> list[Document]:
        """Return the texts of suites by namespace and id: of a namespace (and those below it), of a flow, or all.

        Args:
            tenant: Whose.
            namespace: Of which namespace; of all by default.
            flow_id: Of which flow; of all by default.
            children: Those of namespaces below it too.
            text: What occurs in the namespace, the id or the flow's.
        """
        below = f"{namespace}."
        return [
            one
            for one in await self._documents.all(tenant, _KIND)
            if (not namespace or one.namespace == namespace or (children and one.namespace.startswith(below)))
            and (not flow_id or one.about.get("flowId") == flow_id)
            and text.casefold() in f"{one.namespace}.{one.id} {one.about.get('flowId')}".casefold()
        ]

    async def delete(self, tenant: str, names: Sequence[SuiteName]) -> None:
        """Remove suites and their results, all of them or none.

        Raises:
            NotFoundError: One of them does not exist.
        """
        for name in [await self._known(tenant, name) for name in names]:
            await self._documents.delete(tenant, _KIND, *name)
            await self._results.forget(tenant, name)

    async def switch(self, tenant: str, names: Sequence[SuiteName], *, disabled: bool) -> int:
        """Switch suites off or on and return how many changed; their sources say so.

        Raises:
            NotFoundError: One of them does not exist.
        """
        found = [await self.get(tenant, *name) for name in names]
        changed = [one for one in found if one.document.disabled is not disabled]
        for one in changed:
            await self.update(tenant, *one.name, switched(one.source, disabled))
        return len(changed)

    async def run(self, tenant: str, suite: StoredSuite, cases: Collection[str] = ()) -> KeptResult:
        """Run a suite, or some of its cases, and keep how it went.

        Raises:
            NotFoundError: It has no such case.
        """
        document = suite.document
        unknown = sorted(set(cases) - {case.id for case in document.test_cases})
        if unknown:
            raise NotFoundError(
                f"test suite {document.namespace}.{document.id} has no case `{unknown[0]}`",
                hint=f"its cases: {', '.join(case.id for case in document.test_cases)}",
            )
        if cases:
            chosen = [case for case in document.test_cases if case.id in cases]
            document = document.model_copy(update={"test_cases": chosen})
        result = _kept(await self._tests.run(tenant, document))
        await self._results.add(tenant, result, keep=KEPT)
        return result

    async def run_all(self, tenant: str, suites: Sequence[StoredSuite]) -> list[KeptResult]:
        """Run suites side by side."""
        return list(await asyncio.gather(*(self.run(tenant, suite) for suite in suites)))

    @staticmethod
    def read(stored: Document) -> StoredSuite:
        """Return what the text of a suite says."""
        parsed = parse_suite(stored.source)
        if parsed.document is None:
            raise InvalidSuite(parsed.problems)
        return StoredSuite(stored.source, parsed.document, plain(parsed.data), stored.updated)

    async def result(self, tenant: str, result_id: str) -> KeptResult:
        """Return how a suite went once.

        Raises:
            NotFoundError: It is not kept.
        """
        found = await self._results.get(tenant, result_id)
        if found is None:
            raise NotFoundError(f"there is no test result {result_id}", hint=f"the last {KEPT} of a suite are kept")
        return found

    async def results(
        self, tenant: str, page: PageRequest, *, suite_id: str = "", namespace: str = "", flow_id: str = ""
    ) -> Page[KeptResult]:
        """Return a page of results, the latest first."""
        return await self._results.search(tenant, page, suite_id=suite_id, namespace=namespace, flow_id=flow_id)

    async def latest(self, tenant: str, names: Sequence[SuiteName]) -> Sequence[KeptResult]:
        """Return the last result of each of some suites."""
        return await self._results.latest(tenant, names)

    async def _known(self, tenant: str, name: SuiteName) -> SuiteName:
        return (await self.get(tenant, *name)).name

    async def _save(self, tenant: str, suite: SuiteDocument, source: str, *, is_new: bool) -> StoredSuite:
        now = self._clock.now()
        about = {"flowId": suite.flow_id}
        document = Document(tenant, _KIND, suite.namespace, suite.id, source, now, now, about)
        return self.read(await self._documents.save(document, is_new=is_new))


def _valid(source: str) -> SuiteDocument:
    parsed = parse_suite(source)
    if parsed.document is None:
        raise InvalidSuite(parsed.problems)
    return parsed.document


def _kept(result: SuiteResult) -> KeptResult:
    cases = [
        {
            "testId": case.case_id,
            "executionId": case.execution_id,
            "state": case.verdict.value,
            "assertionResults": [msgspec.to_builtins(one, enc_hook=str) for one in case.assertions],
            "errors": list(case.errors),
        }
        for case in result.cases
    ]
    return KeptResult(
        result.id,
        result.namespace,
        result.flow_id,
        result.suite_id,
        result.verdict.value,
        result.started,
        result.ended,
        cases,
    )


def _missing(namespace: str, suite_id: str) -> NotFoundError:
    return NotFoundError(f"there is no test suite {namespace}.{suite_id}")

"""The contracts every `DocumentStore` and every `SuiteResultStore` keep."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from dataclasses import replace

import pytest

from penstock.base.errors import ConflictError
from penstock.ports.documents import Document, DocumentKind
from penstock.ports.queries import PageRequest
from penstock.ports.suite_results import KeptResult
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW

SUITE = DocumentKind.TEST_SUITE
ONE = Document("main", SUITE, "team", "one", "id: one", NOW, NOW, {"a": [1, None]})
RESULT = KeptResult("r0", "team", "flow", "one", "SUCCESS", NOW, NOW, [{"testId": "case"}])


class DocumentStoreContract:
    """What holds for every store of documents. A subclass gives the fixture `store`."""

    async def test_document_replaced_keeps_the_date_of_its_creation(self, store: StorePorts) -> None:
        assert await store.documents.save(ONE, is_new=True) == ONE
        with pytest.raises(ConflictError, match=r"test suite team\.one exists already"):
            await store.documents.save(ONE, is_new=True)
        later = replace(ONE, source="id: one\n", about={}, created=NOW + 5, updated=NOW + 5)
        assert await store.documents.save(later, is_new=False) == replace(later, created=NOW)
        assert await store.documents.get("main", SUITE, "team", "one") == replace(later, created=NOW)

    async def test_documents_of_a_kind_come_by_namespace_and_id(self, store: StorePorts) -> None:
        for one in (replace(ONE, id="b"), ONE, replace(ONE, namespace="a", id="z"), replace(ONE, tenant="other")):
            await store.documents.save(one, is_new=True)
        await store.documents.save(replace(ONE, kind=DocumentKind.BLUEPRINT, namespace=""), is_new=True)
        assert [(one.namespace, one.id) for one in await store.documents.all("main", SUITE)] == [
            ("a", "z"),
            ("team", "b"),
            ("team", "one"),
        ]

    async def test_document_deleted_is_gone(self, store: StorePorts) -> None:
        await store.documents.save(ONE, is_new=True)
        assert not await store.documents.delete("main", DocumentKind.BLUEPRINT, "team", "one")
        assert await store.documents.delete("main", SUITE, "team", "one")
        assert not await store.documents.delete("main", SUITE, "team", "one")
        assert await store.documents.get("main", SUITE, "team", "one") is None


class SuiteResultStoreContract:
    """What holds for every store of results. A subclass gives the fixture `store`."""

    async def test_suite_results_are_found_latest_first(self, store: StorePorts) -> None:
        for index, suite in enumerate(("one", "two", "one")):
            one = replace(RESULT, id=f"r{index}", suite_id=suite, ended=NOW + index)
            await store.suite_results.add("main", one, keep=5)
        found = await store.suite_results.search("main", PageRequest(1, 2), suite_id="one", namespace="team")
        assert ([one.id for one in found.results], found.total) == (["r2", "r0"], 2)
        assert (await store.suite_results.search("main", PageRequest(), flow_id="other")).total == 0
        assert (await store.suite_results.search("other", PageRequest())).total == 0
        names = [("team", "one"), ("team", "two"), ("team", "three")]
        assert [one.id for one in await store.suite_results.latest("main", names)] == ["r2", "r1"]
        assert await store.suite_results.latest("main", []) == []
        assert await store.suite_results.get("main", "r0") == RESULT

    async def test_suite_results_of_a_suite_are_kept_up_to_a_number(self, store: StorePorts) -> None:
        for index in range(4):
            one = replace(RESULT, id=f"r{index}", ended=NOW + index)
            await store.suite_results.add("main", one, keep=2)
        await store.suite_results.add("main", replace(RESULT, id="other", suite_id="two"), keep=2)
        page = PageRequest(sort=(("endDate", True),))
        assert [one.id for one in (await store.suite_results.search("main", page)).results] == ["other", "r2", "r3"]
        await store.suite_results.forget("main", ("team", "one"))
        assert [one.id for one in (await store.suite_results.search("main", page)).results] == ["other"]

"""The contract every `FlowStore` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from penstock.base.errors import ConflictError, InvalidRequestError
from penstock.ports.flows import Author, StoredFlow, Way
from penstock.ports.queries import Filter, PageRequest
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW

FLOW = StoredFlow("main", "company.team", "hello", 0, "id: hello\n# Grüße\n", NOW, description="Says hello")
SEVERAL = (
    replace(FLOW, id="alpha", labels=(("team", "data"), ("x", "y")), updated=NOW + 1),
    replace(FLOW, id="beta", namespace="company", description=None, labels=(("team", "web"),), has_triggers=True),
    replace(FLOW, id="purge", namespace="system", disabled=True),
)


class FlowStoreContract:
    """What holds for every store of flows. A subclass gives the fixture `store`."""

    async def test_save_a_first_time_gives_revision_one_byte_for_byte(self, store: StorePorts) -> None:
        saved = await store.flows.save(FLOW, 0)
        assert saved == replace(FLOW, revision=1)
        assert await store.flows.get("main", "company.team", "hello") == saved

    async def test_save_again_gives_the_next_revision_and_keeps_the_old(self, store: StorePorts) -> None:
        first = await store.flows.save(FLOW, None)
        second = await store.flows.save(replace(FLOW, source="second", updated=NOW + 1), 1)
        assert second.revision == 2
        assert await store.flows.get("main", "company.team", "hello") == second
        assert await store.flows.get("main", "company.team", "hello", 1) == first
        assert await store.flows.get("main", "company.team", "hello", 3) is None
        assert list(await store.flows.revisions("main", "company.team", "hello")) == [first, second]

    async def test_revision_no_database_can_count_to_is_refused(self, store: StorePorts) -> None:
        """API-007: it is the caller's mistake, and no failure of the server."""
        with pytest.raises(InvalidRequestError, match="none that a database can hold"):
            await store.flows.get("main", "company.team", "hello", 10**30)
        assert await store.flows.get("main", "company.team", "hello") is None

    async def test_revision_tells_who_saved_it(self, store: StorePorts) -> None:
        """BEY-002: over each way, also where nobody logged in, and nothing where nobody noted it."""
        authors = [*(Author("ada", way) for way in Way), Author(None, Way.API), None]
        saved = [await store.flows.save(replace(FLOW, author=author), None) for author in authors]
        assert [flow.author for flow in saved] == authors
        assert list(await store.flows.revisions("main", "company.team", "hello")) == saved

    @pytest.mark.parametrize("expected", [0, 1, 3])
    async def test_save_on_another_revision_than_expected_is_refused(self, store: StorePorts, expected: int) -> None:
        await store.flows.save(FLOW, None)
        await store.flows.save(FLOW, None)
        with pytest.raises(ConflictError):
            await store.flows.save(FLOW, expected)
        assert len(await store.flows.revisions("main", "company.team", "hello")) == 2

    async def test_save_expecting_a_flow_that_is_not_there_is_refused(self, store: StorePorts) -> None:
        with pytest.raises(ConflictError, match="no flow"):
            await store.flows.save(FLOW, 4)

    async def test_save_by_many_at_once_numbers_each_once(self, store: StorePorts) -> None:
        saved = await asyncio.gather(*(store.flows.save(FLOW, None) for _ in range(8)))
        assert sorted(one.revision for one in saved) == list(range(1, 9))

    async def test_save_by_two_with_one_expectation_lets_one_through(self, store: StorePorts) -> None:
        outcomes = await asyncio.gather(*(store.flows.save(FLOW, 0) for _ in range(4)), return_exceptions=True)
        assert sum(isinstance(one, StoredFlow) for one in outcomes) == 1
        assert sum(isinstance(one, ConflictError) for one in outcomes) == 3

    async def test_delete_hides_a_flow_and_keeps_its_revisions(self, store: StorePorts) -> None:
        await store.flows.save(FLOW, None)
        assert await store.flows.delete("main", "company.team", "hello", NOW + 9) is True
        assert await store.flows.delete("main", "company.team", "hello", NOW + 9) is False
        assert await store.flows.get("main", "company.team", "hello") is None
        assert await store.flows.get("main", "company.team", "hello", 1) is None
        kept = await store.flows.get("main", "company.team", "hello", 1, deleted=True)
        assert kept == replace(FLOW, revision=1, deleted=True, updated=NOW + 9)
        assert await store.flows.all_latest() == []
        assert (await store.flows.search("main", [], PageRequest())).total == 0
        assert await store.flows.namespaces("main") == []

    async def test_delete_of_a_flow_that_is_not_there_says_so(self, store: StorePorts) -> None:
        assert await store.flows.delete("main", "company.team", "nothing", NOW) is False

    async def test_save_after_a_delete_goes_on_counting(self, store: StorePorts) -> None:
        await store.flows.save(FLOW, None)
        await store.flows.delete("main", "company.team", "hello", NOW)
        with pytest.raises(ConflictError):
            await store.flows.save(FLOW, 1)
        again = await store.flows.save(FLOW, 0)
        assert again.revision == 2
        assert await store.flows.get("main", "company.team", "hello") == again

    async def test_get_of_another_tenant_finds_nothing(self, store: StorePorts) -> None:
        await store.flows.save(FLOW, None)
        assert await store.flows.get("other", "company.team", "hello") is None
        assert await store.flows.all_latest("other") == []
        assert len(await store.flows.all_latest("main")) == len(await store.flows.all_latest()) == 1

    async def test_all_latest_returns_one_revision_of_each(self, store: StorePorts) -> None:
        for flow in (*SEVERAL, *SEVERAL):
            await store.flows.save(flow, None)
        assert [(one.namespace, one.id, one.revision) for one in await store.flows.all_latest()] == [
            ("company", "beta", 2),
            ("company.team", "alpha", 2),
            ("system", "purge", 2),
        ]

    async def test_namespaces_are_those_of_flows_narrowed_by_a_text(self, store: StorePorts) -> None:
        for flow in SEVERAL:
            await store.flows.save(flow, None)
        assert list(await store.flows.namespaces("main")) == ["company", "company.team", "system"]
        assert list(await store.flows.namespaces("main", "TEAM")) == ["company.team"]

    @pytest.mark.parametrize(
        ("field", "operation", "value", "expected"),
        [
            ("q", "EQUALS", "ALPH", "alpha"),
            ("q", "EQUALS", "says", "alpha purge"),
            ("namespace", "EQUALS", "company", "beta"),
            ("namespace", "PREFIX", "company", "alpha beta"),
            ("flowId", "IN", "alpha,purge", "alpha purge"),
            ("labels", "EQUALS", {"team": "data"}, "alpha"),
            ("labels", "EQUALS", {"team": "data", "x": "z"}, ""),
            ("labels", "NOT_EQUALS", {"team": "data"}, "beta purge"),
            ("labels", "IN", {"team": ["data", "web"]}, "alpha beta"),
            ("scope", "EQUALS", "USER", "alpha beta"),
            ("scope", "EQUALS", "SYSTEM", "purge"),
            ("updated", "GREATER_THAN", NOW, "alpha"),
        ],
    )
    async def test_search_with_a_filter_finds_what_fits(
        self, store: StorePorts, field: str, operation: str, value: Any, expected: str
    ) -> None:
        for flow in (*SEVERAL, *SEVERAL):
            await store.flows.save(flow, None)
        found = await store.flows.search("main", [Filter(field, operation, value)], PageRequest())
        assert sorted(flow.id for flow in found.results) == expected.split()
        assert found.total == len(expected.split())

    async def test_search_in_pages_and_sorted_returns_that_order(self, store: StorePorts) -> None:
        for flow in SEVERAL:
            await store.flows.save(flow, None)
        pages = [await store.flows.search("main", [], PageRequest(n, 2, (("id", False),))) for n in (1, 2)]
        assert [flow.id for page in pages for flow in page.results] == ["purge", "beta", "alpha"]
        assert [page.total for page in pages] == [3, 3]

"""The contract every `TemplateStore` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from dataclasses import replace

import pytest

from penstock.base.errors import ConflictError
from penstock.ports.flows import StoredFlow
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW

ONE = StoredFlow("main", "company.team", "one", 0, "first", NOW)
KEY = ("main", "company.team", "one")


class TemplateStoreContract:
    """What holds for every store of templates. A subclass gives the fixture `store`."""

    async def test_template_saved_again_has_another_revision_and_the_first_stays(self, store: StorePorts) -> None:
        assert (await store.templates.save(ONE, is_new=True)).revision == 1
        assert (await store.templates.save(replace(ONE, source="second"), is_new=False)).revision == 2
        assert await store.templates.get(*KEY) == replace(ONE, source="second", revision=2)
        assert await store.templates.get(*KEY, 1) == replace(ONE, revision=1)
        assert await store.templates.get(*KEY, 3) is None
        with pytest.raises(ConflictError):
            await store.templates.save(ONE, is_new=True)

    async def test_template_deleted_is_read_only_when_that_is_asked_for(self, store: StorePorts) -> None:
        await store.templates.save(ONE, is_new=True)
        assert await store.templates.delete(*KEY, NOW + 1)
        assert not await store.templates.delete(*KEY, NOW + 2)
        assert await store.templates.get(*KEY, 1) is None
        kept = await store.templates.get(*KEY, 1, deleted=True)
        assert kept == replace(ONE, revision=1, deleted=True, updated=NOW + 1)
        assert (await store.templates.save(ONE, is_new=True)).revision == 2

    async def test_templates_come_by_name_in_their_latest_revision(self, store: StorePorts) -> None:
        for name in ("two", "one", "gone"):
            await store.templates.save(replace(ONE, id=name), is_new=True)
        await store.templates.save(replace(ONE, source="second"), is_new=False)
        await store.templates.save(replace(ONE, tenant="other"), is_new=True)
        await store.templates.delete("main", "company.team", "gone", NOW)
        found = await store.templates.all_latest("main")
        assert [(one.id, one.revision, one.source) for one in found] == [("one", 2, "second"), ("two", 1, "first")]

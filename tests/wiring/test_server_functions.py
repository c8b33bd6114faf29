"""What workers may ask of a server: each function says itself what it changes, and which may be refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock.base.clock import SystemClock
from penstock.ports.jobs import Held, JobTaken
from penstock.services.arguments import Effect
from penstock.services.file_access import Caller
from penstock.services.functions import ServerFunctions
from penstock.wiring.core import open_core
from penstock.wiring.plan import Plan, Role
from penstock.wiring.plugins import load_plugins

GIVEN_UP = Caller("main", "company.team", "flow", "e1", Held("run", 1, "gone"))
ARGUMENTS = {"key": "seen", "value": "late"}
CHANGING = ("delete", "keep", "purge", "put", "record", "resume", "set", "toggle")


@pytest.fixture
async def functions(tmp_path: Path) -> AsyncIterator[ServerFunctions]:
    database = f"sqlite:///{tmp_path / 'penstock.db'}"
    plan = Plan(roles=frozenset({Role.WEBSERVER}), database=database, storage=tmp_path / "storage")
    core = await open_core(plan, load_plugins(), SystemClock())
    yield core.functions
    await core.store.close()


async def test_worker_that_was_given_up_is_refused_whatever_changes_something(functions: ServerFunctions) -> None:
    """BEY-003: before anything is looked at, or in the transaction that writes."""
    changing = [name for name, function in functions.by_name.items() if function.effect is not Effect.READS]
    assert {"kvDelete", "kvSet", "putFlow", "recordAssets"} <= set(changing)
    for name in changing:
        with pytest.raises(JobTaken):
            await functions.call(GIVEN_UP, name, ARGUMENTS)


async def test_function_whose_name_tells_of_a_change_says_that_it_changes_something(functions: ServerFunctions) -> None:
    """BEY-003."""
    for name, function in functions.by_name.items():
        tells = any(name.removeprefix("kv").lower().startswith(verb) for verb in CHANGING)
        assert (function.effect is not Effect.READS) is tells, name

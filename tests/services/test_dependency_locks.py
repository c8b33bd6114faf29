"""Locks of dependencies, beside the revision of the flow they belong to."""

from pathlib import Path
from typing import Any

import pytest

from penstock.base.errors import InvalidRequestError
from penstock.services.dependency_locks import DependencyLockFunctions
from penstock.services.file_access import Caller
from penstock.storage.local import LocalStorage

CALLER = Caller("main", "company.team", "report", "e1")
KEY = "0123456789abcdef" * 2


@pytest.fixture
def functions(tmp_path: Path) -> Any:
    return DependencyLockFunctions(LocalStorage(tmp_path)).functions()


async def test_lock_that_was_kept_first_counts(functions: Any) -> None:
    """BEY-036."""
    this = {"revision": 3, "key": KEY}
    assert await functions["dependencyLock"].answer(CALLER, this) is None
    assert await functions["keepDependencyLock"].answer(CALLER, {**this, "text": "a==1\n"}) == "a==1\n"
    assert await functions["keepDependencyLock"].answer(CALLER, {**this, "text": "a==2\n"}) == "a==1\n"
    assert await functions["dependencyLock"].answer(CALLER, this) == "a==1\n"


async def test_lock_belongs_to_a_revision_of_a_flow(functions: Any) -> None:
    """BEY-036."""
    await functions["keepDependencyLock"].answer(CALLER, {"revision": 3, "key": KEY, "text": "a==1\n"})
    assert await functions["dependencyLock"].answer(CALLER, {"revision": 4, "key": KEY}) is None
    other = Caller("main", "company.team", "other", "e1")
    assert await functions["dependencyLock"].answer(other, {"revision": 3, "key": KEY}) is None


@pytest.mark.parametrize("given", [{"key": "../../x", "revision": 1}, {"key": KEY, "revision": "1/../2"}])
async def test_lock_outside_of_the_flow_s_folder_is_refused(functions: Any, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        await functions["dependencyLock"].answer(CALLER, given)

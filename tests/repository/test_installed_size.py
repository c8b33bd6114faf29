"""The weight of a base install."""

from __future__ import annotations

from pathlib import Path

from packaging.requirements import Requirement

from scripts.installed_size import LIMIT_MEGABYTES, MEGABYTE, applies, closure, interface_size, size

ROOT = Path(__file__).resolve().parents[2]


def test_closure_of_the_package_contains_indirect_needs_and_no_extras() -> None:
    packages = closure("penstock")
    assert {"penstock", "pydantic", "pydantic-core", "starlette", "psycopg-binary"} <= packages.keys()
    assert not {"pytest", "mypy", "uvloop", "holidays"} & packages.keys()


def test_requirement_with_an_extra_marker_applies_only_when_asked_for() -> None:
    requirement = Requirement("psycopg-binary; extra == 'binary'")
    assert not applies(requirement, frozenset())
    assert applies(requirement, frozenset({"binary"}))


def test_base_install_measured_here_stays_within_the_limit() -> None:
    total = sum(size(each) for each in closure("penstock").values()) + interface_size(ROOT)
    assert 50 < total / MEGABYTE <= LIMIT_MEGABYTES

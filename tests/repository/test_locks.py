"""The pinned requirements: complete, hashed, agreeing, and without addresses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^]]*])?==(?P<version>[^ ;\\]+)")


def pins(lock: Path) -> dict[str, set[str]]:
    """Return the pinned versions by package (two when platforms differ)."""
    found: dict[str, set[str]] = {}
    for line in lock.read_text().splitlines():
        if match := PIN.match(line):
            found.setdefault(canonicalize_name(match["name"]), set()).add(match["version"])
    return found


def project_requirements(extra: str | None) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    return [each for each in map(Requirement, texts) if each.name != "penstock"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_entry_without_hash_or_exact_version_does_not_exist(lock: Path) -> None:
    entries = lock.read_text().split("\n", 1)[1].replace("\\\n", " ").splitlines()
    assert entries
    assert [entry for entry in entries if not PIN.match(entry) or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_searched_for_addresses_has_none(lock: Path) -> None:
    assert re.findall(r"\S*://\S*|index-url|find-links|@ file", lock.read_text()) == []


@pytest.mark.parametrize(
    ("lock", "extra"),
    [
        ("base", None),
        ("run", None),
        ("run", "fast"),
        ("dev", "dev"),
        ("dev", "avro"),
        ("dev", "excel"),
        ("dev", "holidays"),
        ("dev", "parquet"),
        ("dev", "testing"),
        ("node", "node"),
    ],
)
def test_lock_holds_a_fitting_version_of_each_requirement(lock: str, extra: str | None) -> None:
    pinned = pins(ROOT / "requirements" / f"{lock}.txt")
    unfit = [
        str(each)
        for each in project_requirements(extra)
        if not any(each.specifier.contains(version) for version in pinned.get(canonicalize_name(each.name), ()))
    ]
    assert unfit == [], "run `make lock`"


def test_locks_compared_with_each_other_agree() -> None:
    everything = pins(ROOT / "requirements" / "dev.txt")
    for name in ("base", "run"):
        smaller = pins(ROOT / "requirements" / f"{name}.txt")
        assert {package: everything.get(package) for package in smaller} == smaller

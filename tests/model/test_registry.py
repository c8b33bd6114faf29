"""Types by name."""

from __future__ import annotations

import pytest

from penstock.model.registry import DuplicateTypeError, TypeEntry, TypeKind, TypeRegistry
from tests.model.conftest import Log, Return, Timer


def test_type_is_found_by_its_name_and_by_older_ones_and_by_no_other_case(registry: TypeRegistry) -> None:
    """Implements ENG-007, MIG-010."""
    by_name, by_alias = registry.find("test.Return"), registry.find("test.old.Return")
    assert by_name is not None
    assert by_alias is not None
    assert by_name.entry is by_alias.entry
    assert (by_name.alias, by_alias.alias) == (None, "test.old.Return")
    assert registry.find("test.return") is None


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("test.Retrun", "test.Return"),
        ("test.return", "test.Return"),
        ("io.kestra.plugin.core.Return", "test.Return"),
        ("test.logs.Log", "test.log.Log"),
        ("test.old.Returns", "test.Return"),
        ("test.log.Lag", "test.log.Log"),
        ("test.Flow", None),
        ("", None),
    ],
)
def test_wrong_name_suggests_the_nearest_known_one(registry: TypeRegistry, name: str, nearest: str | None) -> None:
    assert registry.suggest(name) == nearest


def test_two_classes_of_one_name_are_refused_with_both_plugins_named() -> None:
    with pytest.raises(DuplicateTypeError, match="declared by penstock and by other"):
        TypeRegistry([TypeEntry.of(Return), TypeEntry.of(Return, "other")])


def test_types_of_a_kind_are_sorted_by_name() -> None:
    registry = TypeRegistry(TypeEntry.of(cls) for cls in (Return, Timer, Log))
    assert [entry.name for entry in registry.of_kind(TypeKind.TASK)] == ["test.Return", "test.log.Log"]
    assert list(registry.aliases) == ["test.old.Return"]
    assert registry.has_prefix("test.log")
    assert not registry.has_prefix("tes")

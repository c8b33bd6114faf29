"""The schema of flows that is made together with the package."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from penstock.model.registry import TypeEntry, TypeRegistry
from penstock.sdk import Task
from penstock.services.flow_schema import FlowSchema
from penstock.wiring import built_schema
from penstock.wiring.plugins import builtin_types
from scripts import flow_schema

BUILT = gzip.compress(b'{"title": "made with the package"}')


class Reverse(Task):
    """Turn a text round."""

    type_name = "org.example.Reverse"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of the package of the built-in types, with a schema for its sources as they are."""
    monkeypatch.setattr(built_schema, "files", lambda _: tmp_path)
    (tmp_path / built_schema.file_name()).write_bytes(BUILT)
    return tmp_path


async def test_flow_schema_made_with_the_package_is_not_made_again(package: Path) -> None:
    """PLG-048."""
    schema = FlowSchema(TypeRegistry(builtin_types()), built_schema.built_schema)
    assert await schema.packed() == BUILT
    assert await schema.read() == {"title": "made with the package"}


async def test_flow_schema_of_further_types_is_made_by_the_server(package: Path) -> None:
    """PLG-048."""
    further = TypeEntry.of(Reverse, "reverse-plugin")
    assert built_schema.built_schema(TypeRegistry([*builtin_types(), further])) is None
    schema = FlowSchema(TypeRegistry([further]), built_schema.built_schema)
    assert "org.example.Reverse" in (await schema.read())["definitions"]


def test_flow_schema_of_other_sources_is_left_alone(package: Path) -> None:
    """PLG-048."""
    (package / built_schema.file_name()).rename(package / "flow-0123456789abcdef.json.gz")
    assert built_schema.built_schema(TypeRegistry(builtin_types())) is None


def test_flow_schema_is_built_in_the_place_of_older_ones_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PLG-048."""
    monkeypatch.setattr(flow_schema, "packed_flow_schema", lambda _: BUILT)
    (tmp_path / "flow-0123456789abcdef.json.gz").write_bytes(b"older")
    assert flow_schema.build(tmp_path)
    assert [one.read_bytes() for one in tmp_path.glob(built_schema.PATTERN)] == [BUILT]
    assert not flow_schema.build(tmp_path)

"""JSON Schema of the flow language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.model.registry import TypeEntry, TypeRegistry
from penstock.model.schema import flow_schema, type_schema
from penstock.model.schema_text import plain_text
from penstock.wiring.plugins import builtin_types


@pytest.fixture(scope="module")
def schema(registry: TypeRegistry) -> dict[str, Any]:
    return flow_schema(registry)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


@pytest.mark.parametrize("types", ["small", "builtin"])
def test_schema_of_flows_refers_only_to_what_it_defines(types: str, registry: TypeRegistry) -> None:
    """Implements PLG-047."""
    used = registry if types == "small" else TypeRegistry(builtin_types())
    schema = flow_schema(used)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    wanted = {name.removeprefix("#/definitions/") for name in references(schema)}
    assert wanted <= set(schema["definitions"])
    assert not re.search(r"\$defs|prefixItems|Implements", json.dumps(schema))


def test_schema_of_a_type_knows_its_names_and_its_properties(schema: dict[str, Any]) -> None:
    definition = schema["definitions"]["test.Return"]
    assert definition["additionalProperties"] is False
    assert definition["description"] == "Return a text."
    assert definition["properties"]["type"]["anyOf"][0] == {"const": "test.Return"}
    assert definition["properties"]["type"]["anyOf"][1]["enum"] == ["test.old.Return"]
    assert definition["properties"]["format"] == {"type": "string", "$dynamic": True}
    assert definition["properties"]["retry"]["oneOf"]
    assert definition["required"] == ["id", "type"]


def test_schema_of_a_dynamic_property_accepts_its_type_or_a_template(schema: dict[str, Any]) -> None:
    """Implements PLG-014, PLG-015."""
    properties = schema["definitions"]["test.Script"]["properties"]
    assert properties["retries"] == {"anyOf": [{"type": "integer"}, {"type": "string"}], "$dynamic": True}
    assert "$dynamic" not in properties["image"]


def test_schema_of_properties_that_hold_definitions_refers_to_their_kinds(schema: dict[str, Any]) -> None:
    """SCR-052 for task runners: an editor completes and explains each by its own schema."""
    definitions = schema["definitions"]
    task = {"$ref": "#/definitions/task"}
    many = {"type": "array", "items": task}
    assert schema["properties"]["tasks"]["items"] == task
    assert schema["properties"]["triggers"]["items"] == {"$ref": "#/definitions/trigger"}
    assert definitions["test.Group"]["properties"]["tasks"] == many
    assert definitions["test.Choose"]["properties"]["cases"] == {"type": "object", "additionalProperties": many}
    assert definitions["test.Choose"]["properties"]["onAsk"]["items"] == {"$ref": "#/definitions/input"}
    assert definitions["GraphNode"]["properties"]["task"] == task
    assert definitions["test.Script"]["properties"]["taskRunner"] == {"$ref": "#/definitions/taskRunner"}
    assert definitions["test.Timer"]["properties"]["conditions"]["items"] == {"$ref": "#/definitions/condition"}


def test_schema_of_a_kind_picks_the_definition_by_type(schema: dict[str, Any]) -> None:
    union = schema["definitions"]["task"]
    assert union["required"] == ["id", "type"]
    by_target = {one["then"]["$ref"]: one["if"]["properties"]["type"]["enum"] for one in union["allOf"]}
    assert by_target["#/definitions/test.Return"] == ["test.Return", "test.old.Return"]
    assert "#/definitions/test.Timer" not in by_target


def test_schema_accepts_older_property_names_without_proposing_them(schema: dict[str, Any]) -> None:
    """Implements MIG-025."""
    older = schema["definitions"]["test.Script"]["properties"]["containerImage"]
    assert older["deprecated"] is True
    assert older["doNotSuggest"] is True
    assert schema["properties"]["taskDefaults"]["deprecated"] is True


def test_schema_of_models_with_one_name_keeps_them_apart() -> None:
    from penstock.sdk.task import PluginModel, Task

    def make(name: str, **fields: Any) -> type[Task]:
        options = type("Options", (PluginModel,), {"__annotations__": fields, "__module__": f"module_{name}"})
        attributes = {"type_name": f"test.{name}", "__annotations__": {"options": options}, "__module__": "m"}
        return type(name, (Task,), attributes)

    schema = flow_schema(TypeRegistry(TypeEntry.of(cls) for cls in (make("First", a=int), make("Second", b=str))))
    found = {}
    for name in ("First", "Second"):
        reference = schema["definitions"][f"test.{name}"]["properties"]["options"]["$ref"]
        found[name] = list(schema["definitions"][reference.removeprefix("#/definitions/")]["properties"])
    assert found == {"First": ["a"], "Second": ["b"]}


def test_schema_of_one_type_has_properties_outputs_and_definitions(registry: TypeRegistry) -> None:
    found = registry.find("test.Return")
    assert found is not None
    schema = type_schema(found.entry)
    assert schema["properties"]["title"] == "Return"
    assert schema["outputs"]["properties"] == {"value": {"type": "string"}}
    assert {name.removeprefix("#/definitions/") for name in references(schema)} <= set(schema["definitions"])


def test_schema_of_a_type_without_declared_outputs_has_an_empty_object(registry: TypeRegistry) -> None:
    found = registry.find("test.log.Log")
    assert found is not None
    assert type_schema(found.entry)["outputs"] == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Do it.\n\nImplements ENG-6.", "Do it."),
        ("Do it.\n\nImplements ENG-9, ENG-10: a limit is an end.", "Do it.\n\na limit is an end."),
        ("Do it. Implements ENG-001 to ENG-002. And more.", "Do it. And more."),
        ("Do it.\n\nImplements USE-B4, ENG-1 and EXP-2.", "Do it."),
        ("Do it. Implements ENG-1 to ENG-2,\nENG-3.\n\nFor example:", "Do it.\n\nFor example:"),
        ("Reuse of results (ENG-3, USE-B4), kept (see above).", "Reuse of results, kept (see above)."),
        ("It implements things.", "It implements things."),
    ],
)
def test_description_for_readers_names_no_requirements(text: str, expected: str) -> None:
    assert plain_text(text) == expected

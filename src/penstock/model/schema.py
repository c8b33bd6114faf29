"""JSON Schema (draft-07) of the flow language, made from the registry: for editors, forms and documentation.

One definition a type, told apart by its `type`; `$dynamic` marks what may be an expression. Lists of tasks and so on
pick the definition by a condition on `type` rather than from alternatives: an editor then completes and complains by
the one type that was written. Implements PLG-047, PLG-048.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from penstock.model.document import FlowDocument
from penstock.model.input_types import BY_TYPE, CLASSES
from penstock.model.registry import TypeEntry, TypeKind, TypeRegistry
from penstock.model.schema_text import examples_in, tidy
from penstock.model.wanted import NEWER_NAMES, Amount, FieldShape, Wanted, shape_of

DRAFT = "http://json-schema.org/draft-07/schema#"
Schema = dict[str, Any]
_UNIONS = {
    TypeKind.TASK: "task",
    TypeKind.TRIGGER: "trigger",
    TypeKind.CONDITION: "condition",
    TypeKind.TASK_RUNNER: "taskRunner",
}
_LABELS: Schema = {
    "description": "Inherited by executions.",
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}},
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"key": {"type": "string"}, "value": {"type": ["string", "number", "boolean"]}},
                "required": ["key", "value"],
                "additionalProperties": False,
            },
        },
    ],
}


def flow_schema(registry: TypeRegistry) -> Schema:
    """Return the schema of a whole flow."""
    entries = [entry for kind in TypeKind for entry in registry.of_kind(kind)]
    schemas = _Schemas([FlowDocument, *CLASSES, *(entry.cls for entry in entries)], linked=True)
    flow = schemas.take(FlowDocument)
    flow["properties"]["labels"] = _LABELS
    definitions = {entry.name: _typed(schemas.take(entry.cls), entry.name, entry.aliases) for entry in entries}
    for cls in CLASSES:
        for name in cls.types:
            definitions[f"input.{name}"] = _typed(schemas.copy(cls), name, ())
    definitions.update(_unions(registry))
    definitions.update(schemas.shared({FlowDocument, *CLASSES}))
    return {"$schema": DRAFT, **flow, "title": "Flow", "definitions": definitions}


def type_schema(entry: TypeEntry) -> Schema:
    """Return the schema of one type for its documentation: `properties`, `outputs` and the `definitions` they share."""
    outputs = getattr(entry.cls, "output_type", None)
    models = [entry.cls] if outputs is None else [entry.cls, outputs]
    schemas = _Schemas(models, linked=False)
    properties = {**_typed(schemas.take(entry.cls), entry.name, entry.aliases), **_said(entry)}
    given: Schema = {"type": "object", "properties": {}} if outputs is None else schemas.take(outputs)
    return {"$schema": DRAFT, "properties": properties, "outputs": given, "definitions": schemas.shared(set())}


def _said(entry: TypeEntry) -> Schema:
    """Return what a type says of itself beside its properties (PLG-045)."""
    metrics = [
        {"name": one.name, "type": one.type, "description": one.description}
        for one in getattr(entry.cls, "type_metrics", ())
    ]
    said: Schema = {"$examples": examples_in(entry.cls.__doc__ or ""), "$metrics": metrics}
    deprecation = getattr(entry.cls, "type_deprecation", "")
    return {**said, "$deprecated": deprecation} if deprecation else said


class _Generator(GenerateJsonSchema):
    schema_dialect = DRAFT


class _Schemas:
    """Schemas of many models, made in one go, so that models of the same name do not collide."""

    def __init__(self, models: Iterable[type[BaseModel]], *, linked: bool) -> None:
        wanted = list(dict.fromkeys(models))
        known = [*wanted, *(inner for inner in _inner(wanted) if inner not in wanted)]
        names, top = models_json_schema(
            [(model, "validation") for model in known],
            by_alias=True,
            ref_template="#/definitions/{model}",
            schema_generator=_Generator,
        )
        self._names = {model: names[(model, "validation")]["$ref"].rsplit("/", 1)[-1] for model in known}
        self._all: Schema = {name: tidy(schema) for name, schema in top.get("$defs", {}).items()}
        for model in known:
            schema = self._all[self._names[model]]
            schema.setdefault("properties", {})
            if linked:
                _link(schema, model)
            _accept_older(schema, model)

    def take(self, model: type[BaseModel]) -> Schema:
        """Return a model's schema, which is then no longer among the shared ones."""
        schema: Schema = self._all.pop(self._names[model])
        return schema

    def copy(self, model: type[BaseModel]) -> Schema:
        """Return a model's schema for changing."""
        schema: Schema = self._all[self._names[model]]
        return {**schema, "properties": dict(schema["properties"])}

    def shared(self, but: set[type[BaseModel]]) -> Schema:
        """Return what others refer to, without these models."""
        left = {self._names[model] for model in but if model in self._names}
        return {name: schema for name, schema in self._all.items() if name not in left}


def _inner(models: Iterable[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """Yield the models that are used inside models, such as the entries of a Dag or the kinds of retry."""
    seen: set[type[BaseModel]] = set()
    waiting: list[Any] = [info.annotation for model in models for info in model.model_fields.values()]
    while waiting:
        annotation = waiting.pop()
        waiting.extend(get_args(annotation))
        if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in seen:
            seen.add(annotation)
            waiting.extend(info.annotation for info in annotation.model_fields.values())
            yield annotation


def _link(schema: Schema, model: type[BaseModel]) -> None:
    """Make properties that hold definitions refer to the unions of their kinds."""
    properties = schema["properties"]
    for field in shape_of(model).nesting:
        if field.name in properties and (field.wanted.kind is not None or field.wanted.inputs):
            described = {key: properties[field.name][key] for key in ("description",) if key in properties[field.name]}
            properties[field.name] = {**described, **_reference(field)}


def _reference(field: FieldShape) -> Schema:
    wanted: Wanted = field.wanted
    if wanted.kind is None:
        return {"type": "array", "items": {"$ref": "#/definitions/input"}}
    one = {"$ref": f"#/definitions/{_UNIONS[wanted.kind]}"}
    many = {"type": "array", "items": one}
    if wanted.amount is Amount.ONE:
        return one
    return many if wanted.amount is Amount.LIST else {"type": "object", "additionalProperties": many}


def _accept_older(schema: Schema, model: type[BaseModel]) -> None:
    """Accept older property names beside today's, marked as deprecated (MIG-025)."""
    properties = schema["properties"]
    for field in shape_of(model).fields:
        for older in field.older_names:
            hidden = {} if older in NEWER_NAMES else _hidden(f"Older name of `{field.name}`.")
            properties[older] = {**properties[field.name], **hidden}
        if field.older_names and field.name in schema.get("required", ()):
            schema["required"] = [name for name in schema["required"] if name != field.name]


def _hidden(message: str) -> Schema:
    return {"deprecated": True, "deprecationMessage": message, "doNotSuggest": True}


def _names(name: str, aliases: tuple[str, ...]) -> Schema:
    if not aliases:
        return {"const": name}
    return {"anyOf": [{"const": name}, {"enum": list(aliases), **_hidden(f"Older name of `{name}`.")}]}


def _typed(schema: Schema, name: str, aliases: tuple[str, ...]) -> Schema:
    """Return a type's schema with its names as the only values of `type`."""
    described = {key: value for key, value in schema["properties"].get("type", {}).items() if key == "description"}
    schema["properties"]["type"] = {"type": "string", **described, **_names(name, aliases)}
    return {**schema, "title": name.rsplit(".", 1)[-1], "$type": name}


def _unions(registry: TypeRegistry) -> Iterator[tuple[str, Schema]]:
    for kind, union in _UNIONS.items():
        targets = [(entry.name, entry.name, entry.aliases) for entry in registry.of_kind(kind)]
        required = ["id", "type"] if kind in (TypeKind.TASK, TypeKind.TRIGGER) else ["type"]
        yield union, _choice(targets, required)
    yield "input", _choice([(f"input.{name}", name, ()) for name in BY_TYPE], ["type"])


def _choice(targets: list[tuple[str, str, tuple[str, ...]]], required: list[str]) -> Schema:
    older = [alias for _, _, aliases in targets for alias in aliases]
    if not targets:  # nothing of the kind is installed
        return {"type": "object", "required": required, "properties": {"type": {"type": "string"}}}
    names: list[Schema] = [{"enum": [name for _, name, _ in targets]}]
    if older:
        names.append({"enum": older, **_hidden("An older name.")})
    return {
        "type": "object",
        "required": required,
        "properties": {"type": {"type": "string", "anyOf": names}},
        "allOf": [
            {
                "if": {"properties": {"type": {"enum": [name, *aliases]}}, "required": ["type"]},
                "then": {"$ref": f"#/definitions/{target}"},
            }
            for target, name, aliases in targets
        ],
    }

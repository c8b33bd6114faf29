"""Classes that stand for those of plugins in environments of their own: made from manifests, they run elsewhere."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import reduce
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import Field, create_model

from penstock.sdk import (
    MetricNote,
    Output,
    PluginModel,
    PollingTrigger,
    Property,
    RealtimeTrigger,
    RunContext,
    Task,
    TriggerEvent,
)
from penstock.services.isolation.manifest import TypeDescription
from penstock.services.isolation.messages import Done, Event, Settle, Start
from penstock.services.isolation.process import Processes, Session, definition_of

_ALWAYS = frozenset({"id", "type", "interval"})


class Isolated:
    """What the classes have in common. Implements PLG-007."""

    processes: ClassVar[Processes]
    properties: ClassVar[frozenset[str]]
    """The names of the properties that the plugin's class declares."""
    package_texts: ClassVar[Mapping[str, str]]
    """Icons, metadata and guides of the plugin's package."""
    type_name: ClassVar[str]

    def session(self, action: Literal["run", "poll", "listen"], context: RunContext) -> Session:
        """Give the plugin the work."""
        definition = {**definition_of(self, self.properties | _ALWAYS), "type": self.type_name}
        return Session(self.processes, Start(action, self.type_name, definition), context)


class IsolatedTask(Isolated, Task):
    """A task in a process of its plugin."""

    def run(self, context: RunContext) -> Mapping[str, Any] | None:
        """Have the plugin do the work of one attempt."""
        with closing(self.session("run", context)) as session:
            done = session.result()
            assert isinstance(done, Done)
            return done.outputs


class IsolatedPolling(Isolated, PollingTrigger):
    """A polling trigger in a process of its plugin."""

    def poll(self, context: RunContext) -> TriggerEvent | None:
        """Have the plugin look for what has happened; its process waits to hear what becomes of an event."""
        with ExitStack() as stack:
            session = stack.enter_context(closing(self.session("poll", context)))
            found = session.result()
            if isinstance(found, Done):
                return None
            kept = stack.pop_all()

        def settle(action: Literal["acknowledge", "release"]) -> None:
            with kept:
                session.settle(Settle(action))
                session.result()

        return _event(found, settle)


class IsolatedRealtime(Isolated, RealtimeTrigger):
    """A realtime trigger in a process of its plugin."""

    def listen(self, context: RunContext, stop: threading.Event) -> Iterator[TriggerEvent]:
        """Have the plugin listen; the order to stop reaches it as the end of the work."""
        with closing(self.session("listen", context)) as session:
            while isinstance(found := session.result(), Event):
                yield _event(found, lambda action: session.settle(Settle(action)))


def _event(found: Event, settle: Callable[[Literal["acknowledge", "release"]], None]) -> TriggerEvent:
    return TriggerEvent(found.variables, found.key, lambda: settle("acknowledge"), lambda: settle("release"))


_BASES: Mapping[str, type[IsolatedTask] | type[IsolatedPolling] | type[IsolatedRealtime]] = {
    "task": IsolatedTask,
    "polling": IsolatedPolling,
    "realtime": IsolatedRealtime,
}


def class_of(described: TypeDescription, texts: Mapping[str, str], processes: Processes) -> type[Any]:
    """Return the class that stands for a type of a plugin: with its properties, checked as its schema says."""
    base = _BASES[described.flavour]
    common = {info.alias or name for name, info in base.model_fields.items()}
    annotations = _Annotations(described.schema["definitions"])
    properties = described.schema["properties"]
    own = {name: part for name, part in properties["properties"].items() if name not in common}
    made = cast(Any, create_model)(
        described.name.rpartition(".")[2],
        __base__=base,
        __doc__=described.documentation,
        **annotations.fields({**properties, "properties": own}),
    )
    made.processes, made.package_texts, made.properties = processes, texts, frozenset(own)
    made.type_name, made.type_aliases = described.name, described.aliases
    made.type_metrics = tuple(MetricNote(**one) for one in properties.get("$metrics", ()))
    outputs = described.schema["outputs"]
    if outputs.get("properties"):
        made.output_type = create_model("Outputs", __base__=Output, **annotations.fields(outputs))
    found: type[Any] = made
    return found


_CONSTRAINTS = {
    "minimum": "ge",
    "exclusiveMinimum": "gt",
    "maximum": "le",
    "exclusiveMaximum": "lt",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "pattern": "pattern",
}
_SCALARS: Mapping[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool, "null": None}


class _Annotations:
    """Reads types of properties out of JSON Schemas such as `type_schema` writes."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._open: list[str] = []
        """The models that are being made: one that holds itself is any map there."""

    def fields(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a model."""
        required = schema.get("required", ())
        return {
            f"property_{number}": self._field(name, part, is_required=name in required)
            for number, (name, part) in enumerate(schema["properties"].items())
        }

    def _field(self, name: str, schema: Mapping[str, Any], *, is_required: bool) -> tuple[Any, Any]:
        annotation = self._of(schema)
        extra = {key: value for key, value in schema.items() if key in ("deprecated", "doNotSuggest", "default")}
        described: dict[str, Any] = {"alias": name, "description": schema.get("description")}
        if extra:
            described["json_schema_extra"] = extra
        if is_required:
            return annotation, Field(**described)
        return annotation | None, Field(None, **described)

    def _of(self, schema: Mapping[str, Any]) -> Any:
        if schema.get("$dynamic"):
            choices = schema.get("anyOf")
            rendered: Any = self._static(schema if choices is None else choices[0])
            return Property[rendered]
        return self._static(schema)

    def _static(self, schema: Mapping[str, Any]) -> Any:
        if "$ref" in schema:
            return self._model(schema["$ref"].rpartition("/")[2])
        if choices := schema.get("anyOf"):
            return reduce(operator.or_, (self._of(choice) for choice in choices))
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if values is not None:
            return Literal[tuple(values)]
        constraints = {_CONSTRAINTS[key]: value for key, value in schema.items() if key in _CONSTRAINTS}
        found = self._unconstrained(schema)
        return Annotated[found, Field(**constraints)] if constraints else found

    def _unconstrained(self, schema: Mapping[str, Any]) -> Any:
        name = schema.get("type")
        if name == "array":
            return list[self._of(schema.get("items", {}))]  # type: ignore[misc]  # a type that is made here
        if name == "object":
            inner = schema.get("additionalProperties")
            return dict[str, self._of(inner) if isinstance(inner, dict) else Any]  # type: ignore[misc]  # as above
        return _SCALARS.get(name, Any) if isinstance(name, str) else Any

    def _model(self, name: str) -> Any:
        schema = self._definitions[name]
        if "properties" not in schema:
            return self._static(schema)
        if name in self._open:
            return dict[str, Any]
        self._open.append(name)
        try:
            return create_model(name, __base__=PluginModel, **self.fields(schema))
        finally:
            self._open.pop()

"""What every plugin has to keep to, as tests its author inherits. Implements PLG-057."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic.fields import FieldInfo

from penstock.model.parsing import parse_flow
from penstock.model.registry import TypeEntry, TypeKind, TypeRegistry
from penstock.model.schema import type_schema
from penstock.sdk import MetricNote
from penstock.sdk.discovery import classes_of
from penstock.services.plugin_packages import texts_of, type_icon
from penstock.wiring.plugins import load_plugins

_EXAMPLE = re.compile(r"```ya?ml\n(.*?)```", re.DOTALL)
_HEAD = "id: example\nnamespace: company.team\n"
_TASK = "tasks:\n  - id: example_task\n    type: io.kestra.plugin.core.log.Log\n    message: Hello\n"
GROUPS = ("main", "connection", "source", "processing", "execution", "destination", "reliability", "advanced")
_IN_FLOWS = (TypeKind.TASK, TypeKind.TRIGGER)


class PluginContract:
    """Checks of all types of a plugin.

    class TestPlugin(PluginContract):
        types = TYPES
    """

    types: ClassVar[Sequence[Any]] = ()
    """The types, as the plugin's entry point lists them."""

    def test_types_live_beside_the_built_in_ones(self) -> None:
        """Names are there, unique, and not those of built-in types."""
        assert self._entries(), "the plugin has no types: set `types`"
        assert load_plugins((), types=self.types).registry.find(self._entries()[0].name) is not None

    def test_types_say_what_they_are_for(self) -> None:
        """The docstring is the documentation."""
        assert [one.name for one in self._entries() if not (inspect.getdoc(one.cls) or "").strip()] == []

    def test_types_describe_each_property(self) -> None:
        """Editors and forms show the descriptions."""
        missing = [
            f"{one.name}: {name}"
            for one in self._entries()
            for name, field in one.cls.model_fields.items()
            if name in _own(one) and not field.description
        ]
        assert missing == []

    def test_types_put_each_property_into_a_group(self) -> None:
        """Forms show properties by group: `Field(json_schema_extra={"group": "main"})` (PLG-046)."""
        missing = [
            f"{one.name}: {name}"
            for one in self._entries()
            for name, field in one.cls.model_fields.items()
            if name in _own(one) and not _group(field)
        ]
        assert not missing, f"{missing}: set json_schema_extra to a group, such as one of {', '.join(GROUPS)}"

    def test_types_tell_of_each_metric_they_record(self) -> None:
        """`type_metrics` has a note for each name that `counter`, `timer` and `gauge` are called with (PLG-045)."""
        untold = [
            f"{one.name}: {name}"
            for one in self._entries()
            for name in sorted(_recorded(one.cls) - {note.name for note in _notes(one)})
        ]
        assert not untold, f"{untold}: add a MetricNote to `type_metrics`"
        unexplained = [
            f"{one.name}: {note.name}" for one in self._entries() for note in _notes(one) if not note.description
        ]
        assert not unexplained, f"{unexplained}: say in `type_metrics` what they count"

    def test_types_have_a_schema(self) -> None:
        """Each property must be one JSON Schema can tell."""
        for entry in self._entries():
            assert type_schema(entry)["properties"]

    def test_types_have_an_example_and_each_is_a_valid_flow(self) -> None:
        """Examples are the fenced YAML blocks of the docstring: whole flows, or their `tasks` or `triggers`."""
        registry = self._registry()
        for entry in self._entries():
            examples = _EXAMPLE.findall(inspect.getdoc(entry.cls) or "")
            assert examples, f"{entry.name} has no example: put a ```yaml block into its docstring"
            for example in examples:
                problems = parse_flow(_whole(example), registry).errors
                assert problems == [], f"{entry.name}: {[str(one.message) for one in problems]} in\n{example}"

    def test_package_has_an_icon_and_says_what_it_is_about(self) -> None:
        """`icons/plugin-icon.svg` and `metadata/index.yaml` lie in the package's folder (PLG-041, PLG-044)."""
        texts = texts_of(self._entries()[0].cls)
        for entry in self._entries():
            assert type_icon(texts, entry.name), f"{entry.name} has no icon: add icons/plugin-icon.svg to the package"
        assert "metadata/index.yaml" in texts, "add metadata/index.yaml, with `group`, `title` and `description`"

    def test_repository_has_a_read_me_and_flows_with_the_types(self) -> None:
        """`README.md` lies beside `pyproject.toml`, and `tests/flows` has valid flows that use each type."""
        root = _root(inspect.getfile(type(self)))
        assert (root / "README.md").is_file(), "add README.md, which says what the plugin does and how to work on it"
        flows = [path.read_text() for path in sorted((root / "tests" / "flows").glob("*.y*ml"))]
        problems = [str(one) for flow in flows for one in parse_flow(flow, self._registry()).errors]
        assert not problems, f"{problems} in tests/flows"
        unused = [
            one.name for one in self._entries() if one.kind in _IN_FLOWS and not any(one.name in flow for flow in flows)
        ]
        assert not unused, f"{unused}: let a flow in tests/flows use them"

    def _entries(self) -> list[TypeEntry]:
        return [TypeEntry.of(one, "plugin") for one in classes_of(self.types)]

    def _registry(self) -> TypeRegistry:
        return load_plugins((), types=self.types).registry


def _group(field: FieldInfo) -> object:
    extra = field.json_schema_extra
    return extra.get("group") if isinstance(extra, dict) else None


def _notes(entry: TypeEntry) -> Sequence[MetricNote]:
    notes: Sequence[MetricNote] = getattr(entry.cls, "type_metrics", ())
    return notes


def _recorded(cls: type[Any]) -> set[str]:
    """Return the names of metrics that the code of a type records, as far as they are written there."""
    parts = [base for base in cls.__mro__ if not base.__module__.startswith(("penstock.", "pydantic.", "builtins"))]
    called = [called] if (called := getattr(cls, "called", None)) else []
    trees = [ast.parse(textwrap.dedent(source)) for part in (*parts, *called) if (source := _source(part))]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("counter", "timer", "gauge")
        if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }


def _source(part: Any) -> str:
    try:
        return inspect.getsource(part)
    except (OSError, TypeError):  # what a decorator has made has none
        return ""


def _root(file: str) -> Path:
    """Return the folder of the repository that a file belongs to."""
    found = next((one for one in Path(file).resolve().parents if (one / "pyproject.toml").is_file()), None)
    assert found is not None, "there is no pyproject.toml above the tests"
    return found


def _own(entry: TypeEntry) -> set[str]:
    """Return the properties the plugin adds to those every task or trigger has."""
    inherited = [base for base in entry.cls.__mro__[1:] if base.__module__.startswith("penstock.")]
    shared = {name for base in inherited for name in getattr(base, "model_fields", {})}
    return set(entry.cls.model_fields) - shared


def _whole(example: str) -> str:
    """Return an example as a whole flow."""
    text = example if re.search(r"^id:", example, re.MULTILINE) else _HEAD + example
    return text if re.search(r"^tasks:", text, re.MULTILINE) else text + _TASK

"""What every plugin has to keep to, as tests its author inherits. Implements PLG-057 in part."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any, ClassVar

from penstock.model.parsing import parse_flow
from penstock.model.registry import TypeEntry, TypeRegistry
from penstock.model.schema import type_schema
from penstock.sdk.discovery import classes_of
from penstock.services.plugin_packages import texts_of, type_icon
from penstock.wiring.plugins import load_plugins

_EXAMPLE = re.compile(r"```ya?ml\n(.*?)```", re.DOTALL)
_HEAD = "id: example\nnamespace: company.team\n"
_TASK = "tasks:\n  - id: example_task\n    type: io.kestra.plugin.core.log.Log\n    message: Hello\n"


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

    def _entries(self) -> list[TypeEntry]:
        return [TypeEntry.of(one, "plugin") for one in classes_of(self.types)]

    def _registry(self) -> TypeRegistry:
        return load_plugins((), types=self.types).registry


def _own(entry: TypeEntry) -> set[str]:
    """Return the properties the plugin adds to those every task or trigger has."""
    inherited = [base for base in entry.cls.__mro__[1:] if base.__module__.startswith("penstock.")]
    shared = {name for base in inherited for name in getattr(base, "model_fields", {})}
    return set(entry.cls.model_fields) - shared


def _whole(example: str) -> str:
    """Return an example as a whole flow."""
    text = example if re.search(r"^id:", example, re.MULTILINE) else _HEAD + example
    return text if re.search(r"^tasks:", text, re.MULTILINE) else text + _TASK

"""The index of the built-in types, which servers read instead of importing them."""

from __future__ import annotations

import subprocess
import sys

from penstock.model.registry import TypeKind
from penstock.wiring.plugins import load_plugins
from scripts import builtin_types


def test_builtin_types_index_and_documentation_say_what_the_classes_say() -> None:
    types, hint = builtin_types.entries(), "run `python -m scripts.builtin_types`"
    assert builtin_types.INDEX.read_text(encoding="utf-8") == builtin_types.index(types), hint
    assert builtin_types.PAGE.read_text(encoding="utf-8") == builtin_types.page(types), hint


def test_builtin_types_class_of_each_is_the_one_that_bears_its_name() -> None:
    registry = load_plugins([]).registry
    entries = [entry for kind in TypeKind for entry in registry.of_kind(kind)]
    assert len(entries) > 200
    assert [one.name for one in entries if getattr(one.cls, "type_name", "") != one.name] == []


def test_builtin_types_modules_are_imported_when_a_type_is_first_used() -> None:
    code = """
import sys
from penstock.services.plugins import is_deprecated, title_of
from penstock.wiring.plugins import load_plugins
found = load_plugins([]).registry.find("io.kestra.plugin.jdbc.postgresql.Query")
assert title_of(found.entry) and not is_deprecated(found.entry)
before = [name for name in sys.modules if name.startswith("penstock.builtin.")]
print(before, found.entry.cls.__module__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] penstock.builtin.jdbc.postgresql\n"

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from penstock.wiring.plugins import GROUP, load_plugins

GOOD = """
from penstock.sdk import Task

class Reverse(Task):
    type_name = "org.example.Reverse"
    text: str = ""

TYPES = [Reverse]
"""
TAKEN = GOOD.replace("org.example.Reverse", "io.kestra.plugin.core.log.Log")


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def point(name: str) -> EntryPoint:
    return EntryPoint(name, name, GROUP)


def test_plugins_types_of_entry_points_are_found(modules: Path) -> None:
    (modules / "good_plugin.py").write_text(GOOD)
    plugins = load_plugins([point("good_plugin")])
    assert plugins.registry.find("org.example.Reverse") is not None
    assert plugins.registry.find("io.kestra.plugin.core.log.Log") is not None
    assert plugins.broken == ()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nothing_of_that_name", "nothing_of_that_name"),
        ("TYPES = 3", "names neither classes"),
        (TAKEN, "io.kestra.plugin.core.log.Log is declared by"),
        ("raise SystemError('boom')", "boom"),
    ],
)
def test_plugins_broken_one_is_named_and_the_others_work(modules: Path, source: str, reason: str) -> None:
    (modules / "broken_plugin.py").write_text(source)
    (modules / "good_plugin.py").write_text(GOOD)
    plugins = load_plugins([point("broken_plugin"), point("good_plugin")])
    (broken,) = plugins.broken
    assert broken.name == "broken_plugin"
    assert reason in broken.reason
    assert plugins.registry.find("org.example.Reverse") is not None

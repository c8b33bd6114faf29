from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest

from penstock.model.parsing import parse_flow
from penstock.model.registry import TypeKind
from penstock.model.schema import type_schema
from penstock.sdk.discovery import GROUP
from penstock.services.plugin_packages import group_of, group_page, plugin_page
from penstock.services.plugins import PluginCatalogue
from penstock.wiring.plugins import load_plugins
from penstock.wiring.version import penstock_version

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


def installed(folder: Path, name: str, requires: str) -> EntryPoint:
    """Make a distribution with one module that is a plugin."""
    (folder / f"{name}.py").write_text(GOOD)
    information = folder / f"{name}-1.2.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\nRequires-Dist: {requires}\n"
    )
    (information / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {name}\n")
    [found] = Distribution.at(information).entry_points
    return found


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


def test_plugins_one_that_needs_another_release_is_left_out_and_flows_say_so(modules: Path) -> None:
    """PLG-006."""
    plugins = load_plugins([installed(modules, "later_plugin", "penstock>=99")])
    (broken,) = plugins.broken
    assert "it needs penstock>=99, and this is " in str(broken)
    flow = "id: a\nnamespace: b\ntasks: [{id: r, type: org.example.Reverse}]"
    (problem,) = parse_flow(flow, plugins.registry).errors
    assert "later_plugin" in problem.message
    assert "penstock>=99" in problem.message


@pytest.mark.parametrize(
    ("requires", "is_there"),
    [
        ("penstock", True),
        ("penstock>=0.0.1,<99", True),
        ("Penstock[aws]~={version}", True),
        ("penstock=={version}", True),
        ("penstock!={version}", False),
        ("penstock<0.0.1", False),
        ("penstock>99; python_version < '3'", True),
    ],
)
def test_plugins_range_of_releases_decides(modules: Path, requires: str, is_there: bool) -> None:
    """PLG-006."""
    plugins = load_plugins([installed(modules, "ranged_plugin", requires.format(version=penstock_version()))])
    assert (plugins.registry.find("org.example.Reverse") is not None) == is_there
    assert bool(plugins.broken) != is_there


def test_plugins_one_that_fits_this_release_is_there_with_its_version(modules: Path) -> None:
    """PLG-006, PLG-041."""
    plugins = load_plugins([installed(modules, "fitting_plugin", "penstock>=0.1")])
    assert plugins.broken == ()
    assert plugins.versions["fitting_plugin"] == "1.2"
    assert plugins.registry.find("org.example.Reverse") is not None


async def test_plugins_icon_of_a_package_stands_for_its_types(modules: Path) -> None:
    """PLG-044."""
    package = modules / "drawn_plugin"
    (package / "icons").mkdir(parents=True)
    (package / "__init__.py").write_text(GOOD)
    (package / "icons" / "plugin-icon.svg").write_text("<svg/>")
    catalogue = PluginCatalogue(load_plugins([point("drawn_plugin")]).registry)
    assert (await catalogue.icons())["org.example.Reverse"] == "<svg/>"
    (package / "icons" / "org.example.Reverse.svg").write_text("<svg>own</svg>")
    assert (await catalogue.icons())["org.example.Reverse"] == "<svg>own</svg>"
    assert (await catalogue.group_icons())["org.example"] == "<svg/>"


async def test_plugins_package_says_what_it_is_about(modules: Path) -> None:
    """PLG-041, PLG-042, PLG-043: of the whole, and of a part of its names."""
    package = modules / "told_plugin"
    for name, text in {
        "__init__.py": GOOD.replace("org.example.Reverse", "org.example.text.Reverse"),
        "metadata/index.yaml": "group: org.example\ntitle: Examples\ndescription: What shows something.\n",
        "metadata/text.yaml": "title: Texts\ncategories: [CORE]\n",
        "doc/org.example.md": "# Long\n",
        "doc/guides/begin.md": "# Begin\n",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    texts = (await PluginCatalogue(load_plugins([point("told_plugin")]).registry).texts())["told-plugin"]
    whole, part = plugin_page(texts, "told-plugin"), group_page(texts, "org.example.text")
    assert (whole.title, whole.description, whole.categories) == ("Examples", "What shows something.", ("MISC",))
    assert (whole.long_description, whole.guides) == ("# Long\n", ("begin",))
    assert (part.title, part.categories, part.long_description) == ("Texts", ("CORE",), None)
    assert group_of(texts, "told-plugin") == "org.example"
    assert group_page({}, "org.other").title == "other"


async def test_plugins_every_built_in_type_has_an_icon() -> None:
    """PLG-044."""
    plugins = load_plugins([])
    icons = await PluginCatalogue(plugins.registry).icons()
    assert [one.name for kind in TypeKind for one in plugins.registry.of_kind(kind) if one.name not in icons] == []
    assert all(icon.startswith("<svg ") for icon in icons.values())


@pytest.mark.parametrize(
    ("name", "metrics"),
    [
        ("io.kestra.plugin.core.debug.Return", ["length", "duration"]),
        ("io.kestra.plugin.core.http.Download", ["response.length"]),
        ("io.kestra.plugin.jdbc.sqlite.Query", ["fetch.size"]),
        ("io.kestra.plugin.jdbc.postgresql.CopyIn", ["rows"]),
        ("io.kestra.plugin.serdes.csv.CsvToIon", ["records"]),
        ("io.kestra.plugin.mqtt.Publish", ["records"]),
    ],
)
def test_plugins_built_in_types_say_their_metrics(name: str, metrics: list[str]) -> None:
    """PLG-045."""
    found = load_plugins([]).registry.find(name)
    assert found is not None
    assert [one["name"] for one in type_schema(found.entry)["properties"]["$metrics"]] == metrics

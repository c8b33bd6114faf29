"""`penstock plugin new`: the package it writes passes its own tests; `plugins doc` tells what types are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command


def own_tests(package: Path, *more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    kept["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # authors have pytest alone
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more]
    return subprocess.run(command, cwd=package, env=kept, capture_output=True, text=True, timeout=110)


def test_new_plugin_passes_its_own_tests_and_fails_when_an_example_is_wrong(penstock: Command) -> None:
    """PLG-002, PLG-005, PLG-053, PLG-054, PLG-056, PLG-057."""
    done = penstock("plugin", "new", "weather-station", "--prefix", "com.acme.weather")
    assert done.code == 0, done.err
    package = penstock.folder / "penstock-weather-station"
    assert done.out.strip() == package.name
    workflows = package / ".github" / "workflows"
    assert "pytest" in (workflows / "test.yml").read_text()
    assert "v*" in (workflows / "release.yml").read_text()
    tests = own_tests(package)
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert "12 passed" in tests.stdout
    reverse = package / "src" / "penstock_weather_station" / "reverse.py"
    reverse.write_text(reverse.read_text().replace('text: "{{ flow.id }}"', 'txt: "{{ flow.id }}"'))
    broken = own_tests(package, "tests/test_types.py")
    assert broken.returncode == 1
    assert "com.acme.weather.Reverse" in broken.stdout


def test_new_plugin_is_found_by_its_entry_point(penstock: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """PLG-001, PLG-003, PLG-055: as a folder of installed distributions, which `--plugins` names."""
    assert penstock("plugin", "new", "weather").code == 0
    source = penstock.folder / "penstock-weather" / "src"
    information = source / "penstock_weather-0.1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: penstock-weather\nVersion: 0.1.0\n")
    (information / "entry_points.txt").write_text("[penstock.plugins]\nweather = penstock_weather\n")
    listed = json.loads(penstock("plugins", "list", "--json", "--plugins", str(source)).out)
    mine = {one["type"]: one["plugin"] for one in listed if one["plugin"] != "penstock"}
    assert mine == dict.fromkeys(("org.example.weather.Count", "org.example.weather.Reverse"), "penstock-weather")


@pytest.mark.parametrize("arguments", [["Weather!"], ["weather", "--prefix", "weather"], ["there"]])
def test_new_plugin_that_cannot_be_made_says_why(penstock: Command, arguments: list[str]) -> None:
    """PLG-005."""
    (penstock.folder / "penstock-there").mkdir()
    done = penstock("plugin", "new", *arguments)
    assert done.code == 1
    assert "hint:" in done.err


def test_doc_of_a_type_is_markdown_or_schema(penstock: Command) -> None:
    """PLG-049."""
    name = "io.kestra.plugin.core.log.Log"
    page = penstock("plugins", "doc", "--plugin", name).out
    assert page.startswith(f"# {name}\n\nWrite one line")
    assert "| `message` | yes | The text" in page
    assert penstock("plugins", "doc", "--plugin", "io.kestra.plugin.core.log", "--output", "log.json").code == 0
    schemas = json.loads((penstock.folder / "log.json").read_text())
    assert name in schemas
    assert all(one.startswith("io.kestra.plugin.core.log.") for one in schemas)
    assert penstock("plugins", "doc", "--plugin", "nothing").code == 1

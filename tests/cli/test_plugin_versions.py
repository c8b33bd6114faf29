"""`penstock plugins install` and `uninstall`: real packages, installed by pip, used by `penstock run`."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

import pytest

from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.wiring.plugin_versions import PluginVersions, requirement_of
from tests.cli.conftest import Command

SOURCE = """
from penstock.sdk import task
from forecast_library import WEATHER


@task("org.example.weather.Forecast")
def forecast(place: str) -> str:
    \"\"\"Say what the weather will be.\"\"\"
    return f"{WEATHER} in {place}"
"""
FLOW = """
id: weather
namespace: team
tasks:
  - {id: newest, type: org.example.weather.Forecast, place: Oslo}
  - {id: older, type: org.example.weather.Forecast, place: Oslo, version: "1.0"}
outputs:
  - {id: both, type: STRING, value: "{{ outputs.newest.value }}, {{ outputs.older.value }}"}
"""


def wheel(folder: Path, name: str, version: str, files: Mapping[str, str], metadata: str = "") -> None:
    """Make a wheel."""
    information = f"{name}-{version}.dist-info"
    contents = {
        **files,
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        record = []
        for path, text in contents.items():
            file.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
            record.append(f"{path},sha256={digest},{len(text.encode())}")
        file.writestr(f"{information}/RECORD", "\n".join([*record, f"{information}/RECORD,,"]))


def plugin(folder: Path, version: str, library: str) -> None:
    """Make a plugin that needs one version of a library, and the library."""
    points = {f"penstock_forecast-{version}.dist-info/entry_points.txt": "[penstock.plugins]\nf = forecast:forecast\n"}
    needs = f"Requires-Dist: penstock\nRequires-Dist: forecast_library=={library}\n"
    wheel(folder, "penstock_forecast", version, {"forecast.py": SOURCE, **points}, needs)
    wheel(folder, "forecast_library", library, {"forecast_library.py": f"WEATHER = 'weather {library}'\n"})


def test_two_versions_that_need_different_libraries_run_in_one_flow(penstock: Command) -> None:
    """PLG-007, PLG-008, PLG-055, ENG-321, ENG-322, GOV-375, GOV-379: penstock itself is not installed again."""
    packages, home = penstock.folder / "packages", penstock.folder / "environments"
    packages.mkdir()
    plugin(packages, "1.0", "0.5")
    for name in ("penstock_forecast-1.0", "forecast_library-0.5"):  # as if somebody had installed it before
        with ZipFile(packages / f"{name}-py3-none-any.whl") as file:
            file.extractall(home / "penstock-forecast" / "1.0" / "lib")
    plugin(packages, "2.0", "0.7")
    environment = {
        "KESTRA_PLUGINS_MANAGEMENT_LOCAL_REPOSITORY_PATH": str(home),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(packages),
    }
    installed = penstock(
        *("plugins", "install", "org.example:penstock-forecast:LATEST", "forecast_library"), environment=environment
    )
    assert installed.out == "installed penstock-forecast 2.0\n", installed.err
    assert installed.code == 1
    assert "forecast_library is no plugin" in installed.err
    assert not list(home.rglob("pydantic"))
    (penstock.folder / "weather.yaml").write_text(FLOW)
    ran = penstock("run", "weather.yaml", "--json", environment=environment)
    assert json.loads(ran.out)["outputs"] == {"both": "weather 0.7 in Oslo, weather 0.5 in Oslo"}, ran.err
    versions = PluginVersions(home)
    assert [str(one) for one in versions.uninstall("penstock-forecast==1.0")] == ["penstock-forecast 1.0"]
    assert [str(one) for one in versions.installed()] == ["penstock-forecast 2.0"]
    with pytest.raises(NotFoundError, match="is not installed"):
        versions.uninstall("penstock-forecast==1.0")


@pytest.mark.parametrize("text", ["", "a b", "--index-url=x", "a:b:c:d"])
def test_what_names_no_plugin_is_refused(text: str) -> None:
    """ENG-322."""
    with pytest.raises(InvalidRequestError, match="names no plugin"):
        requirement_of(text)


def test_wheels_in_the_folder_of_plugins_are_read_as_they_are(penstock: Command) -> None:
    """PLG-003, PLG-055, OPS-075."""
    (penstock.folder / "plugins").mkdir()
    plugin(penstock.folder / "plugins", "1.0", "0.5")
    listed = json.loads(penstock("plugins", "list", "--json", "--plugins", "plugins").out)
    [mine] = [one for one in listed if one["plugin"] != "penstock"]
    assert mine == {
        "type": "org.example.weather.Forecast",
        "kind": "tasks",
        "plugin": "penstock-forecast",
        "versions": ["1.0"],
    }

"""The built wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PENSTOCK_SKIP_UI": "1"}, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("penstock-*.whl")))


def test_wheel_contains_the_package_its_types_and_the_licence(wheel: zipfile.ZipFile) -> None:
    names = {name.split("dist-info/")[-1] for name in wheel.namelist()}
    assert {"penstock/__init__.py", "penstock/py.typed", "licenses/LICENSE", "licenses/NOTICE"} <= names


def test_wheel_contains_nothing_but_the_package(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"penstock"}


def test_wheel_installs_both_names_of_the_command(wheel: zipfile.ZipFile) -> None:
    entry_points = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    scripts = wheel.read(entry_points).decode().splitlines()
    assert {"penstock = penstock.__main__:main", "kestra = penstock.__main__:main"} <= set(scripts)

"""Building the web interface, shown on a small interface with a real npm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.tooling import node_directory
from scripts.ui_build import NodeMissingError, build, is_current, source_hash

BUILD = "fs.mkdirSync('dist', {recursive: true}); fs.writeFileSync('dist/index.html', process.version)"


@pytest.fixture
def interface(tmp_path: Path) -> Path:
    ui = tmp_path / "ui"
    ui.mkdir()
    package = {"name": "small", "version": "1.0.0"}
    (ui / "package.json").write_text(json.dumps(package | {"scripts": {"build": f'node -e "{BUILD}"'}}))
    (ui / "package-lock.json").write_text(json.dumps(package | {"lockfileVersion": 3, "packages": {"": package}}))
    return ui


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "package" / "_ui"


@pytest.fixture
def node() -> Path:
    found = node_directory()
    assert found is not None, "run `make setup`"
    return found


def test_build_of_new_sources_puts_the_result_into_the_package(interface: Path, target: Path, node: Path) -> None:
    assert build(interface, target, node)
    assert (target / "index.html").read_text().startswith("v")
    assert is_current(interface, target)


def test_build_of_unchanged_sources_does_nothing(interface: Path, target: Path, node: Path) -> None:
    build(interface, target, node)
    assert not build(interface, target, None)  # no Node needed either


def test_build_after_a_change_replaces_what_was_there(interface: Path, target: Path, node: Path) -> None:
    build(interface, target, node)
    (target / "old.js").touch()
    (interface / "new.ts").write_text("export {}")
    assert build(interface, target, node)
    assert not (target / "old.js").exists()


def test_build_needed_on_a_machine_without_node_says_what_to_do(interface: Path, target: Path) -> None:
    with pytest.raises(NodeMissingError, match="make setup"):
        build(interface, target, None)


def test_source_hash_after_installing_and_building_is_the_same(interface: Path, target: Path, node: Path) -> None:
    before = source_hash(interface)
    build(interface, target, node)
    assert source_hash(interface) == before


def test_source_hash_after_renaming_a_file_differs(interface: Path) -> None:
    (interface / "a.ts").write_text("")
    before = source_hash(interface)
    (interface / "a.ts").rename(interface / "b.ts")
    assert source_hash(interface) != before

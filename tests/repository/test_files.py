"""What may not stand in any file of the repository."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Joined here, since this file may not name them either.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("proxy", "golang", "org"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("conda", "anaconda", "org"),
    )
]


def tracked_texts() -> dict[str, str]:
    """Return the text files git knows, by name."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    texts = {}
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink() and b"\0" not in (content := path.read_bytes())[:8000]:
            texts[name] = content.decode("utf-8", errors="replace")
    return texts


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return tracked_texts()


def files_with(pattern: str, texts: dict[str, str]) -> list[str]:
    return [name for name, text in texts.items() if re.search(pattern, text)]


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_tracked_files_searched_for_a_package_registry_name_none(host: str, texts: dict[str, str]) -> None:
    assert files_with(rf"\b{re.escape(host)}\b", texts) == []


def test_tracked_files_searched_for_the_package_source_of_this_machine_name_none(texts: dict[str, str]) -> None:
    configured = [os.environ.get(name, "") for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "NPM_CONFIG_REGISTRY")]
    for config in (Path("/etc/pip.conf"), Path.home() / ".config/pip/pip.conf", Path.home() / ".npmrc"):
        if config.is_file():
            configured += re.findall(r"https?://\S+", config.read_text())
    hosts = {urlsplit(address).hostname for address in configured if address} - {None, "localhost", "127.0.0.1"}
    assert {str(host): files_with(re.escape(str(host)), texts) for host in hosts} == {str(host): [] for host in hosts}


def test_tracked_files_searched_for_this_folder_do_not_depend_on_it(texts: dict[str, str]) -> None:
    assert len(ROOT.parts) < 3 or files_with(rf"{re.escape(str(ROOT))}(?![\w-])", texts) == []


def test_tracked_files_searched_for_conflict_markers_have_none(texts: dict[str, str]) -> None:
    assert files_with(r"(?m)^(<{7} |>{7} )", texts) == []


def test_npm_lock_read_as_json_names_no_addresses_and_every_hash() -> None:
    lock = json.loads((ROOT / "ui" / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name and not entry.get("link")}
    assert packages
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if "integrity" not in entry and not entry.get("inBundle")] == []


def test_licence_named_in_the_package_is_the_one_in_the_repository() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()

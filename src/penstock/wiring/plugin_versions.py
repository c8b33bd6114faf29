"""Plugins in environments of their own: a folder with one for each version, put there by an installer, found at start.

`FOLDER/<plugin>/<version>/lib` holds the packages, `manifest.json` beside it what the server knows of their types.
Implements ENG-322, PLG-007, GOV-375.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError
from penstock.model.registry import TypeEntry, TypeKind
from penstock.sdk.discovery import GROUP
from penstock.services.isolation.classes import class_of
from penstock.services.isolation.manifest import Manifest
from penstock.services.isolation.process import PluginBroken, Processes, Program
from penstock.wiring.version import penstock_version

_LIBRARIES, _MANIFEST, _MAKING = "lib", "manifest.json", ".making-"
_LATEST = "LATEST"
_COORDINATE = re.compile(r"(?:(?P<group>[\w.-]+):)?(?P<name>[\w.-]+):(?P<version>[\w.+!-]+)")
_LONGEST_INSTALLATION = 900.0


class PluginNotInstalled(ConflictError):
    """The installer has failed, or what it installed is no plugin."""

    code = "PLUGIN_NOT_INSTALLED"


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """One version of a plugin in an environment of its own."""

    name: str
    version: str
    folder: Path

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def libraries(self) -> Path:
        """The folder with its packages."""
        return self.folder / _LIBRARIES

    @property
    def distribution(self) -> Distribution | None:
        """What its package says about itself."""
        found = distributions(path=[str(self.libraries)])
        return next((one for one in found if canonicalize_name(one.name) == self.name), None)

    def manifest(self, program: Program) -> Manifest:
        """Return its types, written down by the release that runs or learned anew.

        Raises:
            PluginBroken: It cannot be imported.
        """
        file = self.folder / _MANIFEST
        try:
            kept = msgspec.json.decode(file.read_bytes(), type=Manifest)
            if kept.made_by == penstock_version():
                return kept
        except (OSError, msgspec.DecodeError):
            pass
        text = program.describe(penstock_version())
        try:
            made = msgspec.json.decode(text, type=Manifest)
        except msgspec.DecodeError as error:
            raise PluginBroken(f"{self} cannot be read: {error}") from None
        file.write_bytes(text)
        return made

    def entries(self) -> tuple[list[TypeEntry], Manifest, Processes]:
        """Return its types, as classes that stand for them, and the processes that do their work.

        Raises:
            PluginBroken: It cannot be imported.
        """
        program = Program(str(self), self.libraries)
        manifest, processes = self.manifest(program), Processes(program)
        entries = [
            TypeEntry(
                described.name,
                TypeKind.TASK if described.flavour == "task" else TypeKind.TRIGGER,
                class_of(described, manifest.texts, processes),
                described.aliases,
                self.name,
                self.version,
                is_isolated=True,
            )
            for described in manifest.types
        ]
        return entries, manifest, processes


class PluginVersions:
    """The folder of the plugins that have environments of their own.

    Args:
        folder: Where they are; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def installed(self) -> list[InstalledPlugin]:
        """Return what is there, by name, the oldest version first; whatever else lies in the folder is passed over."""
        found = [
            InstalledPlugin(name.name, version.name, version)
            for name in _folders(self._folder)
            for version in _folders(name)
            if (version / _LIBRARIES).is_dir() and _is_version(version.name)
        ]
        return sorted(found, key=lambda one: (one.name, Version(one.version)))

    def install(self, wanted: str, *, sources: Sequence[str] = ()) -> InstalledPlugin:
        """Install a plugin beside the versions of it that are there.

        Args:
            wanted: `name`, `name==1.2`, `group:name:1.2`, `group:name:LATEST`, or the path of a wheel.
            sources: Folders with packages, and addresses of indexes, beside those that pip knows.

        Raises:
            InvalidRequestError: That names nothing that could be installed.
            PluginNotInstalled: The installer failed, or what it installed is no plugin.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_MAKING, dir=self._folder, ignore_cleanup_errors=True) as parent:
            making = Path(parent, "made")
            plugin = _made(making, wanted, _options(sources))
            target = self._folder / plugin.name / plugin.version
            target.parent.mkdir(exist_ok=True)
            if target.exists():
                raise ConflictError(f"{plugin} is installed already", hint="uninstall it first, to install it anew")
            making.rename(target)
        return InstalledPlugin(plugin.name, plugin.version, target)

    def uninstall(self, wanted: str) -> list[InstalledPlugin]:
        """Remove a version of a plugin, or all of them, and return what was removed.

        Raises:
            NotFoundError: It is not installed.
        """
        requirement = requirement_of(wanted)
        name = canonicalize_name(requirement.name)
        gone = [
            one for one in self.installed() if one.name == name and requirement.specifier.contains(one.version, True)
        ]
        if not gone:
            raise NotFoundError(f"{wanted} is not installed", hint="`penstock plugins list` names what is")
        for one in gone:
            shutil.rmtree(one.folder)
        return gone


def _is_version(text: str) -> bool:
    """Return whether a text is a version."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def requirement_of(text: str) -> Requirement:
    """Return what `name==1.2` or a coordinate such as `group:name:1.2` asks for (OPS-072, GOV-375).

    Raises:
        InvalidRequestError: It is neither.
    """
    coordinate = _COORDINATE.fullmatch(text.strip())
    if coordinate is not None:
        version = coordinate["version"]
        text = coordinate["name"] if version.upper() == _LATEST else f"{coordinate['name']}=={version}"
    try:
        return Requirement(text)
    except InvalidRequirement:
        raise InvalidRequestError(
            f"`{text}` names no plugin", hint="write `name`, `name==1.2`, or `group:name:1.2`"
        ) from None


def _made(folder: Path, wanted: str, options: Sequence[str]) -> InstalledPlugin:
    """Install a plugin into a folder, with its dependencies but without the server, which is there already."""
    libraries = folder / _LIBRARIES
    named = str(Path(wanted).resolve()) if wanted.endswith(".whl") else str(requirement_of(wanted))
    _pip([named], libraries, [*options, "--no-deps"])
    [distribution, *others] = distributions(path=[str(libraries)])
    if others or not distribution.entry_points.select(group=GROUP):
        raise PluginNotInstalled(f"{named} is no plugin", hint=f"a plugin has an entry point in the group `{GROUP}`")
    needed = [one for one in _needed(distribution) if canonicalize_name(one.name) != "penstock"]
    if needed:
        _pip([str(one) for one in needed], libraries, options)
    plugin = InstalledPlugin(canonicalize_name(distribution.name), distribution.version, folder)
    plugin.manifest(Program(str(plugin), libraries))
    return plugin


def _options(sources: Sequence[str]) -> list[str]:
    return [
        option
        for source in sources
        for option in (("--find-links", source) if Path(source).is_dir() else ("--extra-index-url", source))
    ]


def _needed(distribution: Distribution) -> Iterator[Requirement]:
    for one in map(Requirement, distribution.requires or ()):
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            one.marker = None
            yield one


def _pip(arguments: Sequence[str], target: Path, options: Sequence[str]) -> None:
    quiet = ["--quiet", "--no-compile", "--disable-pip-version-check", "--no-input", "--no-warn-script-location"]
    command = [sys.executable, "-m", "pip", "install", *quiet, *options, "--target", str(target), "--", *arguments]
    done = subprocess.run(  # noqa: S603 - the server's own interpreter
        command, capture_output=True, text=True, timeout=_LONGEST_INSTALLATION, check=False
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"pip ended with exit code {done.returncode}"]
        raise PluginNotInstalled(
            f"{' '.join(arguments[-1:])} cannot be installed: {lines[-1]}",
            hint="correct name and version, or see whether the package index can be reached",
        )


def _folders(folder: Path) -> Iterable[Path]:
    if not folder.is_dir():
        return ()
    return (one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))

"""Whether Python, the libraries and the plugins are those this release works with."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from penstock.wiring.doctor.findings import Finding, Patient, Subject
from penstock.wiring.plugin_plan import plugin_plan
from penstock.wiring.plugins import load_plugins
from penstock.wiring.version import version_line

_SUBJECT = Subject("versions")
_OLDEST = (3, 11)


def check_versions(patient: Patient) -> Iterator[Finding]:
    """Look at Python, the libraries and the plugins."""
    if sys.version_info < _OLDEST:
        yield _SUBJECT.failure(
            f"Python {platform.python_version()} is too old, 3.11 is needed", "uv python install 3.13"
        )
    yield _SUBJECT.ok(version_line())
    yield from unmet(requires("penstock") or ())
    for broken in load_plugins(plan=plugin_plan(patient.configuration.settings)).broken:
        yield _SUBJECT.warning(str(broken), f"python -m pip install --upgrade {shlex.quote(broken.distribution)}")


def unmet(requirements: Iterable[str]) -> Iterator[Finding]:
    """Yield the requirements that what is installed does not meet; those of extras are left out."""
    for requirement in map(Requirement, requirements):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        remedy = f"python -m pip install {shlex.quote(f'{requirement.name}{requirement.specifier}')}"
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            yield _SUBJECT.failure(f"the library {requirement.name} is not installed", remedy)
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            yield _SUBJECT.failure(
                f"{requirement.name} {found} is installed; {requirement.specifier} is needed", remedy
            )

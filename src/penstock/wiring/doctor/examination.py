"""All checks, one after the other; one that breaks down is a finding itself and keeps no other from running."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.base.errors import PenstockError
from penstock.wiring.doctor.containers import check_containers
from penstock.wiring.doctor.database import check_database
from penstock.wiring.doctor.findings import Check, Finding, Patient, Subject
from penstock.wiring.doctor.folders import check_permissions, check_storage
from penstock.wiring.doctor.network import check_network
from penstock.wiring.doctor.time_zone import check_time_zone
from penstock.wiring.doctor.versions import check_versions
from penstock.wiring.plan import ALL_ROLES
from penstock.wiring.planning import plan_of

_CONFIGURATION = Subject("configuration")


def examine(patient: Patient) -> Iterator[Finding]:
    """Yield what is found, check by check."""
    for subject, check in _CHECKS:
        try:
            yield from check(patient)
        except Exception as error:  # whatever the machine does: the other checks still tell something
            reason = error.message if isinstance(error, PenstockError) else f"{type(error).__name__}: {error}"
            yield Subject(subject).failure(f"cannot be checked: {reason}", "penstock configs properties")


def _check_configuration(patient: Patient) -> Iterator[Finding]:
    try:
        plan_of(patient.configuration.settings, ALL_ROLES, data=patient.data, environment=patient.environment)
    except PenstockError as error:
        yield _CONFIGURATION.failure(str(error), "penstock configs properties")
        return
    files = ", ".join(str(file) for file in patient.configuration.files)
    yield _CONFIGURATION.ok(f"read from {files}" if files else "no file; environment variables and defaults")
    for warning in patient.configuration.warnings:
        yield _CONFIGURATION.warning(warning, "penstock configs properties")


_CHECKS: tuple[tuple[str, Check], ...] = (
    ("configuration", _check_configuration),
    ("versions", check_versions),
    ("database", check_database),
    ("storage", check_storage),
    ("permissions", check_permissions),
    ("containers", check_containers),
    ("network", check_network),
    ("time zone", check_time_zone),
)

"""Folders: whether they can be written, have room, and let programs start where scripts do."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from penstock.wiring.config.keys import is_secret
from penstock.wiring.doctor.findings import Finding, Patient, Subject
from penstock.wiring.planning import storage_root

_STORAGE, _PERMISSIONS = Subject("storage"), Subject("permissions")
_MEGABYTE = 1024 * 1024
_FULL, _SCARCE = 100 * _MEGABYTE, 1024 * _MEGABYTE


def check_storage(patient: Patient) -> Iterator[Finding]:
    """Look at the folder of internal storage."""
    root = storage_root(patient.configuration.settings, patient.data)
    found = list(room_to_write(_STORAGE, root))
    yield from found or [_STORAGE.ok(f"{root} can be written")]


def check_permissions(patient: Patient) -> Iterator[Finding]:
    """Look at the folder scripts run in, and at who may read the configuration."""
    configured = patient.configuration.settings.kestra.tasks.tmp_dir.path
    folder = Path(configured).expanduser() if configured else Path(tempfile.gettempdir())
    found = list(room_to_write(_PERMISSIONS, folder)) or list(_programs_start(folder))
    yield from found or [_PERMISSIONS.ok(f"scripts can run in {folder}")]
    has_secrets = any(is_secret(path) for path in patient.configuration.values)
    for file in patient.configuration.files:
        if has_secrets and file.stat().st_mode & stat.S_IROTH:
            yield _PERMISSIONS.warning(
                f"everybody may read {file}, which may hold passwords", f"chmod 640 {_quoted(file)}"
            )


def room_to_write(subject: Subject, folder: Path) -> Iterator[Finding]:
    """Yield what keeps files from being written to a folder, which may have to be made first."""
    place = folder.absolute()
    while not place.exists() and not place.is_symlink() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        yield subject.failure(f"{place} is in the way: it is no folder", f"mv {_quoted(place)} {_quoted(place)}.old")
        return
    if reason := _refusal(place):
        yield subject.failure(f"{folder} cannot be written: {reason}", _give(folder, place))
        return
    free = shutil.disk_usage(place).free
    if free < _SCARCE:
        message = f"only {free // _MEGABYTE} MB are free at {place}"
        remedy = "penstock db purge --executions 30d --logs 7d --compact"
        yield subject.failure(message, remedy) if free < _FULL else subject.warning(message, remedy)


def _refusal(folder: Path) -> str | None:
    """Return why a file cannot be written here; trying tells more than permissions do, as with read-only disks."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"penstock")
            file.flush()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _give(folder: Path, existing: Path) -> str:
    owner = f'"$(id -u):$(id -g)" {_quoted(folder)}'
    make = "" if existing == folder.absolute() else f"sudo mkdir -p {_quoted(folder)} && "
    return f"{make}sudo chown -R {owner}"


def _programs_start(folder: Path) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        script = Path(directory) / "probe"
        script.write_text("#!/bin/sh\nexit 0\n")
        script.chmod(0o700)
        try:
            subprocess.run([script], check=True, env={"PATH": os.defpath})  # noqa: S603  # the script just written
        except (OSError, subprocess.CalledProcessError) as error:
            yield _PERMISSIONS.failure(
                f"programs cannot start in {folder}: {error}",
                f"sudo mount -o remount,exec {_quoted(folder)}  # or set kestra.tasks.tmp-dir.path to another folder",
            )


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))

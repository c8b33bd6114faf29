"""Installs Python packages where a script is about to run: on another machine, or in a container.

Only the standard library of its own interpreter is used, since the file is copied there and run by its path. Beside it
lies `given.txt` with the versions that the flow's revision was given first, if it was given any; `lock.txt` says which
versions there are now. With a folder as first argument the packages go to an environment in it, whose name is the hash
of those versions, and the folder with its programs is printed; without, to the interpreter itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = f"# {sys.implementation.cache_tag} {sysconfig.get_platform()}\n"
"""A lock holds for interpreters like the one it was made by."""
PIP = ("-m", "pip", "--disable-pip-version-check")


def main(root: str, wanted: Sequence[str]) -> None:
    """Install what is wanted, in the given versions where there are any."""
    given = HERE / "given.txt"
    lock = given.read_text(encoding="utf-8") if given.exists() else ""
    if not lock.startswith(HEADER):
        lock = ""
    if root:
        sys.stdout.write(f"{_kept(Path(root), lock, wanted) / 'bin'}\n")
    else:
        _install((sys.executable, *PIP), lock, wanted)


def _kept(folder: Path, lock: str, wanted: Sequence[str]) -> Path:
    """Return the environment with these versions, made aside by the first who needs it and then put into its place."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if lock and (folder / _name(lock)).exists():
        return folder / _name(lock)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if lock and (folder / _name(lock)).exists():
            return folder / _name(lock)
        made = folder / f".{secrets.token_hex(8)}"
        try:
            lock = _install(_made(made), lock, wanted)
        except SystemExit:
            shutil.rmtree(made, ignore_errors=True)
            raise
        place = folder / _name(lock)
        if place.exists():
            shutil.rmtree(made)
        else:
            # Its programs hold the path it was made at, so it stays there; what gets the name is a link to it.
            link = made.with_suffix(".link")
            link.symlink_to(made.name)
            link.replace(place)
        return place


def _made(folder: Path) -> Sequence[str]:
    """Make an empty environment, and return the command that is its pip: the machine's, if that can."""
    python = str(folder / "bin" / "python")
    if _pip_version() >= (22, 3):
        _call(sys.executable, "-m", "venv", "--without-pip", str(folder))
        return (sys.executable, *PIP, "--python", python)
    _call(sys.executable, "-m", "venv", str(folder))
    return (python, *PIP)


def _pip_version() -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in version("pip").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return (0,)


def _install(pip: Sequence[str], lock: str, wanted: Sequence[str]) -> str:
    """Install, and return the versions there are."""
    install = (*pip, "install", "--quiet")
    if lock:
        _call(*install, "--no-deps", "--requirement", str(HERE / "given.txt"))
    else:
        _call(*install, "--", *wanted)
        lock = HEADER + _call(*pip, "freeze")
    (HERE / "lock.txt").write_text(lock, encoding="utf-8")
    return lock


def _name(lock: str) -> str:
    return hashlib.sha256(f"{Path(sys.executable).resolve()}\n{lock}".encode()).hexdigest()[:32]


def _call(*arguments: str) -> str:
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        sys.stderr.write(f"{done.stdout}{done.stderr}`dependencies` cannot be installed by {' '.join(arguments[:4])}\n")
        raise SystemExit(done.returncode)
    return done.stdout


if __name__ == "__main__":
    os.umask(0o077)
    os.environ["PIP_ROOT_USER_ACTION"] = "ignore"  # an option of this name would stop older ones
    main(sys.argv[1], sys.argv[2:])

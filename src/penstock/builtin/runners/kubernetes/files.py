"""The files of a task, to a pod and back. Implements SCR-079."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

from penstock.builtin.runners.archive import buffer, packed, unpack
from penstock.builtin.runners.kubernetes.cluster import Cluster
from penstock.builtin.runners.kubernetes.manifest import DIRECTORY, GATE, KEEPER, OPEN, SIGNALS
from penstock.builtin.runners.runner import RunnerError

# A side of a channel cannot always be closed, so whoever reads is told how much there is.
_TAKING = 'umask 0; cd / && head -c "$0" | tar xof - && : >"$1"'
_LISTING = 'cd "$0" && find -L . -type f -print0'
_GIVING = 'head -c "$0" >"$1" && cd "$2" && tar chf - -T "$1"'
_GIVING_ALL = 'cd "$0" && tar cf - .'
_LIST = SIGNALS / "wanted"


class PodFiles:
    """The working directory in a pod.

    Args:
        cluster: The cluster.
        pod: The pod's name.
    """

    def __init__(self, cluster: Cluster, pod: str) -> None:
        self._cluster = cluster
        self._pod = pod

    def put(self, folder: Path) -> None:
        """Copy a folder there, and let the commands begin."""
        with packed(folder, str(DIRECTORY).lstrip("/")) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            self._cluster.execute(self._pod, GATE, ["/bin/sh", "-c", _TAKING, str(size), str(OPEN)], file)

    def get(self, folder: Path, is_wanted: Callable[[str], bool]) -> None:
        """Copy the files here whose paths are wanted; those that are gone there go here too."""
        listed = io.BytesIO()
        self._cluster.execute(self._pod, KEEPER, ["/bin/sh", "-c", _LISTING, str(DIRECTORY)], take=listed.write)
        there = {os.fsdecode(name).removeprefix("./") for name in listed.getvalue().split(b"\0") if name}
        for path in [path for path in folder.rglob("*") if path.is_file() or path.is_symlink()]:
            name = path.relative_to(folder).as_posix()
            if name not in there and is_wanted(name):
                path.unlink()
        # A list has a name a line.
        wanted = sorted(name for name in there if "\n" not in name and is_wanted(name))
        if not wanted:
            return
        text = b"".join(b"./" + os.fsencode(name) + b"\n" for name in wanted)
        command = ["/bin/sh", "-c", _GIVING, str(len(text)), str(_LIST), str(DIRECTORY)]
        self._fetch(folder, command, text)

    def get_all(self, folder: Path) -> None:
        """Copy all that is there here."""
        self._fetch(folder, ["/bin/sh", "-c", _GIVING_ALL, str(DIRECTORY)])

    def _fetch(self, folder: Path, command: list[str], given: bytes | None = None) -> None:
        with buffer() as file:
            self._cluster.execute(self._pod, KEEPER, command, None if given is None else io.BytesIO(given), file.write)
            file.seek(0)
            try:
                unpack(file, folder)
            except (tarfile.TarError, OSError) as error:
                raise RunnerError(f"the pod's files cannot be unpacked: {error}", hint="see `fileSidecar`") from None

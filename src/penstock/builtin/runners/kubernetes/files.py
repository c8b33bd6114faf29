"""The files of a task, to a pod and back. Implements SCR-079."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

from penstock.builtin.runners.archive import buffer, packed, unpack
from penstock.builtin.runners.kubernetes.cluster import Cluster
from penstock.builtin.runners.kubernetes.manifest import DIRECTORY, GATE, KEEPER, OPEN
from penstock.builtin.runners.runner import RunnerError

# A side of a channel cannot always be closed, so whoever reads is told how much there is.
_TAKING = 'umask 0; cd / && head -c "$0" | tar xof - && : >"$1"'
_LISTING = 'cd "$0" && find -L . -type f -print0'
_GIVING = 'cd "$1" && head -c "$0" | xargs -0 tar chf -'
_GIVING_ALL = 'cd "$0" && tar cf - .'


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
        wanted = sorted(filter(is_wanted, there))
        if wanted:
            names = b"".join(b"./" + os.fsencode(name) + b"\0" for name in wanted)
            self._fetch(folder, ["/bin/sh", "-c", _GIVING, str(len(names)), str(DIRECTORY)], names)

    def get_all(self, folder: Path) -> None:
        """Copy all that is there here."""
        self._fetch(folder, ["/bin/sh", "-c", _GIVING_ALL, str(DIRECTORY)])

    def _fetch(self, folder: Path, command: list[str], given: bytes | None = None) -> None:
        with buffer() as file:
            self._cluster.execute(self._pod, KEEPER, command, None if given is None else io.BytesIO(given), file.write)
            file.seek(0)
            try:
                unpack(file, folder, is_joined=True)  # long lists make several
            except (tarfile.TarError, OSError) as error:
                raise RunnerError(f"the pod's files cannot be unpacked: {error}", hint="see `fileSidecar`") from None

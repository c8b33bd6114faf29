"""A machine whose files are reached by SFTP."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pydantic import Field

from penstock.builtin.name_pattern import NamePattern
from penstock.builtin.serdes.files import library
from penstock.sdk import Output, PluginError, PluginModel, Property, RunContext
from penstock.sdk.items import stop_if_killed

if TYPE_CHECKING:
    from paramiko import SFTPAttributes, SFTPClient


class SftpError(PluginError):
    """The machine did not do what it was asked for."""

    code = "SFTP_FAILED"


class RemoteFile(Output):
    """A file of the machine."""

    name: str = Field(description="Its name.")
    path: str = Field(description="Its URI: in internal storage where it was downloaded, else on the machine.")
    server_path: str = Field(description="Its path on the machine.")
    size: int | None = Field(None, description="How many bytes it has.")
    file_type: str = Field(description="FILE or FOLDER.")
    updated_date: datetime | None = Field(None, description="When its content changed.")
    access_date: datetime | None = Field(None, description="When it was last read.")

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.file_type == "FOLDER"

    @property
    def version(self) -> str:
        """What tells it from the same name with another content."""
        return f"{self.size} {self.updated_date}"


class Machine(PluginModel):
    """Which machine, and who asks."""

    host: Property[str] = Field(description="The machine's name or address.")
    port: Property[int] = Field(Property.of(22), description="The port its SSH server listens at.")
    username: Property[str] = Field(description="The user there.")
    password: Property[str] | None = Field(None, description="The user's password.")
    keyfile: Property[str] | None = Field(None, description="The user's private key, as the text of its file.")
    passphrase: Property[str] | None = Field(None, description="What the private key is encrypted with.")
    host_key: Property[str] | None = Field(
        None, description="The machine's public key, such as `ssh-ed25519 AAAA...`; `known_hosts` by default."
    )
    root_dir: Property[bool] = Field(
        Property.of(True), description="Whether paths begin at the root of the machine, or at the user's own folder."
    )

    @contextmanager
    def session(self, context: RunContext) -> Iterator[Session]:
        """Give a connection. A machine that nobody knows is talked to, with a warning.

        Raises:
            SftpError: The machine does not answer, is another one than it should be, or does not let the user in.
        """
        library("paramiko", "ssh")
        from penstock.builtin.runners.ssh_connection import Target, connect

        target = Target(
            host=context.render(self.host),
            port=context.render(self.port),
            username=context.render(self.username),
            password=context.render(self.password),
            private_key=context.render(self.keyfile),
            passphrase=context.render(self.passphrase),
            host_key=context.render(self.host_key),
            is_strict=False,
        )
        if target.password is None and target.private_key is None:
            raise SftpError("it is not said how to log in", hint="set `password` or `keyfile`")
        try:
            client = connect(target)
        except PluginError as error:
            hint = (error.hint or "").replace("privateKeyPassphrase", "passphrase").replace("privateKey", "keyfile")
            raise SftpError(error.message, hint=hint) from None
        with client:
            found = client.get_host_keys().lookup(target.known_as)
            if target.host_key is None and found is not None:
                known = " ".join(f"{kind} {key.get_base64()}" for kind, key in found.items())
                context.logger.warning(f"nobody says that {target.host} is what it seems to be: set `hostKey: {known}`")
            with translated(), client.open_sftp() as files:
                yield Session(files, f"sftp://{target.host}:{target.port}", is_rooted=context.render(self.root_dir))


class Session:
    """Files of a machine, by their paths."""

    def __init__(self, files: SFTPClient, address: str, *, is_rooted: bool) -> None:
        self._files = files
        self._address = address
        self._is_rooted = is_rooted

    def path(self, given: str) -> str:
        """Return a path as the machine wants it, of a path or a URI."""
        path = unquote(urlsplit(given).path) if given.startswith("sftp://") else given
        return posixpath.join("/", path) if self._is_rooted else path.lstrip("/") or "."

    def uri(self, path: str) -> str:
        """Return a path's URI."""
        return f"{self._address}{posixpath.join('/', path)}"

    def find(self, context: RunContext, folder: str, pattern: str | None, *, deep: bool) -> Iterator[RemoteFile]:
        """Yield the files of a folder, in the order of their paths; links are passed over."""
        matching, top = NamePattern(pattern, "regExp", SftpError), self.path(folder)
        for one in self._below(context, top, deep=deep):
            if matching.fits(one.server_path):
                yield one

    def download(self, context: RunContext, path: str) -> str:
        """Copy a file into internal storage and return its URI."""
        name = posixpath.basename(path)
        local = context.resolve(f".penstock/sftp/{name}")
        local.parent.mkdir(parents=True, exist_ok=True)
        with translated(path):
            self._files.get(path, str(local))
        return context.put_file(local, name)

    def upload(self, local: Path, path: str) -> None:
        """Copy a file to the machine, into a folder that is made when there is none."""
        with translated(path):
            self.make_folder(posixpath.dirname(path))
            self._files.put(str(local), path)

    def move(self, source: str, target: str, *, overwrite: bool) -> None:
        """Move a file."""
        with translated(source):
            self.make_folder(posixpath.dirname(target))
            if overwrite:
                self._files.posix_rename(source, target)
            else:
                self._files.rename(source, target)

    def delete(self, path: str) -> bool:
        """Delete a file or an empty folder; False when there is none."""
        with translated(path):
            try:
                found = self._files.stat(path)
            except FileNotFoundError:
                return False
            if stat.S_ISDIR(found.st_mode or 0):
                self._files.rmdir(path)
            else:
                self._files.remove(path)
            return True

    def is_folder(self, path: str) -> bool:
        """Return whether a path is that of a folder."""
        with suppress(FileNotFoundError):
            return stat.S_ISDIR(self._files.stat(path).st_mode or 0)
        return False

    def make_folder(self, path: str) -> None:
        """Make a folder, and those above it, unless it is there."""
        if path in ("", "/", ".") or self.is_folder(path):
            return
        self.make_folder(posixpath.dirname(path))
        self._files.mkdir(path)

    def _below(self, context: RunContext, folder: str, *, deep: bool) -> Iterator[RemoteFile]:
        stop_if_killed(context)
        with translated(folder):
            found = sorted(self._files.listdir_attr(folder), key=lambda one: one.filename)
        for entry in found:
            mode = entry.st_mode or 0
            path = posixpath.join(folder, entry.filename)
            if stat.S_ISREG(mode):
                yield self._described(path, entry, "FILE")
            elif stat.S_ISDIR(mode):
                yield self._described(path, entry, "FOLDER")
                if deep:
                    yield from self._below(context, path, deep=True)

    def _described(self, path: str, entry: SFTPAttributes, kind: str) -> RemoteFile:
        return RemoteFile(
            name=entry.filename,
            path=self.uri(path),
            server_path=path,
            size=entry.st_size,
            file_type=kind,
            updated_date=_moment(entry.st_mtime),
            access_date=_moment(entry.st_atime),
        )


@contextmanager
def translated(path: str | None = None) -> Iterator[None]:
    """Raise what the machine complains of as SftpError."""
    errors = library("paramiko.ssh_exception", "ssh")
    try:
        yield
    except (OSError, EOFError, errors.SSHException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        where = f"{path}: " if path else ""
        raise SftpError(f"{where}{reason}", hint="see the path, and what the user may do on the machine") from None


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

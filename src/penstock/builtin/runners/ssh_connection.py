"""Connecting to a machine by SSH: who it is, and who we are."""

from __future__ import annotations

import base64
import binascii
import io
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from paramiko.pkey import UnknownKeyType
from paramiko.ssh_exception import (
    AuthenticationException,
    BadHostKeyException,
    NoValidConnectionsError,
    PasswordRequiredException,
    SSHException,
)

from penstock.builtin.runners.runner import RunnerError

_PATIENCE = 15.0
_KEEP_ALIVE = 15
_DEFAULT_PORT = 22
_KEYS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


@dataclass(frozen=True, slots=True)
class Target:
    """A machine, and a user of it."""

    host: str
    port: int
    username: str
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    host_key: str | None = None
    is_strict: bool = True

    @property
    def known_as(self) -> str:
        """The machine's name among known hosts."""
        return self.host if self.port == _DEFAULT_PORT else f"[{self.host}]:{self.port}"


def connect(target: Target) -> paramiko.SSHClient:
    """Return a connection.

    Raises:
        RunnerError: The machine does not answer, is not the one it should be, or does not take the user.
    """
    if target.password is None and target.private_key is None:
        raise RunnerError("the task runner has no way to log in", hint="set `privateKey` or `password`")
    client = paramiko.SSHClient()
    try:
        _know(client, target)
        client.connect(
            target.host,
            target.port,
            target.username,
            target.password,
            _private_key(target),
            timeout=_PATIENCE,
            banner_timeout=_PATIENCE,
            auth_timeout=_PATIENCE,
            allow_agent=False,
            look_for_keys=False,
        )
        transport = client.get_transport()
        assert transport is not None
        transport.set_keepalive(_KEEP_ALIVE)
    except BaseException as error:
        client.close()
        if isinstance(error, SSHException | OSError | EOFError):
            raise _refused(target, error) from None
        raise
    return client


def _know(client: paramiko.SSHClient, target: Target) -> None:
    """Tell the connection which machine it may talk to."""
    if target.host_key is not None:
        key = _public_key(target.host_key)
        client.get_host_keys().add(target.known_as, key.get_name(), key)
    else:
        with suppress(OSError):
            client.load_system_host_keys(str(Path.home() / ".ssh" / "known_hosts"))
    client.set_missing_host_key_policy(_Refuse() if target.is_strict else paramiko.AutoAddPolicy())


class _Refuse(paramiko.MissingHostKeyPolicy):
    """Refuses a machine nobody knows, and says how to make it known."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise RunnerError(
            f"the key of {hostname} is not known, so this may be another machine that poses as it",
            hint=f"if that machine's key is this one, set `hostKey: {key.get_name()} {key.get_base64()}`",
        )


def _public_key(text: str) -> paramiko.PKey:
    """Read a public key as files of keys and `known_hosts` hold it."""
    for part in text.split():
        with suppress(binascii.Error, ValueError, SSHException, UnknownKeyType):
            data = base64.b64decode(part, validate=True)
            length = int.from_bytes(data[:4], "big")
            return paramiko.PKey.from_type_string(data[4 : 4 + length].decode("ascii"), data)
    raise RunnerError("`hostKey` is no public key", hint="write it as in `known_hosts`: `ssh-ed25519 AAAA...`")


def _private_key(target: Target) -> paramiko.PKey | None:
    if target.private_key is None:
        return None
    text = target.private_key.strip() + "\n"
    for kind in _KEYS:
        try:
            return kind.from_private_key(io.StringIO(text), target.passphrase)
        except PasswordRequiredException:
            raise RunnerError("`privateKey` is encrypted", hint="set `privateKeyPassphrase`") from None
        except (SSHException, ValueError):
            continue
    raise RunnerError(
        "`privateKey` cannot be read",
        hint="give the whole text of the file, in OpenSSH or PEM format, and the right `privateKeyPassphrase`",
    )


def _refused(target: Target, error: Exception) -> RunnerError:
    if isinstance(error, AuthenticationException):
        return RunnerError(
            f"{target.host} does not let the user {target.username} in",
            hint="check `username`, and that the key is in that user's `authorized_keys`, or the `password`",
        )
    if isinstance(error, BadHostKeyException):
        return RunnerError(
            f"{target.host} has another key than `hostKey` or `known_hosts` says: it may not be that machine",
            hint="if its key was really changed, correct `hostKey` or `known_hosts`",
        )
    reason = str(error) or type(error).__name__
    if isinstance(error, NoValidConnectionsError | OSError):
        return RunnerError(
            f"no SSH server answers at {target.host} port {target.port}: {reason}", hint="check `host` and `port`"
        )
    return RunnerError(f"{target.host} cannot be talked to: {reason}", hint="see what its SSH server's log says")

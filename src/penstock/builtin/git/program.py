"""The `git` program as a process of the worker."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from penstock.builtin.git.address import Address
from penstock.sdk import PluginError, RunContext

_SETTINGS = {
    "commit.gpgSign": "false",
    "core.autocrlf": "false",  # files stay as they are, byte for byte
    "core.fileMode": "false",
    "core.hooksPath": os.devnull,
    "credential.helper": "",  # nobody else is asked, and nobody remembers
    "gc.auto": "0",
}
_HELPER = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n"'
    ' "$PENSTOCK_GIT_USERNAME" "$PENSTOCK_GIT_PASSWORD"; }; f'
)
_TRANSPORTS = "file:git:http:https:ssh"
_ANSWER = '#!/bin/sh\nprintf "%s\\n" "$PENSTOCK_GIT_PASSPHRASE"\n'
_LINES = 5


class GitError(PluginError):
    """A command of `git` has failed."""

    code = "GIT_FAILED"
    hint = "see that the repository, the branch and the credentials are right"


class GitMissing(PluginError):
    """The worker has no `git`."""

    code = "GIT_MISSING"


class Git:
    """Runs `git`. Credentials reach it by its environment and by files of the task's own, never as arguments.

    A user and a password are given to the server of the address alone, so that another one, to which it may redirect,
    does not get them.

    Args:
        context: The task's; a kill of it ends the command.
        address: Where the repository is, and who asks.
        private: A folder for this task alone, for keys.
    """

    def __init__(self, context: RunContext, address: Address, private: Path) -> None:
        self._logger = context.logger
        self._process: subprocess.Popen[bytes] | None = None
        self._context = context
        for secret in address.secrets:
            context.mask(secret)
        self._environment = {
            **context.environment,
            "GIT_ALLOW_PROTOCOL": _TRANSPORTS,
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
            **_credentials(address, private),
        }
        context.on_kill(self._end)

    def run(self, *arguments: str, folder: Path, given: bytes = b"", settings: Mapping[str, str] | None = None) -> str:
        """Run a command and return what it prints.

        Args:
            arguments: Its name and arguments.
            folder: Where it runs.
            given: What it reads.
            settings: Further variables of its environment.

        Raises:
            GitError: It has failed.
            GitMissing: There is no such program.
        """
        try:
            process = subprocess.Popen(  # noqa: S603 - a list, and nothing in it is read by a shell
                ["git", *arguments],  # noqa: S607 - the one the worker's PATH has
                cwd=folder,
                env={**self._environment, **(settings or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise GitMissing(
                "there is no program `git` on this worker", hint="install the system's package `git` there"
            ) from None
        self._process = process
        if self._context.is_killed:
            self._end()
        out, err = process.communicate(given)
        told = err.decode(errors="replace").strip()
        if process.returncode:
            raise GitError(f"`git {arguments[0]}` failed: {_last(told) or f'exit code {process.returncode}'}")
        if told:
            self._logger.debug(told)
        return out.decode(errors="surrogateescape")

    def _end(self) -> None:
        """End the command that runs, with what it has started."""
        process = self._process
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def _credentials(address: Address, private: Path) -> dict[str, str]:
    """Return the variables that make `git` use an address's credentials, and the settings of every command."""
    settings = dict(_SETTINGS)
    variables: dict[str, str] = {}
    if address.server and address.password:
        settings[f"credential.{address.server}.helper"] = _HELPER
        variables |= {"PENSTOCK_GIT_USERNAME": address.username or "git", "PENSTOCK_GIT_PASSWORD": address.password}
    if address.private_key:
        key = private / "key"
        _write(key, address.private_key.strip() + "\n", 0o600)
        variables["GIT_SSH_COMMAND"] = f"ssh -i '{key}' -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes"
        if address.passphrase:
            asked = private / "passphrase"
            _write(asked, _ANSWER, 0o700)
            variables |= {
                "PENSTOCK_GIT_PASSPHRASE": address.passphrase,
                "SSH_ASKPASS": str(asked),
                "SSH_ASKPASS_REQUIRE": "force",
            }
    variables["GIT_CONFIG_COUNT"] = str(len(settings))
    for number, (name, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _write(path: Path, text: str, mode: int) -> None:
    path.touch(mode=mode)
    path.write_text(text, encoding="utf-8")


def _last(told: str) -> str:
    return " ".join(told.splitlines()[-_LINES:])

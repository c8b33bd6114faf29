"""Commands on another machine, reached by SSH: `Ssh`."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import PurePath, PurePosixPath
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from penstock.builtin.runners.runner import Command, OutputSink, Runner, RunnerError
from penstock.sdk import Property, RunContext

if TYPE_CHECKING:
    from penstock.builtin.runners.ssh_session import Session, Target

_WORK = "work"


class Ssh(Runner):
    """Run the commands on another machine, as a user of it and with its tools.

    The task's files are copied there and back by SFTP. The commands run in a folder of their own below `directory`,
    which is removed afterwards; a kill ends them with all processes they have started, and nothing of them runs on
    when they have ended. They do not need the worker while they run: when it is lost, the next one goes on with what
    they have done so far. The machine needs a POSIX shell. On the worker `penstock[ssh]` has to be installed.

    Nothing connects to a machine it does not know: its key is given by `hostKey`, or is in the `known_hosts` of the
    worker's user.

    ```yaml
    taskRunner:
      type: io.penstock.plugin.runner.ssh.Ssh
      host: build.example.com
      username: deploy
      privateKey: "{{ secret('DEPLOY_KEY') }}"
      hostKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLE
    ```

    Implements SCR-051, SCR-054, SCR-057, BEY-009.
    """

    type_name = "io.penstock.plugin.runner.ssh.Ssh"
    on_worker: ClassVar[bool] = False

    host: Property[str] = Field(description="The machine's name or address.")
    port: Property[int] = Field(Property.of(22), description="The port its SSH server listens at.")
    username: Property[str] = Field(description="The user there.")
    password: Property[str] | None = Field(None, description="The user's password.")
    private_key: Property[str] | None = Field(None, description="The user's private key, as the text of its file.")
    private_key_passphrase: Property[str] | None = Field(None, description="What the private key is encrypted with.")
    host_key: Property[str] | None = Field(
        None, description="The machine's public key, such as `ssh-ed25519 AAAA...`; `known_hosts` by default."
    )
    strict_host_key_checking: Property[bool] = Field(
        Property.of(True), description="Refuse a machine whose key is not known. Without it anybody may pose as it."
    )
    directory: Property[str] = Field(
        Property.of("/tmp"),  # noqa: S108 - each task makes a folder of its own there, for its user alone
        description="The folder there in which each task makes its own.",
    )

    delete: Property[bool] = Field(
        Property.of(True), description="Remove the folder there when the commands have ended."
    )
    resume: Property[bool] = Field(
        Property.of(True), description="Go on with commands of the same task run that an earlier worker has started."
    )

    def place(self, context: RunContext) -> PurePath:
        """Return where the commands find the working directory: on the other machine."""
        return self._root(context) / _WORK

    def run(self, context: RunContext, command: Command, sink: OutputSink) -> int:
        """Run a command on the other machine and return its exit code."""
        try:
            from penstock.builtin.runners.ssh_session import Session
        except ModuleNotFoundError:
            raise RunnerError(
                f"this worker cannot use SSH, which {self.type_name} needs", hint="install `penstock[ssh]` there"
            ) from None
        target, root = self._target(context), self._root(context)
        session = Session.open(target, root, resume=context.render(self.resume))
        try:
            return self._run(context, session, command, sink)
        except ConnectionError:
            _clean_up_later(target, root)
            raise RunnerError(
                f"the connection to {target.host} was lost while the commands ran",
                hint="look at the network and at that machine; `retry` of the task starts them anew",
            ) from None
        finally:
            session.close()

    def _run(self, context: RunContext, session: Session, command: Command, sink: OutputSink) -> int:
        try:
            context.on_kill(session.end)
            code = self._code(context, session, command, sink)
            if session.has_left_some and not context.is_killed:
                context.logger.warning(
                    "the commands ended while processes they had started still ran; those were ended too, since the "
                    "working directory goes away (wait for them with `wait`)"
                )
            if session.is_unconfirmed:
                left = (f"process {pid} on {context.render(self.host)}" for pid in session.left)
                context.unconfirmed("some processes of the commands could not be ended and may still run", *left)
            for name in session.get(command.directory):
                context.logger.warning(f"`{name}` is a link that leads out of the working directory; not fetched")
            return -signal.SIGTERM if code is None else code
        finally:
            if context.render(self.delete):
                with suppress(ConnectionError):
                    session.remove()

    @staticmethod
    def _code(context: RunContext, session: Session, command: Command, sink: OutputSink) -> int | None:
        """Run the commands, or go on with them, and return their exit code, None when they were killed."""
        if session.is_resumed:
            context.logger.info("going on with the commands that an earlier worker started")
        else:
            session.put(command.directory)
            if context.is_killed:
                return None
            session.start(command)
        return session.follow(sink, lambda: context.is_killed)

    def _root(self, context: RunContext) -> PurePosixPath:
        name = str(context.task_run.get("id") or context.working_directory.name)
        return PurePosixPath(context.render(self.directory)) / f"penstock-{name}-remote"

    def _target(self, context: RunContext) -> Target:
        from penstock.builtin.runners.ssh_session import Target

        target = Target(
            host=context.render(self.host),
            port=context.render(self.port),
            username=context.render(self.username),
            password=context.render(self.password),
            private_key=context.render(self.private_key),
            passphrase=context.render(self.private_key_passphrase),
            host_key=context.render(self.host_key),
            is_strict=context.render(self.strict_host_key_checking),
        )
        for secret in (target.password, target.private_key, target.passphrase):
            if secret:
                context.mask(secret)
        return target


def _clean_up_later(target: Target, root: PurePosixPath) -> None:
    """End and remove what a lost connection has left behind, where the machine can be reached again."""
    from penstock.builtin.runners.ssh_session import Session

    with suppress(RunnerError, ConnectionError):
        session = Session.open(target, root, resume=True)
        try:
            session.end()
            session.remove()
        finally:
            session.close()

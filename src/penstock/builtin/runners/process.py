"""Commands as processes of the worker: `Process`."""

from __future__ import annotations

import socket

from penstock.builtin.runners.child import Child
from penstock.builtin.runners.orphans import Notes
from penstock.builtin.runners.runner import Command, OutputSink, Runner
from penstock.sdk import RunContext


class Process(Runner):
    """Run the commands as processes of the worker, as its user and with its tools. Nothing isolates them.

    The commands end with all processes they have started: when they end by themselves, when the task is killed, and
    when its timeout is over.

    Run commands with what is installed on the worker:

    ```yaml
    tasks:
      - id: report
        type: io.kestra.plugin.scripts.shell.Commands
        taskRunner:
          type: io.kestra.plugin.core.runner.Process
        commands:
          - df --human-readable
    ```

    Implements ENG-116, SCR-062, SCR-064, BEY-009.
    """

    type_name = "io.kestra.plugin.core.runner.Process"
    type_aliases = ("io.kestra.core.models.tasks.runners.types.ProcessTaskRunner",)

    def run(self, context: RunContext, command: Command, sink: OutputSink) -> int:
        """Run a command and return its exit code."""
        child = Child(command, Notes())
        context.on_kill(child.end)
        code = child.follow(sink)
        if child.is_unconfirmed:
            left = (f"process {pid} on {socket.gethostname()}" for pid in child.left)
            context.unconfirmed("some processes of the commands could not be ended and may still run", *left)
        elif child.has_left_some and not context.is_killed:
            context.logger.warning(
                "the commands ended while processes they had started still ran; those were ended too, since the "
                "working directory goes away (wait for them with `wait`)"
            )
        return code

"""What a worker answers to the process of a plugin: the run context, call by call."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.engine.records import TaskRun
from penstock.sdk import RunContext
from penstock.services.isolation.messages import Answer, Ask, Tell
from penstock.services.outcome import failure_of, plain_outputs


class Answers:
    """Does with a run context what a plugin in another process asks for.

    Args:
        context: The context of the task, or of the trigger.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._methods: Mapping[str, Callable[..., Any]] = {
            "call": self._call,
            "child_task_run": self._child_task_run,
            "counter": context.counter,
            "end_execution": context.end_execution,
            "environment": lambda: context.environment,
            "gauge": context.gauge,
            "get_file": lambda uri, target: context.get_file(uri, Path(target)),
            "log": context.logger.log,
            "mask": context.mask,
            "outputs_of": context.outputs_of,
            "put_file": lambda path, name, keep: context.put_file(Path(path), name, keep=keep),
            "render_nested": context.render_nested,
            "render_text": context.render_text,
            "resolve": lambda name: str(context.resolve(name)),
            "run_child": context.run_child,
            "run_instead": lambda spec: plain_outputs(context.run_instead(spec), sys.maxsize),
            "set_labels": context.set_labels,
            "set_variables": context.set_variables,
            "timer": context.timer,
            "unconfirmed": lambda what, left=(): context.unconfirmed(what, *left),
            "variables": lambda: context.variables,
            "working_directory": lambda: str(context.working_directory),
        }

    def answer(self, ask: Ask) -> Answer:
        """Return the answer to a question, or why there is none."""
        try:
            return Answer(ask.number, self._methods[ask.name](**ask.arguments))
        except Exception as error:  # it is the plugin that has to deal with it
            failure = failure_of(error)
            return Answer(ask.number, error=failure.message, is_permanent=not failure.retryable)

    def hear(self, tell: Tell) -> None:
        """Do what wants no answer."""
        self._methods[tell.name](**tell.arguments)

    def _call(self, function: str, arguments: Mapping[str, Any]) -> Any:
        return self._context.call(function, **arguments)

    def _child_task_run(self, run: Mapping[str, Any]) -> None:
        self._context.child_task_run(msgspec.convert(run, TaskRun))

"""The types every server has. They live by the rule of every plugin: of Penstock they import `penstock.sdk` alone."""

from __future__ import annotations

from pydantic import BaseModel

from penstock.builtin import debug, execution, log, output, sleep
from penstock.builtin.flow import loops, parallel, pause, sequence, subflow
from penstock.builtin.http import download, request
from penstock.builtin.runners import process
from penstock.builtin.scripts import python, shell
from penstock.builtin.triggers import schedule, webhook

TYPES: tuple[type[BaseModel], ...] = (
    *(debug.Echo, debug.Return),
    *(download.Download,),
    *(execution.Assert, execution.Fail, execution.Labels, execution.SetVariables, execution.UnsetVariables),
    *(log.Log,),
    *(loops.ForEach, loops.LoopUntil),
    *(output.OutputValues,),
    *(parallel.Dag, parallel.Parallel),
    *(pause.Pause,),
    *(process.Process,),
    *(python.Commands, python.Script),
    *(request.Request,),
    *(schedule.Schedule,),
    *(sequence.AllowFailure, sequence.If, sequence.Sequential, sequence.Switch),
    *(shell.Commands, shell.Script),
    *(sleep.Sleep,),
    *(subflow.Subflow,),
    *(webhook.Webhook,),
)
"""All built-in classes; each names its `type_name`. One line per module."""

"""All a plugin may import.

A task is a class with typed properties and a `run` method:

    class Reverse(Task):
        type_name = "org.example.Reverse"

        text: Property[str]

        def run(self, context: RunContext) -> dict[str, str]:
            return {"value": context.render(self.text)[::-1]}

or a function with the decorator `task`:

    @task("org.example.Reverse")
    def reverse(text: str) -> str:
        return text[::-1]
"""

from penstock.sdk.context import RunContext, TaskLogger
from penstock.sdk.errors import PermanentError, PluginError
from penstock.sdk.evaluation import PollingTrigger, RealtimeTrigger, TriggerEvent
from penstock.sdk.flow import is_truthy
from penstock.sdk.function import TaskFunction, task
from penstock.sdk.items import Data
from penstock.sdk.property import Property
from penstock.sdk.task import (
    FlowableTask,
    MetricNote,
    Output,
    PluginModel,
    Task,
    TaskBase,
    TaskDefinition,
    TaskList,
    WorkerGroup,
)
from penstock.sdk.trigger import ConditionBase, TaskRunnerBase, TriggerBase
from penstock.sdk.values import (
    constraint,
    duration,
    file_name,
    instant,
    ion_text,
    ion_values,
    is_file_uri,
    iso_date,
    json_text,
    patterned_date,
)

__all__ = [
    "ConditionBase",
    "Data",
    "FlowableTask",
    "MetricNote",
    "Output",
    "PermanentError",
    "PluginError",
    "PluginModel",
    "PollingTrigger",
    "Property",
    "RealtimeTrigger",
    "RunContext",
    "Task",
    "TaskBase",
    "TaskDefinition",
    "TaskFunction",
    "TaskList",
    "TaskLogger",
    "TaskRunnerBase",
    "TriggerBase",
    "TriggerEvent",
    "WorkerGroup",
    "constraint",
    "duration",
    "file_name",
    "instant",
    "ion_text",
    "ion_values",
    "is_file_uri",
    "is_truthy",
    "iso_date",
    "json_text",
    "patterned_date",
    "task",
]

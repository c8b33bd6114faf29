"""A flow for each batch of a file's rows: `ForEachItem`, and the two tasks on the worker that belong to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.flow.subflow import FAILED
from penstock.builtin.storage.split import Split
from penstock.sdk import Output, PluginError, PluginModel, Property, RunContext, Task, json_text
from penstock.sdk.flow import EndedChild, FlowEnd, Launch, Scope, StartFlow, StateType, Step
from penstock.sdk.task import FlowableTask


class Batch(PluginModel):
    """How many rows make a batch; `bytes` wins over `partitions`, `partitions` over `rows` (ENG-416)."""

    rows: Property[int] = Field(Property.of(1), description="How many rows a batch has at most.")
    partitions: Property[int] | None = Field(None, description="How many batches the rows are dealt out to.")
    bytes: Property[str] | None = Field(None, description="The largest size of a batch, such as `10MB`.")


class Splits(Output):
    """What the splitting gives."""

    splits: str = Field(description="URI of a file with the URIs of the batches, one a line.")
    requests: str = Field(description="URI of a file with what the flow is given for each batch.")


class ForEachItemSplit(Task):
    """Cut the file of a `ForEachItem` into batches. Belongs to that task, and is of no use without it.

    Implements ENG-087, ENG-089, ENG-416.
    """

    type_name = "io.kestra.plugin.core.flow.ForEachItemSplit"
    output_type: ClassVar[type[Output] | None] = Splits

    inputs: dict[str, Any] | None = Field(None, description="What the flow gets; rendered for each batch.")
    labels: dict[str, Any] | list[dict[str, Any]] | None = Field(None, description="Labels; rendered for each batch.")

    def run(self, context: RunContext) -> Splits:
        """Write the batches, the list of them, and what the flow is given for each."""
        given = context.variables["parent"]["outputs"]
        splitting = {"id": self.id, "type": Split.type_name, "from": given["items"], **given["batch"]}
        uris = Split.model_validate(splitting).run(context).uris
        requests = [self._request(context, number, one) for number, one in enumerate(uris)]
        return Splits(
            splits=context.put_bytes("".join(f"{one}\n" for one in uris).encode(), "splits.txt"),
            requests=context.put_bytes(json.dumps(requests).encode(), "requests.json"),
        )

    def _request(self, context: RunContext, number: int, uri: str) -> dict[str, Any]:
        """Return inputs and labels of a batch, rendered as the `ForEachItem` sees the world."""
        around, *parents = context.variables["parents"]
        extra = {
            "taskrun": {**around["taskrun"], "items": uri, "iteration": number},
            "parents": parents,
            "parent": parents[0] if parents else None,
        }
        labels = self.labels or {}
        pairs = labels.items() if isinstance(labels, Mapping) else ((one["key"], one["value"]) for one in labels)
        return {
            "inputs": context.render_nested(self.inputs or {}, extra),
            "labels": {str(key): context.render_text(json_text(value), extra) for key, value in pairs},
        }


class Merged(Output):
    """What the merging gives."""

    subflow_outputs: str = Field(description="URI of a file with the flow outputs of each execution, one a line.")


class ForEachItemMerge(Task):
    """Gather the outputs of the executions of a `ForEachItem`. Belongs to that task, and is of no use without it.

    Implements ENG-089.
    """

    type_name = "io.kestra.plugin.core.flow.ForEachItemMerge"
    output_type: ClassVar[type[Output] | None] = Merged

    def run(self, context: RunContext) -> Merged:
        """Write the outputs in the order of the batches."""
        results = context.variables["parent"]["outputs"]["results"]
        lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in results)
        return Merged(subflow_outputs=context.put_bytes(lines.encode(), "outputs.jsonl"))


class ForEachItem(FlowableTask):
    """Execute a flow for each batch of the rows of a file.

    Implements ENG-086 to ENG-089, ENG-414 to ENG-416.
    """

    type_name = "io.kestra.plugin.core.flow.ForEachItem"
    type_aliases = ("io.kestra.core.tasks.flows.ForEachItem",)
    calls_flow: ClassVar[bool] = True

    items: str = Field(description="The URI of a file in internal storage, whose rows are the items.")
    batch: Batch = Field(default_factory=Batch, description="How many rows one execution gets.")
    namespace: str = Field(description="Where the flow is; may be an expression.")
    flow_id: str = Field(description="Which flow; may be an expression.")
    revision: int | None = Field(None, description="Which revision; the latest by default.")
    inputs: dict[str, Any] | None = Field(
        None, description="Values for the flow's inputs; `taskrun.items` is the URI of the batch."
    )
    labels: dict[str, Any] | list[dict[str, Any]] | None = Field(None, description="Labels for its executions.")
    inherit_labels: bool = Field(False, description="Hand on the labels of this execution.")
    wait: bool = Field(True, description="Wait for the end of the executions.")
    transmit_failed: bool = Field(True, description="Fail when an execution fails; needs `wait`.")
    restart_behavior: Literal["RETRY_FAILED", "NEW_EXECUTION"] = Field(
        "RETRY_FAILED", description="What a restart of this execution does: restart those it started, or begin anew."
    )

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the tasks that split and merge; the others are those of other executions."""
        split = {
            "id": f"{self.id}_split",
            "type": ForEachItemSplit.type_name,
            "inputs": self.inputs,
            "labels": self.labels,
        }
        return {
            "split": [{name: value for name, value in split.items() if value is not None}],
            "merge": [{"id": f"{self.id}_merge", "type": ForEachItemMerge.type_name}],
        }

    def start(self, scope: Scope) -> Step:
        """Have the file split; the task on the worker reads from the outputs of this one which, and how."""
        uri = scope.render(self.items)
        if not uri.startswith("kestra://"):
            raise PluginError(
                f"`items` of ForEachItem `{self.id}` is `{uri[:200]}`, not the URI of a file in internal storage",
                hint="give the URI of a file that an earlier task stored, or of a FILE input",
            )
        batch = self.batch
        chosen = next(name for name in ("bytes", "partitions", "rows") if getattr(batch, name) is not None)
        size = scope.render_nested({chosen: getattr(batch, chosen).raw})
        launch = Launch(scope.task.lists["split"][0])
        return Step(launches=(launch,), outputs={"items": uri, "batch": size})

    def child_ended(self, scope: Scope, child: EndedChild) -> Step:
        """After the splitting execute the flow for each batch; after the merging end."""
        if child.failed:
            return Step()
        if child.task.id == scope.task.lists["merge"][0].id:
            warned = StateType.WARNING.value in _states(scope.memory) and self.transmit_failed
            return Step(outputs=_summary(scope.memory), state=StateType.WARNING if warned else None)
        requests = self._requests(scope)
        memory = {"total": len(requests), "results": {}}
        if not requests:
            return self._merge(scope, memory)
        namespace, flow_id = scope.render(self.namespace), scope.render(self.flow_id)
        starts = tuple(
            StartFlow(
                namespace=namespace,
                flow_id=flow_id,
                revision=self.revision,
                inputs=request["inputs"],
                labels=request["labels"],
                inherit_labels=self.inherit_labels,
                iteration=number,
                wait=self.wait,
            )
            for number, request in enumerate(requests)
        )
        return Step(starts=starts, memory=memory)

    def restarted(self, scope: Scope) -> Step:
        """Restart the executions that ended, or begin anew; what succeeded ends again as it did."""
        ended = tuple(dict.fromkeys(scope.memory.get("ended", ())))
        if self.restart_behavior == "RETRY_FAILED" and ended:
            return Step(restarts=ended, memory={"total": len(ended), "results": {}})
        return self.start(scope)

    def flow_started(self, scope: Scope, execution_id: str) -> Step:
        """Nothing is left to do once all executions run by themselves."""
        return Step(outputs={"numberOfBatches": scope.memory["total"]})

    def flow_ended(self, scope: Scope, end: FlowEnd) -> Step:
        """After the last one fail as it did, or merge the outputs."""
        result = {"batch": end.iteration, "state": end.state.value, "outputs": dict(end.outputs or {})}
        memory = {**scope.memory, "results": {**scope.memory["results"], end.execution_id: result}}
        if scope.active:
            return Step(memory=memory)
        if self.transmit_failed and not {*FAILED}.isdisjoint(_states(memory)):
            return Step(memory=memory, outputs=_summary(memory), state=StateType.FAILED)
        return self._merge(scope, memory)

    @staticmethod
    def _merge(scope: Scope, memory: Mapping[str, Any]) -> Step:
        """Have the outputs merged; the task on the worker reads them from the outputs of this one."""
        ended = sorted(memory["results"].values(), key=lambda one: -1 if one["batch"] is None else one["batch"])
        results = [one["outputs"] for one in ended]
        launch = Launch(scope.task.lists["merge"][0])
        return Step(launches=(launch,), memory=memory, outputs={**_summary(memory), "results": results})

    def _requests(self, scope: Scope) -> list[dict[str, Any]]:
        split = scope.task.lists["split"][0].id
        text = scope.render(f"{{{{ read(currentEachOutput(outputs['{split}']).requests) }}}}")
        requests: list[dict[str, Any]] = json.loads(text)
        return requests


def _states(memory: Mapping[str, Any]) -> list[str]:
    """Return the states of the executions that have ended."""
    return [one["state"] for one in memory["results"].values()]


def _summary(memory: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs: how many batches there are, and how many executions ended in which state."""
    states = _states(memory)
    return {
        "numberOfBatches": memory["total"],
        "iterations": {state: states.count(state) for state in sorted(set(states))},
    }

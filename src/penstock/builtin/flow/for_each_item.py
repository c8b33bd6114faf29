"""A flow for each batch of a file's rows: `ForEachItem`, and the two tasks on the worker that belong to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from penstock.builtin.flow.subflow import FAILED
from penstock.builtin.storage.split import Split
from penstock.sdk import Output, PluginError, PluginModel, Property, RunContext, Task, json_text
from penstock.sdk.flow import EndedChild, FlowEnd, Launch, Scope, StartFlow, StateType, Step
from penstock.sdk.task import FlowableTask

AT_ONCE = 500
"""So many executions are begun in one decision; others get their turn in between."""
ENDS = (StateType.SUCCESS, StateType.WARNING, *FAILED)


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

    What it belongs to:

    ```yaml
    tasks:
      - id: each
        type: io.kestra.plugin.core.flow.ForEachItem
        items: "{{ inputs.orders }}"
        namespace: company.sales
        flowId: handle_orders
    ```

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

    What it belongs to:

    ```yaml
    tasks:
      - id: each
        type: io.kestra.plugin.core.flow.ForEachItem
        items: "{{ inputs.orders }}"
        namespace: company.sales
        flowId: handle_orders
        wait: true
    ```

    Implements ENG-089.
    """

    type_name = "io.kestra.plugin.core.flow.ForEachItemMerge"
    output_type: ClassVar[type[Output] | None] = Merged

    def run(self, context: RunContext) -> Merged:
        """Write the outputs in the order of the batches."""
        around = context.variables["taskrun"]["parentId"]
        results = context.call("childOutputs", taskRunId=around)
        lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in results)
        return Merged(subflow_outputs=context.put_bytes(lines.encode(), "outputs.jsonl"))


def _stored(text: str) -> str:
    """Check that the text can give a URI (USE-B132)."""
    if "{{" not in text and "{%" not in text and not text.startswith("kestra://"):
        raise ValueError(f"`{text}` is no stored file: give the URI of one, such as `{{{{ inputs.file }}}}`")
    return text


class ForEachItem(FlowableTask):
    """Execute a flow for each batch of the rows of a file.

    Have another flow work through a file, a hundred rows at a time:

    ```yaml
    tasks:
      - id: orders
        type: io.kestra.plugin.core.http.Download
        uri: https://example.com/orders.jsonl
      - id: each
        type: io.kestra.plugin.core.flow.ForEachItem
        items: "{{ outputs.orders.uri }}"
        batch:
          rows: 100
        namespace: company.sales
        flowId: handle_orders
        inputs:
          file: "{{ taskrun.items }}"
    ```

    Implements ENG-086 to ENG-089, ENG-414 to ENG-416.
    """

    type_name = "io.kestra.plugin.core.flow.ForEachItem"
    type_aliases = ("io.kestra.core.tasks.flows.ForEachItem",)
    calls_flow: ClassVar[bool] = True

    items: Annotated[str, AfterValidator(_stored)] = Field(
        description="The URI of a file in internal storage, whose rows are the items."
    )
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
            warned = scope.flows.count(StateType.WARNING) and self.transmit_failed
            return Step(outputs=_summary(scope), state=StateType.WARNING if warned else None)
        requests = self._requests(scope)
        if not requests:
            return self._merge(scope, {"total": 0, "next": 0})
        return self._begin(scope, requests, 0)

    def _begin(self, scope: Scope, requests: Sequence[Mapping[str, Any]], first: int) -> Step:
        """Execute the flow for the next batches; the others follow at once, in decisions of their own."""
        namespace, flow_id = scope.render(self.namespace), scope.render(self.flow_id)
        last = min(first + AT_ONCE, len(requests))
        starts = tuple(
            StartFlow(
                namespace=namespace,
                flow_id=flow_id,
                revision=self.revision,
                inputs=requests[number]["inputs"],
                labels=requests[number]["labels"],
                inherit_labels=self.inherit_labels,
                iteration=number,
                wait=self.wait,
            )
            for number in range(first, last)
        )
        memory = {"total": len(requests), "next": last}
        return Step(starts=starts, memory=memory, wait_until=scope.now if last < len(requests) else None)

    def timer_due(self, scope: Scope) -> Step:
        """Go on with the batches for which the flow has not been executed yet."""
        return self._more(scope) if scope.memory["next"] < scope.memory["total"] else Step()

    def _more(self, scope: Scope) -> Step:
        return self._begin(scope, self._requests(scope), scope.memory["next"])

    def restarted(self, scope: Scope) -> Step:
        """Restart the executions that failed, or begin anew."""
        if self.restart_behavior == "NEW_EXECUTION" or not scope.flows.letters:
            return self.start(scope)
        failed = scope.flows.positions(FAILED)
        if failed:
            rest = scope.memory["next"] < scope.memory["total"]
            return Step(restarts=failed, wait_until=scope.now if rest else None)
        return self._gone_on(scope)

    def flow_started(self, scope: Scope, execution_id: str) -> Step:
        """Nothing is left to do once all executions run by themselves."""
        if not scope.active and scope.memory["next"] < scope.memory["total"]:
            return self._more(scope)
        return Step(outputs={"numberOfBatches": scope.memory["total"]})

    def flow_ended(self, scope: Scope, end: FlowEnd) -> Step:
        """After the last one fail as it did, or merge the outputs."""
        return Step() if scope.active else self._gone_on(scope)

    def _gone_on(self, scope: Scope) -> Step:
        if scope.memory["next"] < scope.memory["total"]:
            return self._more(scope)
        if scope.failed or (self.transmit_failed and scope.flows.positions(FAILED)):
            return Step(outputs=_summary(scope), state=StateType.FAILED)
        return self._merge(scope, scope.memory)

    @staticmethod
    def _merge(scope: Scope, memory: Mapping[str, Any]) -> Step:
        """Have the outputs merged by a task on the worker."""
        launch = Launch(scope.task.lists["merge"][0])
        return Step(launches=(launch,), memory=memory, outputs={**_summary(scope), "numberOfBatches": memory["total"]})

    def _requests(self, scope: Scope) -> list[dict[str, Any]]:
        text = scope.render(f"{{{{ read(currentEachOutput(outputs['{self.id}_split']).requests) }}}}")
        requests: list[dict[str, Any]] = json.loads(text)
        return requests


def _summary(scope: Scope) -> dict[str, Any]:
    """Return the outputs: how many batches there are, and how many executions ended in which state."""
    counts = {state.value: scope.flows.count(state) for state in sorted(ENDS)}
    return {
        "numberOfBatches": scope.memory.get("total", 0),
        "iterations": {state: count for state, count in counts.items() if count},
    }

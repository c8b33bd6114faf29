"""What is given on a resume, read by what the Pause task asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from penstock.base.errors import ConflictError
from penstock.base.ids import new_id
from penstock.engine.context import variables
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution, TaskRun
from penstock.engine.states import StateType
from penstock.engine.working_set import ExecutionState
from penstock.expressions import Resolver, evaluate
from penstock.model.input_types import BY_TYPE, Input
from penstock.model.inputs import Encrypt, InputProblem, InputState, Render, check_inputs, read_inputs
from penstock.ports.objects import ObjectStorage, path_of
from penstock.ports.queries import ExecutionQueries
from penstock.services.encryption import Encryption
from penstock.services.executions.following import missing_execution
from penstock.services.executions.inputs import Upload, file_uri
from penstock.services.flows import FlowCatalog
from penstock.services.rendering import Answer, with_answers

T = TypeVar("T")

ASKED = "onResume"
"""The property under which a task lists what it asks for."""


class ResumeReader:
    """Reads values given on a resume, so that a wrong or missing one leaves the execution paused.

    Implements ENG-095, USE-B029 and the `resume/validate` endpoint of API-101.

    Args:
        queries: Tells which task runs are paused.
        catalog: Where resolved flows come from.
        answer: Answers functions that defaults need (`kv`, `secret`).
        storage: Where files go.
        encryption: Encrypts secrets; without it they cannot be given.
        shared: Variables the instance adds to every expression: `envs`, `globals`, `kestra`.
    """

    def __init__(
        self,
        queries: ExecutionQueries,
        catalog: FlowCatalog,
        answer: Answer,
        storage: ObjectStorage,
        encryption: Encryption | None = None,
        shared: Mapping[str, Any] | None = None,
    ) -> None:
        self._queries = queries
        self._catalog = catalog
        self._answer = answer
        self._storage = storage
        self._encryption = encryption
        self._shared = shared or {}

    async def read(
        self, execution: Execution, given: Mapping[str, Any], files: Mapping[str, Upload]
    ) -> Mapping[str, Any]:
        """Return the values in the form of their types, defaults included; as given when nothing is asked for.

        Files are stored, and secrets encrypted.

        Raises:
            InvalidInputs: A value is missing, wrong, or not asked for; nothing was stored.
        """
        folder = f"onResume/{new_id()}"  # another one each time, since an execution may ask for the same thing twice
        uris = {input_id: file_uri(execution, folder, input_id, upload) for input_id, upload in files.items()}
        values = await self._read(execution, {**given, **uris})
        for input_id, upload in files.items():
            await self._storage.put(execution.tenant, path_of(uris[input_id]), upload.content)
        return values

    async def _read(self, execution: Execution, given: Mapping[str, Any]) -> Mapping[str, Any]:
        flow, runs = await self._paused(execution.tenant, execution.id)
        asked, asking = _asked(flow, runs)
        if not asked:
            return given
        encrypt = None if self._encryption is None else self._sealing(execution.tenant, self._encryption)
        return await self._with_render(
            flow, execution, runs, asking, lambda render: read_inputs(asked, given, render, encrypt=encrypt)
        )

    async def check(
        self, tenant: str, execution_id: str, given: Mapping[str, Any], files: Mapping[str, Upload]
    ) -> tuple[Execution, Sequence[InputState], Sequence[InputProblem]]:
        """Return how each value that a resume asks for stands, and what is given for none; nothing goes on.

        Raises:
            NotFoundError: There is no such execution.
            ConflictError: It is not paused.
        """
        execution = await self._queries.head(tenant, execution_id)
        if execution is None:
            raise missing_execution(execution_id)
        if execution.state.current is not StateType.PAUSED:
            raise ConflictError(f"execution {execution_id} is {execution.state.current}, not PAUSED")
        flow, runs = await self._paused(tenant, execution_id)
        asked, asking = _asked(flow, runs)
        uris = {name: file_uri(execution, "onResume", name, upload) for name, upload in files.items()}
        states, unknown = await self._with_render(
            flow, execution, runs, asking, lambda render: check_inputs(asked, {**given, **uris}, render)
        )
        return execution, states, unknown if asked else ()

    @staticmethod
    def _sealing(tenant: str, encryption: Encryption) -> Encrypt:
        """Return what encrypts values for the outputs of a task, where they are read from."""
        return lambda _, value: encryption.seal_output(tenant, value)

    async def _paused(self, tenant: str, execution_id: str) -> tuple[ResolvedFlow, Sequence[TaskRun]]:
        found = await self._queries.get(tenant, execution_id)
        if found is None:
            raise missing_execution(execution_id)
        execution, runs = found
        names = (tenant, execution.namespace, execution.flow_id, execution.flow_revision, execution.pins)
        return self._catalog.cached(*names) or await self._catalog.resolved(*names), runs

    async def _with_render(
        self,
        flow: ResolvedFlow,
        execution: Execution,
        runs: Sequence[TaskRun],
        asking: TaskRun | None,
        work: Callable[[Render], T],
    ) -> T:
        """Return what `work` makes of a function that renders templates in the context of the task run that asks."""
        task = None if asking is None else flow.tasks[asking.task_id]
        context = variables(flow, ExecutionState.of(execution, runs), asking, task, shared=self._shared)

        def attempt(resolver: Resolver) -> T:
            return work(lambda template, added: evaluate(template, _with(context, added), resolver=resolver))

        return await with_answers(attempt, execution, self._answer)


def _with(context: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """Return a context with what was read on this resume; the inputs of the flow stay in sight behind it."""
    inputs = {"inputs": {**context["inputs"], **added["inputs"]}} if "inputs" in added else {}
    return {**context, **added, **inputs}


def _asked(flow: ResolvedFlow, runs: Sequence[TaskRun]) -> tuple[list[Input], TaskRun | None]:
    """Return what the paused task runs ask for, each id once, and the first of them that asks."""
    found: dict[str, Input] = {}
    asking: TaskRun | None = None
    for run in runs:
        if run.state.current is not StateType.PAUSED:
            continue
        for definition in flow.tasks[run.task_id].properties.get(ASKED) or ():
            wanted = BY_TYPE[definition["type"]].model_validate(definition)
            found.setdefault(wanted.id, wanted)
            asking = asking or run
    return list(found.values()), asking

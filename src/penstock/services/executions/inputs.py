"""What an execution is given: values read by the flow's declarations, files put into internal storage."""

from __future__ import annotations

import posixpath
import re
from collections.abc import AsyncIterator, Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import msgspec

from penstock.engine.context import variables
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution
from penstock.engine.working_set import ExecutionState
from penstock.expressions import ExpressionError, Resolver, evaluate, is_truthy
from penstock.expressions.encrypted import is_sealed
from penstock.expressions.values import text_of
from penstock.model.document import FlowDocument
from penstock.model.input_types import REGEX_TIMEOUT
from penstock.model.inputs import (
    Encrypt,
    InputProblem,
    InputState,
    Render,
    check_given,
    check_inputs,
    read_inputs,
)
from penstock.model.policies import Check
from penstock.ports.objects import ObjectStorage, path_of, uri_of
from penstock.services.encryption import Encryption
from penstock.services.file_access import execution_folder
from penstock.services.rendering import Answer, with_answers

T = TypeVar("T")

UNKNOWN_YET = frozenset(("vars", "outputs", "tasks"))
"""What no input can read: variables may be made from inputs, and no task has run (ENG-161, ENG-169)."""
_UNSAFE = re.compile(r"[^\w.,@()+ -]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in."""

    name: str
    content: AsyncIterator[bytes]
    size: int = 0


class InputReader:
    """Reads inputs.

    Implements ENG-122, ENG-123, ENG-127, ENG-158 to ENG-188, ENG-192, and the edited inputs of BEY-042.

    Args:
        objects: Where files go.
        answer: Answers functions that defaults and checks need (`kv`, `secret`).
        encryption: Encrypts the values of SECRET inputs; without it they cannot be given (ENG-186, OPS-076).
        regex_timeout: Seconds a `validator` may take (OPS-061).
        shared: Variables the instance adds to every expression: `envs`, `globals`, `kestra`.
    """

    def __init__(
        self,
        objects: ObjectStorage,
        answer: Answer,
        *,
        encryption: Encryption | None = None,
        regex_timeout: float = REGEX_TIMEOUT,
        shared: Mapping[str, Any] | None = None,
    ) -> None:
        self._objects = objects
        self._answer = answer
        self._encryption = encryption
        self._regex_timeout = regex_timeout
        self._shared = shared or {}

    async def filled(
        self, flow: ResolvedFlow, execution: Execution, given: Mapping[str, Any], files: Mapping[str, Upload]
    ) -> Execution:
        """Return the execution with its inputs, files stored.

        Raises:
            InvalidInputs: Something given does not fit, or is missing; nothing was stored.
        """
        uris = {input_id: file_uri(execution, "inputs", input_id, upload) for input_id, upload in files.items()}
        values = await self._read(flow, execution, {**given, **uris})
        for input_id, upload in files.items():
            await self._objects.put(execution.tenant, path_of(uris[input_id]), upload.content)
        return msgspec.structs.replace(execution, inputs=values)

    async def refilled(
        self, flow: ResolvedFlow, execution: Execution, given: Mapping[str, Any], files: Mapping[str, Upload]
    ) -> Execution:
        """Return an execution that has inputs with some of them given anew; all are read again by the flow (BEY-042).

        Raises:
            InvalidInputs: Something does not fit, or is missing; nothing was stored.
        """
        earlier = execution.inputs or {}
        known = {one.id: _at(earlier, one.id) for one in document_of(flow).inputs}
        kept = {name: self._plain(execution, name, value) for name, value in known.items() if value is not None}
        return await self.filled(flow, execution, {**kept, **given}, files)

    def _plain(self, execution: Execution, name: str, value: Any) -> Any:
        """Return an earlier value as it was given: secrets are opened, to be encrypted again."""
        if self._encryption is None or not is_sealed(value):
            return value
        return self._encryption.open(execution.tenant, execution.namespace, execution.flow_id, name, value["value"])

    async def check(
        self, flow: ResolvedFlow, execution: Execution, given: Mapping[str, Any], files: Mapping[str, Upload]
    ) -> tuple[Sequence[InputState], Sequence[InputProblem]]:
        """Return how each input stands, and what is given for none; nothing is stored."""
        uris = {input_id: file_uri(execution, "inputs", input_id, upload) for input_id, upload in files.items()}
        values = {**given, **uris}
        return await self._with_render(
            flow,
            execution,
            lambda render: check_inputs(document_of(flow).inputs, values, render, regex_timeout=self._regex_timeout),
            hidden=UNKNOWN_YET,
        )

    def check_given(self, flow: ResolvedFlow, given: Mapping[str, Any]) -> None:
        """Check values for executions to come, as far as they can be judged by themselves; raises InvalidInputs."""
        check_given(document_of(flow).inputs, given, regex_timeout=self._regex_timeout)

    async def discard(self, execution: Execution, files: Mapping[str, Upload]) -> None:
        """Remove the files that were stored for an execution which is not created after all."""
        if files:
            folder = execution_folder(execution.namespace, execution.flow_id, execution.id)
            await self._objects.delete(execution.tenant, folder)

    async def rendered(self, flow: ResolvedFlow, execution: Execution, template: str) -> str:
        """Return what a template gives in the context of an execution that is about to be created."""
        return text_of(await self._with_render(flow, execution, lambda render: render(template, {})))

    async def failing(self, flow: ResolvedFlow, execution: Execution, inputs: Mapping[str, Any]) -> list[Check]:
        """Return the flow's checks that do not hold with these inputs (ENG-192, ENG-409)."""
        checks = document_of(flow).checks
        if not checks:
            return []
        return await self._with_render(
            flow, execution, lambda render: [check for check in checks if not holds(check, inputs, render)]
        )

    async def _read(self, flow: ResolvedFlow, execution: Execution, given: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._with_render(
            flow,
            execution,
            lambda render: read_inputs(
                document_of(flow).inputs,
                given,
                render,
                encrypt=self._sealing(execution),
                regex_timeout=self._regex_timeout,
            ),
            hidden=UNKNOWN_YET,
        )

    def _sealing(self, execution: Execution) -> Encrypt | None:
        """Return what encrypts the inputs of an execution."""
        if self._encryption is None:
            return None
        return partial(self._encryption.seal, execution.tenant, execution.namespace, execution.flow_id)

    async def _with_render(
        self, flow: ResolvedFlow, execution: Execution, work: Callable[[Render], T], hidden: Container[str] = ()
    ) -> T:
        """Return what `work` makes of a function that renders templates in the execution's context."""
        known = variables(flow, ExecutionState(execution), shared=self._shared)
        context = {name: value for name, value in known.items() if name not in hidden}

        def attempt(resolver: Resolver) -> T:
            return work(lambda template, added: evaluate(template, {**context, **added}, resolver=resolver))

        return await with_answers(attempt, execution, self._answer)


def holds(check: Check, inputs: Mapping[str, Any], render: Render) -> bool:
    """Return whether a check's condition holds; one that cannot be rendered does not (ENG-409)."""
    condition = check.condition
    if isinstance(condition, bool):
        return condition
    try:
        return is_truthy(render(condition, {"inputs": inputs}))
    except ExpressionError:
        return False


def _at(values: Mapping[str, Any], name: str) -> Any:
    """Return the value of an input; a dotted id stands for nested objects."""
    value: Any = values
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def document_of(flow: ResolvedFlow) -> FlowDocument:
    """Return the flow as written."""
    document: FlowDocument = flow.source
    return document


def file_uri(execution: Execution, kind: str, input_id: str, upload: Upload) -> str:
    """Return the address a file will have; its name is kept as far as it is a plain one."""
    folder = f"{execution_folder(execution.namespace, execution.flow_id, execution.id)}/{kind}"
    name = _UNSAFE.sub("_", posixpath.basename(upload.name.replace("\\", "/"))).strip(". ") or "file"
    return uri_of(f"{folder}/{_UNSAFE.sub('_', input_id)}/{name}")

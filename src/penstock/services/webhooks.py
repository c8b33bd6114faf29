"""Webhooks: a request with the right key starts a flow. The key authorises; no login is needed.

Implements API-022, ENG-302 to ENG-305, ENG-413, and the webhook part of BEY-044.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from typing import Any, Protocol, cast

from penstock.base.clock import Micros
from penstock.base.codec import from_json
from penstock.base.durations import parse_duration
from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError, PenstockError, UnavailableError
from penstock.base.ids import new_id
from penstock.engine.context import flow_variables
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import TriggerOrigin
from penstock.engine.states import GOOD
from penstock.expressions import evaluate, render_nested
from penstock.sdk import TriggerBase
from penstock.services.executions import ExecutionService, ExecutionView, Following, Launch
from penstock.services.executions.idempotency import HEADER, checked_key, digest_of
from penstock.services.flows import FlowCatalog
from penstock.services.rendering import Answer, asker, with_answers
from penstock.services.scheduler.conditions import Conditions

WEBHOOK = "io.kestra.plugin.core.trigger.Webhook"
"""The type name of the triggers this module serves."""
_KEY = HEADER.lower()


class WebhookTrigger(Protocol):
    """What the Webhook trigger's class declares."""

    id: str
    type: str
    disabled: bool
    key: str
    wait: bool
    timeout: str | None
    return_outputs: bool
    response_content_type: str
    inputs: Mapping[str, Any] | None
    conditions: Sequence[Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """A request to a webhook."""

    tenant: str
    namespace: str
    flow_id: str
    key: str
    path: str | None
    headers: Sequence[tuple[str, str]]
    parameters: Sequence[tuple[str, str]]
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class WebhookOutcome:
    """What became of a request: the execution, and the trigger that says how to answer."""

    view: ExecutionView
    trigger: WebhookTrigger

    @property
    def outputs(self) -> Mapping[str, Any] | None:
        """The outputs to answer with; None when the trigger asks for none, or without an end that gives any."""
        execution = self.view.execution
        if not (self.trigger.wait and self.trigger.return_outputs):
            return None
        if execution.outputs is None and execution.state.current not in GOOD:
            return None
        return execution.outputs or {}


class WrongKeyError(NotFoundError):
    """There is no such flow, it has no webhook, or the key is another: which of them is not told."""

    code = "NO_WEBHOOK"

    def __init__(self) -> None:
        super().__init__("there is no webhook at this address", hint="check namespace, flow id and key")


class ConditionsNotMetError(ConflictError):
    """The request is not one the trigger reacts to; nothing was started (ENG-272)."""

    code = "CONDITIONS_NOT_MET"


class WebhookService:
    """Starts flows by request.

    Args:
        catalog: Where resolved flows come from.
        triggers: Makes a flow's triggers of their definitions.
        executions: Starts executions.
        following: Waits for their ends.
        answer: Answers functions that a key or an input needs (`secret`, `kv`).
        conditions: Asks the triggers' conditions.
        shared: Variables the instance adds to every expression: `envs`, `globals`, `kestra`.
    """

    def __init__(
        self,
        catalog: FlowCatalog,
        triggers: Callable[[ResolvedFlow], Sequence[TriggerBase]],
        executions: ExecutionService,
        following: Following,
        answer: Answer,
        conditions: Conditions | None = None,
        shared: Mapping[str, Any] | None = None,
    ) -> None:
        self._conditions = conditions or Conditions()
        self._catalog = catalog
        self._executions = executions
        self._following = following
        self._answer = answer
        self._shared = shared or {}
        self._webhooks = lru_cache(maxsize=1000)(lambda flow: _webhooks(triggers(flow)))

    async def call(self, call: WebhookCall) -> WebhookOutcome:
        """Start the flow, and wait for its end when the trigger says so.

        Raises:
            WrongKeyError: The key fits no webhook of the flow.
            UnavailableError: It fits none of those whose keys can be told at present.
            ConflictError: The trigger is disabled, or its conditions do not hold.
        """
        names = (call.tenant, call.namespace, call.flow_id)
        try:
            flow = self._catalog.cached(*names) or await self._catalog.resolved(*names)
        except NotFoundError:
            raise WrongKeyError from None
        trigger = await self._matching(flow, call)
        if trigger.disabled:
            raise ConflictError(f"trigger `{trigger.id}` of flow {flow.namespace}.{flow.id} is disabled")
        origin = TriggerOrigin(trigger.id, trigger.type, _variables(call))
        if trigger.conditions and not await self._conditions.hold(flow, cast(TriggerBase, trigger), origin.variables):
            raise ConditionsNotMetError(f"the conditions of trigger `{trigger.id}` do not hold for this request")
        inputs = await self._inputs(flow, trigger, call, origin)
        execution_id = new_id()
        key = checked_key(next((value for name, value in call.headers if name.lower() == _KEY), None))
        digest = None if key is None else digest_of("webhook", call.path, sorted(call.parameters), call.body.hex())
        launch = Launch(
            *names, inputs=inputs, trigger=origin, execution_id=execution_id, idempotency_key=key, digest=digest
        )
        if not trigger.wait:
            return WebhookOutcome(ExecutionView(await self._executions.create(launch), ()), trigger)
        with self._following.watch(execution_id) as watch:
            execution = await self._executions.create(launch)
            view = await self._following.end_of(execution, execution_id, watch, _timeout(trigger))
        return WebhookOutcome(view, trigger)

    async def _matching(self, flow: ResolvedFlow, call: WebhookCall) -> WebhookTrigger:
        """Return the trigger the key belongs to; how long that takes tells nothing about the key."""
        matching: WebhookTrigger | None = None
        unanswered: UnavailableError | None = None
        given = call.key.encode()
        for trigger in self._webhooks(flow):
            try:
                key = await self._key(flow, trigger)
            except PenstockError as error:  # a key that cannot be rendered fits nothing
                if isinstance(error.__cause__, UnavailableError):
                    unanswered = error.__cause__  # whoever calls may try again: its key may be this one
                continue
            if hmac.compare_digest(key.encode(), given) and matching is None:
                matching = trigger
        if matching is None:
            raise unanswered or WrongKeyError
        return matching

    async def _key(self, flow: ResolvedFlow, trigger: WebhookTrigger) -> str:
        if "{" not in trigger.key:
            return trigger.key
        context = self._known(flow)
        value = await with_answers(
            lambda resolver: evaluate(trigger.key, context, resolver=resolver), asker(flow), self._answer
        )
        return str(value)

    async def _inputs(
        self, flow: ResolvedFlow, trigger: WebhookTrigger, call: WebhookCall, origin: TriggerOrigin
    ) -> Mapping[str, Any]:
        """Return values for the flow's inputs: those of the trigger, then those of the query parameter `inputs`."""
        given = _given_inputs(call.parameters)
        templates = trigger.inputs
        if not templates:
            return given
        context = {**self._known(flow), "trigger": origin.variables}
        rendered = await with_answers(
            lambda resolver: render_nested(dict(templates), context, resolver=resolver), asker(flow), self._answer
        )
        return {**rendered, **given}

    def _known(self, flow: ResolvedFlow) -> dict[str, Any]:
        own = {"flow": flow_variables(flow), "vars": flow.variables, "namespace": flow.namespace_variables}
        return {**self._shared, **own}


def _webhooks(triggers: Sequence[TriggerBase]) -> tuple[WebhookTrigger, ...]:
    return tuple(cast(WebhookTrigger, one) for one in triggers if one.type_name == WEBHOOK)


def _timeout(trigger: WebhookTrigger) -> Micros | None:
    return parse_duration(trigger.timeout) if trigger.timeout else None


def _variables(call: WebhookCall) -> dict[str, Any]:
    """Return `trigger` of the expression context (ENG-303)."""
    variables: dict[str, Any] = {"body": _body(call), "headers": _headers(call.headers)}
    parameters: dict[str, list[str]] = {}
    for name, value in call.parameters:
        parameters.setdefault(name, []).append(value)
    variables["parameters"] = parameters
    if call.path is not None:
        variables["path"] = call.path
    return variables


def _headers(headers: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return headers by name, each a list, under the usual spelling and in lower case; credentials are left out."""
    result: dict[str, list[str]] = {}
    for name, value in headers:
        if name == "cookie" or (name == "authorization" and value[:6].lower() == "basic "):
            continue
        result.setdefault(name, []).append(value)
    for name in list(result):
        result["-".join(part.capitalize() for part in name.split("-"))] = result[name]
    return result


def _body(call: WebhookCall) -> Any:
    """Return the body: parsed when it is JSON, text otherwise, None when there is none."""
    if not call.body:
        return None
    if call.content_type.partition(";")[0].strip().lower().endswith("json") or call.content_type == "":
        try:
            return from_json(call.body)
        except ValueError:
            pass
    return _text(call.body, call.content_type)


def _text(body: bytes, content_type: str) -> str:
    """Return a text in the character set that its type names."""
    header = Message()
    header["content-type"] = content_type
    try:
        return body.decode(str(header.get_param("charset", "utf-8")), "replace")
    except LookupError:  # a name nobody knows
        return body.decode("utf-8", "replace")


def _given_inputs(parameters: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the inputs in the query: `inputs={"a": 1}`, or `inputs=a:1` for each."""
    inputs: dict[str, Any] = {}
    for name, value in parameters:
        if name != "inputs":
            continue
        if value.lstrip().startswith("{"):
            try:
                inputs.update(from_json(value))
            except ValueError as error:
                raise InvalidRequestError(f"the query parameter `inputs` is no JSON: {error}") from error
        else:
            key, _, text = value.partition(":")
            inputs[key] = text
    return inputs

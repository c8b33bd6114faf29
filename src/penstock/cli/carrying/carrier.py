"""Copies what a server holds onto another, one thing after the other; what fails hides nothing else.

A copy may be repeated: what is the same already is left alone, and what differs is replaced only when that is wanted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from penstock.base.clock import SECOND, from_iso
from penstock.base.errors import ConflictError, NotFoundError, PenstockError, UnauthorizedError, UnavailableError
from penstock.cli.carrying.origin import Pair, Trigger, secrets_used
from penstock.cli.carrying.source import Files, Source
from penstock.cli.carrying.steps import Action, Step
from penstock.cli.ctl.deploying import Deployment, check, told
from penstock.cli.ctl.files import NamespaceFiles, RemoteFile
from penstock.cli.remote import RefusedError, Remote, path_of
from penstock.services.keyvalues import TypedValue, convert

_DIFFERS = "give --override to replace what is there"


class Carrier:
    """Copies from one server to another. Implements BEY-040, BEY-047 and BEY-051 in part.

    Args:
        origin: Where things come from.
        remote: Where they go.
        override: Whether what is there and differs is replaced.
        dry_run: Whether to say what would happen only.
        hold: Whether all triggers are switched off, for as long as the other server still fires them.
        patience: How long to wait for the scheduler to meet a trigger, in seconds.
    """

    def __init__(
        self,
        origin: Source,
        remote: Remote,
        *,
        override: bool = False,
        dry_run: bool = False,
        hold: bool = False,
        patience: float = 10.0,
    ) -> None:
        self._origin = origin
        self._remote = remote
        self._override = override
        self._dry_run = dry_run
        self._hold = hold
        self._patience = patience
        self._deployment = Deployment(remote, override=override, dry_run=dry_run)

    def carry(self) -> Iterator[Step]:
        """Copy everything; yields what became of each thing.

        Raises:
            UnavailableError: One of the servers does not answer.
            UnauthorizedError: One of them does not let us.
        """
        flows = list(self._origin.flows())
        namespaces = sorted({namespace for namespace, _ in flows} | set(self._origin.namespaces()))
        secrets: dict[str, set[str]] = {}
        for namespace in namespaces:
            yield from self._settings(namespace)
            yield from self._files(namespace)
            yield from self._pairs(namespace)
            secrets[namespace] = self._origin.secrets(namespace)
        triggers = list(self._origin.triggers())
        for namespace, flow_id in flows:
            step, source = self._flow(namespace, flow_id)
            yield step
            secrets[namespace] |= secrets_used(source)
            if step.action is not Action.FAILED:
                of_flow = [one for one in triggers if (one.namespace, one.flow_id) == (namespace, flow_id)]
                for trigger in of_flow:
                    yield from self._trigger(trigger)
        for dashboard_id, source in self._origin.dashboards():
            yield self._attempt("dashboard", dashboard_id, partial(self._put_dashboard, dashboard_id, source))
        for name in sorted(set().union(*secrets.values())):
            hint = f"`penstock ctl secrets set`, or give the server a variable SECRET_{name.upper()}"
            yield Step("secret", name, Action.LEFT, "its value cannot be read", hint)
        for kind, count, hint in self._origin.others():
            yield Step(kind, f"{count} in all", Action.LEFT, "not copied", hint)

    def _flow(self, namespace: str, flow_id: str) -> tuple[Step, str]:
        name, source = f"{namespace}.{flow_id}", ""
        try:
            source = self._origin.source(namespace, flow_id)
            return Step("flow", name, self._put_flow(namespace, flow_id, source)), source
        except (UnavailableError, UnauthorizedError):
            raise
        except PenstockError as error:
            return Step("flow", name, Action.FAILED, told(error), error.hint), source

    def _put_flow(self, namespace: str, flow_id: str, source: str) -> Action:
        """Store a flow; one that is not there yet with its earlier revisions, but for those that are refused today."""
        earlier = () if self._dry_run else self._origin.earlier(namespace, flow_id)
        path = path_of("flows", namespace, flow_id)
        if not earlier or self._remote.find(path) is not None:
            return Action(self._deployment.put(namespace, flow_id, source))
        write = ("POST", "flows")
        for one in earlier:
            with suppress(RefusedError):
                self._remote.send_yaml(*write, one)
                write = ("PUT", path)
        self._remote.send_yaml(*write, source)
        return Action.CREATED

    def _settings(self, namespace: str) -> Iterator[Step]:
        wanted, others = self._origin.settings(namespace)
        if wanted:
            yield self._attempt("namespace", namespace, partial(self._put_settings, namespace, wanted))
        for name in others:
            hint = "set what it stood for otherwise, or do without"
            yield Step("setting", f"{namespace}.{name}", Action.LEFT, "there is no such setting here", hint)

    def _put_settings(self, namespace: str, wanted: dict[str, Any]) -> Action:
        path = path_of("namespaces", namespace)
        there = self._remote.find(path) or {}
        present = {name: there[name] for name in ("description", "variables", "pluginDefaults") if there.get(name)}
        if wanted == {name: present.get(name) for name in wanted}:
            return Action.UNCHANGED
        body = {"id": namespace, **present, **wanted}
        return self._put(bool(present), partial(self._remote.ask, "PUT", path, json=body))

    def _files(self, namespace: str) -> Iterator[Step]:
        source, target = self._origin.files(namespace), NamespaceFiles(self._remote, namespace)
        files = [one for one in source.walk() if not one.is_folder]
        there = {one.path: one for one in target.walk()} if files else {}
        for file in files:
            name = f"{namespace}:{file.path}"
            yield self._attempt("file", name, partial(self._put_file, source, target, file, there.get(file.path)))

    def _put_file(self, source: Files, target: NamespaceFiles, file: RemoteFile, present: RemoteFile | None) -> Action:
        content = b"".join(source.read(file.path))
        if present is not None and target.holds(present, content):
            return Action.UNCHANGED
        return self._put(present is not None, partial(target.put, file.path, content))

    def _pairs(self, namespace: str) -> Iterator[Step]:
        for pair in self._origin.pairs(namespace):
            yield self._attempt("pair", f"{namespace}:{pair.key}", partial(self._put_pair, pair))

    def _put_pair(self, pair: Pair) -> Action:
        path = path_of("namespaces", pair.namespace, "kv", pair.key)
        wanted = convert(pair.type, json.dumps(pair.value) if pair.type == "JSON" else pair.value)
        body = self._remote.find(path)
        present = None if body is None else TypedValue(str(body["type"]), body.get("value"))
        if wanted == present:
            return Action.UNCHANGED
        return self._put(present is not None, partial(self._send_pair, path, pair, wanted))

    def _send_pair(self, path: str, pair: Pair, wanted: TypedValue) -> None:
        text = json.dumps(wanted.value)
        params = {"type": wanted.type} | ({"description": pair.description} if pair.description else {})
        if pair.expires:
            params["ttl"] = f"PT{max(1.0, from_iso(pair.expires) / SECOND - time.time()):f}S"
        body = json.dumps(text) if wanted.type == "JSON" and isinstance(wanted.value, str) else text
        self._remote.ask("PUT", path, content=body.encode(), params=params, headers={"Content-Type": "text/plain"})

    def _put_dashboard(self, dashboard_id: str, source: str) -> Action:
        path = path_of("dashboards", dashboard_id)
        there = self._remote.find(path)
        if there is not None and there.get("sourceCode") == source:
            return Action.UNCHANGED
        write = ("POST", "dashboards") if there is None else ("PUT", path)
        if self._dry_run:
            check(self._remote, "dashboards/validate", source)
        return self._put(there is not None, partial(self._remote.send_yaml, *write, source))

    def _trigger(self, trigger: Trigger) -> Iterator[Step]:
        if trigger.disabled or self._hold:
            yield self._attempt("trigger", trigger.name, partial(self._disable, trigger))
        if trigger.has_backfill:
            yield Step("backfill", trigger.name, Action.LEFT, "it would run twice", "order what is left of it anew")

    def _disable(self, trigger: Trigger) -> Action:
        if self._dry_run:
            return Action.UPDATED
        name = {"namespace": trigger.namespace, "flowId": trigger.flow_id, "triggerId": trigger.trigger_id}
        deadline = time.monotonic() + self._patience
        while (state := self._state(trigger)) is None:  # the scheduler meets the triggers of a new flow on its own
            if time.monotonic() > deadline:
                raise NotFoundError("the server has not met this trigger yet", hint="start its scheduler and repeat")
            time.sleep(0.1)
        if state.get("disabled"):
            return Action.UNCHANGED
        self._remote.ask("PUT", "triggers", json={**name, "disabled": True})
        return Action.UPDATED

    def _state(self, trigger: Trigger) -> dict[str, Any] | None:
        found = self._remote.pages(path_of("triggers", trigger.namespace, trigger.flow_id))
        return next((one for one in found if one.get("triggerId") == trigger.trigger_id), None)

    def _put(self, exists: bool, write: Callable[[], object]) -> Action:
        """Write what differs from what is there, if anything is; returns what was done.

        Raises:
            ConflictError: Something else is there, which may not be replaced.
        """
        if exists and not self._override:
            raise ConflictError("it exists and differs", hint=_DIFFERS)
        if not self._dry_run:
            write()
        return Action.UPDATED if exists else Action.CREATED

    def _attempt(self, kind: str, name: str, do: Callable[[], Action]) -> Step:
        try:
            return Step(kind, name, do())
        except (UnavailableError, UnauthorizedError):
            raise
        except PenstockError as error:
            return Step(kind, name, Action.FAILED, told(error), error.hint)

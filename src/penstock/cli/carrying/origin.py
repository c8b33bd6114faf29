"""What a server of Kestra holds, as its API tells it; the shapes of its versions are told apart here alone.

Servers before 0.23 have no tenant in their paths. Lists of triggers hold states alone, or states beside definitions;
lists of pairs are arrays, or pages. Durations among the pairs are ISO 8601, or a number of seconds. What only some
servers have (secrets, apps, ...) is asked for, and taken as absent where there is no such path or no right to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.base.errors import NotFoundError, PenstockError, UnavailableError
from penstock.cli.ctl.files import NamespaceFiles
from penstock.cli.remote import Remote, path_of
from penstock.model.yaml import read_yaml

_SECRET = re.compile(r"""\bsecret\(\s*(?:key\s*=\s*)?['"]([^'"]+)['"]""")
_COPIED_SETTINGS = ("description", "variables", "pluginDefaults")
_OTHERS = {
    "app": ("apps/search", "there are no apps here"),
    "asset": ("assets/search", "they come again as flows run here; send those made by hand to `assets` of the API"),
    "blueprint": ("blueprints/custom", "make it a blueprint here with its source"),
    "template": ("templates/search", "use a subflow instead"),
    "test suite": ("tests/search", "send its source to `tests` of the API here, or run it with `penstock test`"),
    "user": ("/api/v1/users", "there is one account here"),
}
"""What is counted only: where it is listed, and what to say of it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A key-value pair of the source."""

    namespace: str
    key: str
    type: str
    value: Any = field(repr=False)
    description: str | None = None
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """The state of a trigger of the source."""

    namespace: str
    flow_id: str
    trigger_id: str
    disabled: bool
    has_backfill: bool

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.namespace}.{self.flow_id}.{self.trigger_id}"


class Origin:
    """A server to copy from.

    Args:
        remote: The server.
        only: Copy only these namespaces and those below them; all when there are none.
    """

    def __init__(self, remote: Remote, only: Sequence[str] = ()) -> None:
        self._remote = remote
        self._only = only

    def open(self) -> None:
        """Find out how its paths look.

        Raises:
            NotFoundError: It has no flows under any of them.
        """
        if self._remote.find("flows/search", size=1) is not None:
            return
        tenant, self._remote.tenant = self._remote.tenant, ""
        if self._remote.find("flows/search", size=1) is None:
            raise NotFoundError(
                f"{self._remote.host} has neither a tenant `{tenant}` nor paths without tenants",
                hint="check --url and --tenant",
            )

    def flows(self) -> Iterator[tuple[str, str]]:
        """Yield (namespace, id) of all flows."""
        for flow in self._remote.pages("flows/search", sort="id:asc"):
            if self._wanted(flow["namespace"]) and not flow.get("deleted"):
                yield str(flow["namespace"]), str(flow["id"])

    def source(self, namespace: str, flow_id: str) -> str:
        """Return a flow's YAML source.

        Raises:
            NotFoundError: It has none.
        """
        flow = self._remote.get(path_of("flows", namespace, flow_id), source="true")
        if not flow.get("source"):
            raise NotFoundError(f"flow {namespace}.{flow_id} has no source")
        return str(flow["source"])

    def earlier(self, namespace: str, flow_id: str) -> Sequence[str]:
        """Return nothing: of a server, the latest revision is copied."""
        return ()

    def revisions(self, namespace: str, flow_id: str) -> Iterator[tuple[int, str]]:
        """Yield (number, source) of all revisions of a flow."""
        for one in self._remote.get(path_of("flows", namespace, flow_id, "revisions")):
            if one.get("source"):
                yield int(one["revision"]), str(one["source"])

    def namespaces(self) -> list[str]:
        """Return the namespaces that may hold something, those of the flows not among them."""
        found = set(self._only)  # one with files alone is in no list
        for path, key in (("namespaces/search", "id"), ("kv", "namespace")):
            found |= {str(row[key]) for row in self._optional_pages(path) if row.get(key)}
        return sorted(name for name in found if self._wanted(name))

    def settings(self, namespace: str) -> tuple[dict[str, Any], list[str]]:
        """Return what is set for a namespace and can be copied, and the names of what else is set."""
        found = self._optional(path_of("namespaces", namespace)) or {}
        copied = {name: found[name] for name in _COPIED_SETTINGS if found.get(name)}
        others = {"id", "deleted", "disabled", "tenantId", *_COPIED_SETTINGS}
        return copied, sorted(name for name, value in found.items() if value and name not in others)

    def files(self, namespace: str) -> NamespaceFiles:
        """Return the files of a namespace."""
        return NamespaceFiles(self._remote, namespace)

    def pairs(self, namespace: str) -> Iterator[Pair]:
        """Yield the pairs of a namespace, those that have expired left out."""
        found = self._remote.find(path_of("namespaces", namespace, "kv")) or ()
        for entry in found.get("results", ()) if isinstance(found, dict) else found:
            key = str(entry["key"])
            answer = self._remote.ask("GET", path_of("namespaces", namespace, "kv", key), allow=(404, 410))
            if not answer.is_success:
                continue
            body = answer.json()
            kind, value = str(body["type"]).upper(), body.get("value")
            if kind == "DURATION" and isinstance(value, int | float):
                value = f"PT{value:.9f}".rstrip("0").rstrip(".") + "S"
            yield Pair(namespace, key, kind, value, entry.get("description"), entry.get("expirationDate"))

    def triggers(self) -> Iterator[Trigger]:
        """Yield the states of all triggers."""
        for row in self._optional_pages("triggers/search"):
            state = row.get("triggerContext") or row
            if self._wanted(state["namespace"]):
                yield Trigger(
                    str(state["namespace"]),
                    str(state["flowId"]),
                    str(state["triggerId"]),
                    bool(state.get("disabled")),
                    bool(state.get("backfill")),
                )

    def dashboards(self) -> Iterator[tuple[str, str]]:
        """Yield (id, YAML source) of the dashboards people wrote; they belong to no namespace."""
        for row in self._optional_pages("dashboards") if not self._only else ():
            body = self._optional(path_of("dashboards", str(row["id"]))) or row
            source = str(body.get("sourceCode") or body.get("source") or "")
            named = read_yaml(source).data
            has_id = isinstance(named, dict) and named.get("id")
            yield str(row["id"]), source if has_id else f"id: {row['id']}\n{source}"

    def secrets(self, namespace: str) -> set[str]:
        """Return the names of the secrets kept for a namespace; their values nobody can read."""
        found = self._optional(path_of("namespaces", namespace, "secrets")) or {}
        return {str(one["key"]) for one in found.get("results", ()) if one.get("key")}

    def others(self) -> Iterator[tuple[str, int, str]]:
        """Yield (kind, how many, what to do about them) of what cannot be copied."""
        for kind, (path, hint) in _OTHERS.items():
            found = self._optional(path, size=1)
            count = found.get("total") if isinstance(found, dict) else None
            if count:
                yield kind, int(count), hint

    def _wanted(self, namespace: str) -> bool:
        return not self._only or any(namespace == one or namespace.startswith(f"{one}.") for one in self._only)

    def _optional(self, path: str, **params: Any) -> Any | None:
        """Return what is at a path, or None where the server has none or does not let us."""
        try:
            return self._remote.find(path, **params)
        except UnavailableError:
            raise
        except PenstockError:
            return None

    def _optional_pages(self, path: str) -> Iterator[Mapping[str, Any]]:
        if self._optional(path, size=1) is not None:
            yield from self._remote.pages(path)


def secrets_used(source: str) -> set[str]:
    """Return the names of the secrets that a flow's source asks for by name."""
    return set(_SECRET.findall(source))

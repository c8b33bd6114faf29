"""The secrets and keys that a flow names, against those there are on this server. Implements BEY-033."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from penstock.base.clock import Clock
from penstock.model.complaints import closest
from penstock.model.flow import ParsedFlow
from penstock.model.problems import Problem, Severity
from penstock.ports.keyvalue import KeyValueStore
from penstock.ports.secrets import SecretSource


class KnownNames:
    """Warns about secrets and keys that are not there (yet): a flow may be saved before them.

    Args:
        secrets: The secrets.
        key_values: The keys; without a store, nothing is said of them.
        clock: Decides which keys have expired.
    """

    def __init__(self, secrets: SecretSource, key_values: KeyValueStore | None, clock: Clock) -> None:
        self._secrets = secrets
        self._key_values = key_values
        self._clock = clock

    async def problems(self, tenant: str, parsed: ParsedFlow) -> list[Problem]:
        """Return a warning for each name that is not there."""
        namespace = parsed.data.get("namespace")
        functions = {mentioned.function for mentioned in parsed.mentions}
        if not functions or not isinstance(namespace, str):
            return []
        known: dict[str, Sequence[str]] = {}
        if "secret" in functions:
            known["secret"] = await self._secrets.names(tenant, namespace)
        if "kv" in functions and self._key_values is not None:
            pairs = await self._key_values.list(tenant, namespace, self._clock.now())
            known["kv"] = [*(pair.key for pair in pairs), *_set_by(parsed.data)]
        return [
            Problem(
                Severity.WARNING,
                one.path,
                _message(one.function, one.name, namespace),
                _hint(one.function, one.name, known[one.function]),
                one.line,
                one.column,
                "UNKNOWN_NAME",
            )
            for one in parsed.mentions
            if one.function in known and not {one.name, one.name.upper()} & set(known[one.function])
        ]


def _message(function: str, name: str, namespace: str) -> str:
    return f"there is no secret `{name}`" if function == "secret" else f"namespace {namespace} has no key `{name}`"


def _hint(function: str, name: str, known: Iterable[str]) -> str:
    near = closest(name, known) or closest(name.upper(), known)
    if near is not None:
        return f"did you mean `{near}`?"
    return "add it before the flow runs" if function == "secret" else "add it, or give `errorOnMissing=false`"


def _set_by(value: Any) -> Iterator[str]:
    """Yield the keys that tasks of the flow name: one of them may set it."""
    if isinstance(value, Mapping):
        if isinstance(value.get("key"), str):
            yield value["key"]
        for item in value.values():
            yield from _set_by(item)
    elif isinstance(value, list):
        for item in value:
            yield from _set_by(item)

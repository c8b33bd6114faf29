"""Files elsewhere that are looked at and left where they are: which of them have been seen, by a key-value pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field

from penstock.sdk import PluginModel, Property, RunContext
from penstock.sdk.items import FileTaskError

Change = Literal["CREATE", "UPDATE", "CREATE_OR_UPDATE"]
Versions = Mapping[str, str]
"""What tells a file from the same name with another content, by name."""


class Noticing(PluginModel):
    """Properties of a trigger that leaves files where they are."""

    on: Property[Change] = Field(
        Property.of("CREATE_OR_UPDATE"), description="With `action: NONE`: whether new files count, changed, or both."
    )
    state_key: Property[str] | None = Field(
        None, description="With `action: NONE`: the key of the pair that says what has been seen."
    )
    state_ttl: Property[timedelta] | None = Field(
        None, description="With `action: NONE`: for how long that pair is kept; else for ever."
    )

    def noticed(self, context: RunContext, there: Versions) -> tuple[set[str], Callable[[set[str]], None]]:
        """Return the names of files that count, and what notes which of them have been dealt with."""
        seen = self.seen(context)
        fresh = self.unseen(context, there, seen)
        if not fresh:
            self.remember(context, seen, there, set(there))
        return fresh, lambda done: self.remember(context, seen, there, done)

    def seen(self, context: RunContext) -> Versions:
        """Return what has been seen.

        Raises:
            FileTaskError: The pair holds something else.
        """
        found = context.call("kv", key=self._key(context), errorOnMissing=False)
        if found is None:
            return {}
        if not isinstance(found, Mapping):
            raise FileTaskError("the pair `stateKey` is in use for something else", hint="name another one")
        return found

    def unseen(self, context: RunContext, there: Versions, seen: Versions) -> set[str]:
        """Return the names of those that count."""
        change = context.render(self.on)
        new = {name for name in there if name not in seen and change != "UPDATE"}
        return new | {name for name in there if seen.get(name, there[name]) != there[name] and change != "CREATE"}

    def remember(self, context: RunContext, seen: Versions, there: Versions, dealt_with: set[str]) -> None:
        """Note what has been dealt with; forget what is gone."""
        noted = {name: version for name, version in seen.items() if name in there}
        noted |= {name: there[name] for name in dealt_with}
        if noted == seen:
            return
        ttl = context.render(self.state_ttl)
        life: dict[str, Any] = {} if ttl is None else {"ttl": f"PT{ttl.total_seconds():g}S"}
        context.call("kvSet", key=self._key(context), value=noted, type="JSON", **life)

    def _key(self, context: RunContext) -> str:
        flow, trigger = context.variables["flow"], context.variables["trigger"]
        return context.render(self.state_key) or f"{flow['id']}_{trigger['id']}_files"

"""`Trigger`: objects that have come or changed, as a source of events."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.aws.connection import AwsError, Text
from penstock.builtin.aws.listing import Acting, Found
from penstock.sdk import PollingTrigger, Property, RunContext, TriggerEvent

Change = Literal["CREATE", "UPDATE", "CREATE_OR_UPDATE"]


class Trigger(Acting, PollingTrigger):
    """Look for objects of a bucket every `interval`, and start the flow with them. Needs `penstock[aws]`.

    The flow reads `trigger.objects`, each with a `uri` in internal storage. When its execution is stored, they are
    moved or deleted. With `action: NONE` they stay, and a key-value pair of the namespace says which have been seen.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.aws.s3.Trigger
        interval: PT1M
        region: eu-west-1
        bucket: shop
        prefix: new/
        action: MOVE
        moveTo: {key: archive}
    ```

    Implements ENG-270, ENG-307, ENG-309.
    """

    type_name = "io.kestra.plugin.aws.s3.Trigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"objects"})

    on: Property[Change] = Field(
        Property.of("CREATE_OR_UPDATE"), description="With `action: NONE`: whether new objects count, changed, or both."
    )
    state_key: Text = Field(None, description="With `action: NONE`: the key of the pair that says what has been seen.")
    state_ttl: Property[timedelta] | None = Field(
        None, description="With `action: NONE`: for how long that pair is kept; else for ever."
    )

    def poll(self, context: RunContext) -> TriggerEvent | None:
        """Look, and download what there is; what becomes of the objects is done when that is certain."""
        self.check(context)
        seen = self._seen(context) if context.render(self.action) == "NONE" else None
        with self.objects(context) as client:
            there = list(self.found(context, client))
            fresh = [one for one in there if self._counts(context, one, seen)][: context.render(self.max_keys)]
            if seen is not None and not fresh:
                self._remember(context, seen, there, there)
            if not fresh:
                return None
            stored = [self.with_file(context, client, one) for one in fresh]

        def acknowledge() -> None:
            if seen is not None:
                self._remember(context, seen, there, fresh)
                return
            with self.objects(context) as again:
                self.act(context, again, fresh)

        objects = [one.model_dump(by_alias=True, exclude_none=True) for one in stored]
        return TriggerEvent({"objects": objects}, _key(fresh), acknowledge)

    def _counts(self, context: RunContext, one: Found, seen: Mapping[str, str] | None) -> bool:
        if seen is None:
            return True
        change, known = context.render(self.on), seen.get(one.key)
        if known is None:
            return change != "UPDATE"
        return known != one.version and change != "CREATE"

    def _state_key(self, context: RunContext) -> str:
        flow, trigger = context.variables["flow"], context.variables["trigger"]
        return context.render(self.state_key) or f"{flow['id']}_{trigger['id']}_objects"

    def _seen(self, context: RunContext) -> Mapping[str, str]:
        """Return the versions of objects that have been seen.

        Raises:
            AwsError: The pair holds something else.
        """
        found = context.call("kv", key=self._state_key(context), errorOnMissing=False)
        if found is None:
            return {}
        if not isinstance(found, Mapping):
            raise AwsError("the pair `stateKey` is in use for something else", hint="name another one")
        return found

    def _remember(
        self, context: RunContext, seen: Mapping[str, str], there: list[Found], dealt_with: list[Found]
    ) -> None:
        """Note the versions of what has been dealt with; forget what is gone."""
        keys = {one.key for one in there}
        noted = {key: version for key, version in seen.items() if key in keys}
        noted |= {one.key: one.version for one in dealt_with}
        if noted == seen:
            return
        life: dict[str, Any] = {}
        ttl = context.render(self.state_ttl)
        if ttl is not None:
            life = {"ttl": f"PT{ttl.total_seconds():g}S"}
        context.call("kvSet", key=self._state_key(context), value=noted, type="JSON", **life)


def _key(found: list[Found]) -> str:
    """Return the name of objects together."""
    return hashlib.sha256("\n".join(f"{one.bucket} {one.key} {one.version}" for one in found).encode()).hexdigest()

"""`Trigger`: objects that have come or changed, as a source of events."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from penstock.builtin.aws.listing import Acting, Found
from penstock.builtin.storage.seen import Noticing
from penstock.sdk import PollingTrigger, RunContext, TriggerEvent


class Trigger(Acting, Noticing, PollingTrigger):
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

    def poll(self, context: RunContext) -> TriggerEvent | None:
        """Look, and download what there is; what becomes of the objects is done when that is certain."""
        self.check(context)
        stays = context.render(self.action) == "NONE"
        with self.objects(context) as client:
            there = list(self.found(context, client))
            versions = {one.key: one.version for one in there}
            wanted, note = self.noticed(context, versions) if stays else (versions.keys(), None)
            fresh = [one for one in there if one.key in wanted][: context.render(self.max_keys)]
            if not fresh:
                return None
            stored = [self.with_file(context, client, one) for one in fresh]

        def acknowledge() -> None:
            if note is not None:
                note({one.key for one in fresh})
                return
            with self.objects(context) as again:
                self.act(context, again, fresh)

        objects = [one.model_dump(by_alias=True, exclude_none=True) for one in stored]
        return TriggerEvent({"objects": objects}, _key(fresh), acknowledge)


def _key(found: list[Found]) -> str:
    """Return the name of objects together."""
    return hashlib.sha256("\n".join(f"{one.bucket} {one.key} {one.version}" for one in found).encode()).hexdigest()

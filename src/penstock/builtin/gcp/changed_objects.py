"""`Trigger`: objects that have come or changed, as a source of events."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from penstock.builtin.gcp.blobs import Acting, downloaded
from penstock.builtin.storage.seen import Noticing
from penstock.sdk import PollingTrigger, RunContext, TriggerEvent


class Trigger(Acting, Noticing, PollingTrigger):
    """Look for objects of a bucket every `interval`, and start the flow with them. Needs `penstock[gcp]`.

    The flow reads `trigger.blobs` (or `trigger.objects`, the same), each with a `uri` in internal storage. When its
    execution is stored, they are moved or deleted. With `action: NONE` they stay, and a key-value pair of the namespace
    says which have been seen.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.gcp.gcs.Trigger
        interval: PT1M
        from: gs://shop/new/
        action: MOVE
        moveDirectory: gs://shop/archive/
    ```

    Implements ENG-270, ENG-307, ENG-309.
    """

    type_name = "io.kestra.plugin.gcp.gcs.Trigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"blobs", "objects"})

    def poll(self, context: RunContext) -> TriggerEvent | None:
        """Look, and download what there is; what becomes of the objects is done when that is certain."""
        self.target(context)
        stays = context.render(self.action) == "NONE"
        with self.storage(context) as client:
            there = {one.name: one for one in self.found(context, client)}
            versions = {name: one.version for name, one in there.items()}
            names, note = self.noticed(context, versions) if stays else (versions.keys(), None)
            fresh = [one for name, one in there.items() if name in names][: context.render(self.max_files)]
            if not fresh:
                return None
            stored = [downloaded(context, client, one) for one in fresh]

        def acknowledge() -> None:
            if note is not None:
                note({one.name for one in fresh})
                return
            with self.storage(context) as again:
                self.act(context, again, fresh)

        objects = [one.model_dump(by_alias=True, exclude_none=True) for one in stored]
        key = "\n".join(f"{one.bucket} {one.name} {one.version}" for one in fresh)
        variables = {"blobs": objects, "objects": objects}
        return TriggerEvent(variables, hashlib.sha256(key.encode()).hexdigest(), acknowledge)

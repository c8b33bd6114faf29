"""`Trigger`: files that have come or changed on a machine, as a source of events."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from penstock.builtin.fs.sftp import Acting, stored
from penstock.builtin.storage.seen import Noticing
from penstock.sdk import PollingTrigger, RunContext, TriggerEvent


class Trigger(Acting, Noticing, PollingTrigger):
    """Look for files of a machine every `interval`, and start the flow with them. Needs `penstock[ssh]`.

    The flow reads `trigger.files`, each with its `path` in internal storage. When its execution is stored, they are
    moved or deleted. With `action: NONE` they stay, and a key-value pair of the namespace says which have been seen.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.fs.sftp.Trigger
        interval: PT1M
        host: files.example.com
        username: robot
        keyfile: "{{ secret('SFTP_KEY') }}"
        from: /in
        action: MOVE
        moveDirectory: /archive
    ```

    Implements ENG-270, ENG-307, ENG-309.
    """

    type_name = "io.kestra.plugin.fs.sftp.Trigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"files"})

    def poll(self, context: RunContext) -> TriggerEvent | None:
        """Look, and download what there is; what becomes of the files is done when that is certain."""
        stays = context.render(self.action) == "NONE"
        with self.session(context) as session:
            there = self.files(context, session)
            versions = {one.server_path: one.version for one in there}
            wanted, note = self.noticed(context, versions) if stays else (versions.keys(), None)
            fresh = [one for one in there if one.server_path in wanted]
            if not fresh:
                return None
            found = [stored(context, session, one) for one in fresh]

        def acknowledge() -> None:
            if note is not None:
                note({one.server_path for one in fresh})
                return
            with self.session(context) as again:
                self.act(context, again, fresh)

        files = [one.model_dump(by_alias=True, exclude_none=True) for one in found]
        names = "\n".join(f"{one.server_path} {one.version}" for one in fresh)
        key = hashlib.sha256(f"{context.render(self.host)} {names}".encode()).hexdigest()
        return TriggerEvent({"files": files}, key, acknowledge)

"""`MailReceivedTrigger`, `RealtimeTrigger`: letters that have come, as a source of events."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.email.letters import letter_fields
from penstock.builtin.email.mailboxes import MailAccount, Mailbox, Place
from penstock.sdk import PollingTrigger, Property, RealtimeTrigger, RunContext, TriggerEvent

_MOST = 100
"""How many letters a look takes at most; the next one takes the others."""


class _Watched(MailAccount):
    """A folder that is watched. A key-value pair of the namespace says how far it has been read."""

    def _place(self, context: RunContext, box: Mailbox) -> Place:
        """Return where to go on. What is there when somebody looks for the first time has not come."""
        found = context.call("kv", key=_key(context), errorOnMissing=False)
        known = found if isinstance(found, Mapping) else None
        place = box.begin(known)
        if place != known:
            if known is not None:
                context.logger.warning("the folder was made anew; what is in it by now is passed over")
            _kept(context, place)()
        return place

    def _letter(self, context: RunContext, box: Mailbox, name: str) -> dict[str, Any]:
        return letter_fields(context, box.content(name), self._named(context, name))

    def _named(self, context: RunContext, *names: str) -> str:
        """Return what tells letters from all others."""
        where = (context.render(self.host), context.render(self.username), context.render(self.mail_folder))
        return hashlib.sha256("\n".join((*where, *names)).encode()).hexdigest()


class MailReceivedTrigger(_Watched, PollingTrigger):
    """Look for new mails every `interval`, and start the flow with them.

    The flow reads `trigger.emails`, a list of mails, each with `subject`, `from`, `to`, `cc`, `bcc`, `body`, `date`,
    `messageId` and `attachments` (`filename`, `contentType`, `size`, and the `uri` in internal storage); the newest of
    them is `trigger.latestEmail`, and `trigger.total` says how many there are. Needs `penstock[email]` for IMAP.

    ```yaml
    triggers:
      - id: letters
        type: io.kestra.plugin.email.MailReceivedTrigger
        host: imap.example.com
        username: robot@example.com
        password: "{{ secret('MAIL_PASSWORD') }}"
        interval: PT5M
    ```

    Implements ENG-270, ENG-307, ENG-312.
    """

    type_name = "io.kestra.plugin.email.MailReceivedTrigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"latestEmail", "total", "emails"})

    def poll(self, context: RunContext) -> TriggerEvent | None:
        """Read what has come; the place is moved on when that is dealt with."""
        with self.mailbox(context) as box:
            place = self._place(context, box)
            names = box.fresh(place)[:_MOST]
            emails = [self._letter(context, box, name) for name in names]
            for name in names:
                place = box.after(place, name)
        if not emails:
            return None
        variables = {"latestEmail": emails[-1], "total": len(emails), "emails": emails}
        return TriggerEvent(variables, self._named(context, *names), _kept(context, place))


class LetterTrigger(_Watched, RealtimeTrigger):
    """Start the flow for each mail as soon as it comes.

    The flow reads `trigger.subject`, `trigger.from`, `trigger.to`, `trigger.cc`, `trigger.bcc`, `trigger.body`,
    `trigger.date`, `trigger.messageId` and `trigger.attachments` (`filename`, `contentType`, `size`, `uri`). By IMAP
    the server tells of a mail when it comes; else it is asked every `interval`. Needs `penstock[email]` for IMAP.

    ```yaml
    triggers:
      - id: letter
        type: io.kestra.plugin.email.RealtimeTrigger
        host: imap.example.com
        username: robot@example.com
        password: "{{ secret('MAIL_PASSWORD') }}"
    ```

    Implements ENG-311, ENG-312.
    """

    type_name = "io.kestra.plugin.email.RealtimeTrigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset(
        {"subject", "from", "to", "cc", "bcc", "body", "date", "messageId", "attachments"}
    )

    interval: Property[timedelta] = Field(
        Property.of(timedelta(seconds=60)), description="How often to ask a server that tells of nothing by itself."
    )

    def listen(self, context: RunContext, stop: threading.Event) -> Iterator[TriggerEvent]:
        """Wait for letters, one after the other."""
        seconds = context.render(self.interval).total_seconds()
        while not stop.is_set():
            with self.mailbox(context) as box:
                place, is_open = self._place(context, box), True
                while is_open and not stop.is_set():
                    for name in box.fresh(place):
                        after = box.after(place, name)
                        key = self._named(context, name)
                        yield TriggerEvent(self._letter(context, box, name), key, _kept(context, after))
                        place = after
                    is_open = box.wait(stop, seconds)


def _kept(context: RunContext, place: Place) -> Callable[[], None]:
    """Return what notes a place."""
    return lambda: context.call("kvSet", key=_key(context), value=place, type="JSON")


def _key(context: RunContext) -> str:
    flow, trigger = context.variables["flow"], context.variables["trigger"]
    return f"{flow['id']}_{trigger['id']}_mails"

"""Alerts of triggers: that one is late, that its evaluation fails, and that all is well again (BEY-005).

They take no execution: what cannot be started may be the very thing that is wrong. What has been told is kept in the
database, so that each is told once, whichever server looks; one that cannot be delivered is told at the next look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import structlog

from penstock.base.clock import SECOND, Clock, Instant, Micros, to_iso
from penstock.base.errors import PenstockError
from penstock.ports.settings import SettingsStore
from penstock.ports.triggers import TriggerState, TriggerStore

log = structlog.get_logger(__name__)
KEY = "penstock.alerts.triggers"
LATE, FAILING = "LATE", "FAILING"
KINDS = (LATE, FAILING)
_GRACE: Micros = 60 * SECOND
"""How late a trigger must be for people to be told: a busy moment is no news."""


class Alert(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Something that is wrong with a trigger, or has been."""

    kind: str
    """`LATE`: its date has passed unserved; `FAILING`: its last evaluation failed."""
    tenant: str
    namespace: str
    flow_id: str
    trigger_id: str
    resolved: bool = False
    """Whether it is over."""
    since: str | None = None
    """The date that has passed."""
    failures: int = 0
    """How many evaluations have failed one after another."""
    error: str | None = None

    @property
    def name(self) -> str:
        """What tells it from others."""
        return f"{self.kind}/{self.tenant}/{self.namespace}/{self.flow_id}/{self.trigger_id}"

    @property
    def sentence(self) -> str:
        """The alert in words."""
        trigger = f"Trigger {self.trigger_id} of {self.namespace}.{self.flow_id}"
        if self.kind == LATE:
            return f"{trigger} is served again." if self.resolved else f"{trigger} is late: it was due at {self.since}."
        if self.resolved:
            return f"{trigger} is evaluated without errors again."
        return f"{trigger} fails ({self.failures} times in a row): {self.error}"


class AlertSender(Protocol):
    """Brings alerts to people."""

    async def send(self, alerts: Sequence[Alert]) -> None:
        """Send alerts. Raises UnavailableError when they did not arrive."""
        ...


class TriggerAlerts:
    """Looks for triggers that are late or fail, and tells each once. Implements BEY-005 (notification).

    Args:
        triggers: The states of triggers.
        settings: Keeps what has been told.
        sender: Brings alerts to people.
        clock: The present.
        kinds: What is told: some of `KINDS`.
    """

    def __init__(
        self,
        triggers: TriggerStore,
        settings: SettingsStore,
        sender: AlertSender,
        clock: Clock,
        kinds: Collection[str] = KINDS,
    ) -> None:
        self._triggers = triggers
        self._settings = settings
        self._sender = sender
        self._clock = clock
        self._kinds = kinds

    async def look(self) -> Sequence[Alert]:
        """Tell what is wrong now and was not before, and what is over; returns it.

        Raises:
            UnavailableError: It could not be told.
        """
        now = self._clock.now()
        found = [alert for state in await self._triggers.all() for alert in alerts_of(state, now)]
        wrong = {alert.name: alert for alert in found if alert.kind in self._kinds}
        kept: Mapping[str, Any] = await self._settings.get(KEY) or {}
        told = {name: msgspec.convert(alert, Alert) for name, alert in kept.items()}
        over = [msgspec.structs.replace(alert, resolved=True) for name, alert in told.items() if name not in wrong]
        news = [*(alert for name, alert in wrong.items() if name not in told), *over]
        if news:
            await self._sender.send(news)
            await self._settings.put(KEY, msgspec.to_builtins({name: told.get(name, wrong[name]) for name in wrong}))
        return news


def alerts_of(state: TriggerState, now: Instant) -> Sequence[Alert]:
    """Return what is wrong with a trigger."""
    found = []
    since = state.late_since(now)
    if since is not None and since + _GRACE <= now:
        found.append(Alert(LATE, *state.key, since=to_iso(since)))
    if state.failures and not state.disabled:
        found.append(Alert(FAILING, *state.key, failures=state.failures, error=state.error))
    return found


async def keep_telling(alerts: TriggerAlerts, every: Micros, is_mine: Callable[[], bool]) -> None:
    """Look from time to time, for ever.

    Args:
        alerts: Looks.
        every: How long it waits in between.
        is_mine: Whether it is this process that looks: one of several servers is enough.
    """
    while True:
        await asyncio.sleep(every / SECOND)
        if not is_mine():
            continue
        try:
            news = await alerts.look()
        except PenstockError as error:
            log.warning("alerts not told", action="alerts.tell", error=str(error))
        except Exception:  # not worth the end of the server
            log.exception("alerts not told", action="alerts.tell")
        else:
            for alert in news:
                log.warning("alert", action="alerts.tell", sentence=alert.sentence)

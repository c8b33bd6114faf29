"""What people say of flows and triggers in a simulation, and what must follow from it (BEY-041)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from penstock.base.clock import SECOND, Instant, Micros
from penstock.ports.switches import SwitchName, SwitchState
from penstock.services.switches import SwitchOrder, SwitchService
from penstock.simulation.disk import Disk, StateChange
from penstock.simulation.flows import NAMESPACE, SCHEDULES, SWITCHED
from penstock.simulation.invariants import Violation
from penstock.simulation.scenario import Happening
from penstock.wiring.core import Core

TENANT = "main"
_STATES = {
    "pause until": SwitchState.PAUSED,
    "disable": SwitchState.DISABLED,
    "enable": SwitchState.ENABLED,
}
_SKEW: Micros = 2 * SECOND
"""How far a clock may be off."""
_HEARD: Micros = 14 * SECOND
"""Everybody has looked a flow's switches up again so long after a change, if nothing breaks."""
_THAWED: Micros = 60 * SECOND
"""The same of a process that stood still."""
_DATES: Micros = 5 * SECOND
_FIRED = "SELECT flow_id, schedule_date FROM executions WHERE id = ? AND schedule_date NOTNULL"
_LAST = "SELECT max(schedule_date) FROM executions WHERE flow_id = ?"
_NONE = math.inf


@dataclass(slots=True)
class Said:
    """An order of somebody."""

    number: int
    asked: Instant
    names: tuple[str, ...]
    state: SwitchState | None
    """None: what the source says."""
    until: float = _NONE
    seen: float = _NONE
    """When it was carried out, as far as the database knows."""
    answered: float = _NONE
    """When that was acknowledged."""

    @property
    def reason(self) -> str:
        """What tells it from others."""
        return f"order {self.number}"

    @property
    def stops(self) -> bool:
        """Whether nothing may start because of it."""
        return self.state in (SwitchState.DISABLED, SwitchState.PAUSED)


@dataclass(slots=True)
class Stop:
    """A time during which a flow or trigger was stopped, as the database knew it."""

    name: str
    since: Instant
    until: float
    """When the order ends it."""
    fired: Instant
    """The last date that had started the flow before."""
    gone: float = _NONE
    """When something else was said, as the database knew it."""
    lifted: float = _NONE
    """When somebody wanted that; the server that is asked dates it at any time between the two."""

    @property
    def end(self) -> float:
        """When it was over."""
        return min(self.until, self.gone)

    @property
    def surely(self) -> float:
        """Until when nobody had ended it."""
        return min(self.until, self.lifted)

    def concerns(self, flow: str) -> bool:
        """Return whether it stops a flow, or its trigger."""
        return self.name.partition(".")[0] == flow


@dataclass(slots=True)
class Switching:
    """Gives people's orders, and checks what becomes of them.

    Args:
        disk: The database.
        beginning: The true time at which the simulation began.
        anything_breaks: Whether anything does, or gets lost.
    """

    disk: Disk
    beginning: Instant
    anything_breaks: bool
    orders: list[Said] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    _holding: dict[str, Said] = field(default_factory=dict)
    """What the database has of each name."""

    # -- what people say

    def order(self, happening: Happening, now: Micros) -> Said:
        """Return what somebody wants; a pause may end at the very time of a date."""
        state, until = _STATES.get(happening.kind), _NONE
        if state is SwitchState.PAUSED:
            end = self.beginning + now + (happening.span or 10 * SECOND)
            until = end if happening.span else end - end % _DATES + _DATES
        said = Said(len(self.orders), self.beginning + now, tuple(happening.flow.split()), state, until)
        self.orders.append(said)
        return said

    def everything(self, now: Micros) -> Said:
        """Return the order to let all sources count again."""
        self.orders.append(Said(len(self.orders), self.beginning + now, SWITCHED, None))
        return self.orders[-1]

    async def carry_out(self, core: Core, said: Said) -> None:
        """Give an order to a server."""
        store = core.store
        service = SwitchService(store.switches, store.triggers, core.triggers, core.catalog, store.notifier, core.clock)
        names: list[SwitchName] = [_key(name) for name in said.names]
        if said.state is None:
            await service.release(TENANT, names)
            return
        order = SwitchOrder(said.state, None if said.until == _NONE else int(said.until), said.reason)
        await service.set(TENANT, names, order, None)

    def acknowledged(self, said: Said, now: Micros) -> None:
        """Check that an order that was acknowledged has been carried out, or has been followed by another.

        Those that were on their way at the same time may have been carried out in either order.
        """
        said.answered = self.beginning + now
        if said.seen < _NONE or (said.state is None and not any(self._was_before(name, said) for name in said.names)):
            return
        raise Violation(f"{said.reason} ({said.state} for {', '.join(said.names)}) was acknowledged and is lost")

    def _was_before(self, name: str, said: Said) -> bool:
        holding = self._holding.get(name)
        return holding is not None and holding.seen < said.asked

    # -- after every commit

    def check(self, changes: Iterable[StateChange], now: Micros) -> None:
        """Check what a commit has done; raises Violation."""
        instant = self.beginning + now
        for change in changes:
            if change.kind != "execution":
                continue
            if change.before is None:
                self._check_date(change)
            if change.before in (None, "CREATED") and change.after in ("RUNNING", "FAILED"):
                self._check_begin(change, instant)
        if switched := self.disk.switched():
            self._take_over(switched, instant)

    def _check_date(self, change: StateChange) -> None:
        """Check that no date is fired that the database knows to be stopped."""
        for flow, date in self.disk.rows(_FIRED, change.id):
            when = int(str(date))
            for name, said in self._holding.items():
                if name.partition(".")[0] == flow and said.stops and self._since(name) <= when < said.until:
                    what = f"{flow} was started for {_second(when)} though {name} is {said.state}"
                    raise Violation(what, change.execution_id)

    def _check_begin(self, change: StateChange, now: Instant) -> None:
        """Check that new executions of a flow are refused while it is stopped, and at no other time."""
        [(flow, error)] = self.disk.rows(
            "SELECT flow_id, progress ->> '$.error' FROM executions WHERE id = ?", change.id
        )
        lag = _THAWED if self.anything_breaks else _HEARD
        stops = [stop for stop in self.stops if stop.name == flow]
        if change.after == "RUNNING" and any(one.since + lag < now < one.end - _SKEW for one in stops):
            raise Violation(f"an execution of {flow} began though the flow is stopped", change.execution_id)
        refused = "which is disabled (" in str(error)
        if refused and not any(one.since - _SKEW <= now <= one.end + lag for one in stops):
            raise Violation(f"an execution of {flow} was refused though nobody had stopped it", change.execution_id)

    def _take_over(self, switched: dict[str, str | None], now: Instant) -> None:
        """Check that what is said has changed as somebody has ordered, whole, and note since when it holds."""
        put = {name for name, reason in switched.items() if reason is not None}
        gone = set(switched) - put
        for reason in {reason for reason in switched.values() if reason is not None}:
            said = next(one for one in self.orders if one.reason == reason)
            found = {name for name, each in switched.items() if each == reason}
            if found != set(said.names):
                raise Violation(f"{reason} is for {', '.join(said.names)}, but was carried out for {sorted(found)}")
            said.seen = now
        unexplained = {name for name in gone if self._holding[name].until > now + _SKEW}
        releases = [set(one.names) & self._holding.keys() for one in self.orders if one.state is None]
        if unexplained and not any(unexplained <= one <= gone for one in releases):
            raise Violation(f"what was said of {', '.join(sorted(unexplained))} is lost")
        for name in switched:
            for stop in self.stops:
                if stop.name == name and stop.gone == _NONE:
                    stop.gone, stop.lifted = now, self._lifted(name, switched[name], stop)
            self._holding.pop(name, None)
        for name in sorted(put):
            said = next(one for one in self.orders if one.reason == switched[name])
            self._holding[name] = said
            if said.stops:
                [(fired,)] = self.disk.rows(_LAST, name.partition(".")[0])
                self.stops.append(Stop(name, now, said.until, int(str(fired or 0))))

    def _lifted(self, name: str, reason: str | None, stop: Stop) -> float:
        """Return when somebody can have wanted first what has ended a stop."""
        if reason is not None:
            return next(one.asked for one in self.orders if one.reason == reason)
        may = [one for one in self.orders if one.state is None and name in one.names and one.answered > stop.since]
        return min((one.asked for one in may), default=_NONE)

    def _since(self, name: str) -> Instant:
        return max(stop.since for stop in self.stops if stop.name == name) + _SKEW

    # -- at the end

    def may_miss(self, flow: str, date: Instant) -> bool:
        """Return whether a date need not have come: it was stopped, or late already when the flow was stopped."""
        for stop in self.stops:
            if stop.concerns(flow):
                is_late = self.anything_breaks or flow == "exclusive"
                last = stop.fired if is_late else stop.since - 2 * _SKEW
                if last < date < min(stop.until, stop.gone + 2 * _SKEW):
                    return True
        return False

    def check_dates(self) -> None:
        """Check that no date that came while a flow was stopped has started it, not even later."""
        for flow in SCHEDULES:
            rows = self.disk.rows(
                "SELECT id, schedule_date FROM executions WHERE flow_id = ? AND schedule_date NOTNULL", flow
            )
            for execution_id, found in rows:
                date = int(str(found))
                for stop in self.stops:
                    if stop.concerns(flow) and stop.since + _SKEW <= date < stop.surely - _SKEW:
                        what = f"{flow} was started for {_second(date)}, when {stop.name} was stopped"
                        raise Violation(what, str(execution_id))


def _key(name: str) -> SwitchName:
    flow, _, trigger = name.partition(".")
    return (NAMESPACE, flow, trigger)


def _second(instant: Instant) -> str:
    return f"{instant / SECOND % 3600:.0f} s past the hour"

"""`ScheduleMonitor` on a whole server."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.base.clock import SECOND
from penstock.ports.triggers import TriggerState
from tests.builtin.polling.conftest import Polled

SCHEDULE = "type: io.kestra.plugin.core.trigger.Schedule, cron: '0 0 1 1 *'"
MONITOR = (
    "type: io.kestra.plugin.kestra.triggers.ScheduleMonitor, interval: PT0.2S, namespace: team, "
    "auth: {username: admin, password: secret}"
)


async def stored(polled: Polled, flow_id: str, **changes: Any) -> TriggerState:
    """Store a flow with a schedule, and change the schedule's state."""
    await polled.flow(SCHEDULE, flow_id=flow_id)
    state: TriggerState | None = None
    while state is None:
        state = await polled.core.store.triggers.get("main", "team", flow_id, "watch")
    changed = msgspec.structs.replace(state, **changes)
    await polled.core.store.triggers.save(changed)
    return changed


async def test_schedule_monitor_schedules_in_trouble_starts_the_flow_with_them(polled: Polled) -> None:
    """ENG-289."""
    now = polled.core.clock.now()
    await stored(polled, "well")
    await stored(polled, "late", next_date=now - 3600 * SECOND)
    await stored(polled, "locked", execution_id="gone")
    await stored(polled, "dateless", next_date=None)
    await stored(polled, "off", next_date=None, disabled=True)
    await polled.flow(f"{SCHEDULE}, disabled: true", flow_id="off_in_source")
    await polled.flow(f"{MONITOR}, stopAfter: [SUCCESS]")
    execution = (await polled.executions(1))[0]
    assert execution.trigger is not None
    data = {one["flowId"]: one["reason"] for one in execution.trigger.variables["data"]}
    assert data == {
        "late": "it was due and has not run",
        "locked": "it is locked by execution gone, which has ended",
        "dateless": "it has no next date",
    }


async def test_schedule_monitor_all_is_well_starts_nothing(polled: Polled) -> None:
    """ENG-289: neither does trouble in a flow that is not asked for."""
    await stored(polled, "late", next_date=polled.core.clock.now() - 3600 * SECOND)
    await stored(polled, "well")
    await polled.flow(f"{MONITOR}, flowId: well")
    await polled.until(lambda state: state.date is not None)
    assert await polled.executions() == []

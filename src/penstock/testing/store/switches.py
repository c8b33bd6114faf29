"""The contract of every `SwitchStore`."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as replace_state

from penstock.base.ids import new_id
from penstock.ports.depths import Depth
from penstock.ports.queries import Filter, PageRequest
from penstock.ports.switches import Switch, SwitchState
from penstock.ports.triggers import Outcome, TriggerState
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW, execution

FLOW = Switch("main", "team", "hello", "", SwitchState.DISABLED, NOW, by="ada", reason="the disk is full")
TRIGGER = replace(FLOW, trigger_id="daily", state=SwitchState.PAUSED, until=NOW + 10, reason=None)


def resumed(state: TriggerState, switch: Switch) -> TriggerState:
    """Return a state that tells when its pause was over."""
    return replace_state(state, next_date=switch.until)


class SwitchStoreContract:
    """What holds for every store of switches. A subclass gives the fixture `store`."""

    async def test_switch_is_kept_whole_and_replaced_by_the_next(self, store: StorePorts) -> None:
        other = replace(FLOW, flow_id="other", state=SwitchState.ENABLED, by=None)
        await store.switches.put((FLOW, TRIGGER, other))
        assert await store.switches.of_flow("main", "team", "hello") == [FLOW, TRIGGER]
        later = replace(FLOW, state=SwitchState.PAUSED, until=NOW + 5, since=NOW + 1, by="bob", reason="later")
        await store.switches.put([later])
        assert await store.switches.of_flows("main", [("team", "hello"), ("team", "other")]) == [later, TRIGGER, other]
        assert await store.switches.of_flow("other", "team", "hello") == []
        assert await store.switches.all() == [later, TRIGGER, other]

    async def test_switch_is_removed_when_it_says_what_is_named(self, store: StorePorts) -> None:
        await store.switches.put([FLOW])
        names = [FLOW.name, ("team", "hello", "other")]
        assert await store.switches.remove("main", names, [SwitchState.ENABLED]) == []
        assert await store.switches.remove("main", names, [SwitchState.PAUSED, SwitchState.DISABLED]) == [FLOW.name]
        assert await store.switches.remove("main", names) == []

    async def test_switches_are_over_at_their_time(self, store: StorePorts) -> None:
        await store.switches.put((FLOW, TRIGGER))
        await store.triggers.save(TriggerState("main", "team", "hello", "daily"))
        await store.triggers.save(TriggerState("main", "team", "hello", "weekly"))
        assert await store.switches.remove_over(NOW + 9, resumed) == []
        assert await store.switches.remove_over(NOW + 10, resumed) == [TRIGGER]
        assert await store.switches.of_flow("main", "team", "hello") == [FLOW]
        assert [state.next_date for state in await store.triggers.all()] == [NOW + 10, None]

    async def test_end_of_a_flow_s_pause_is_told_to_the_states_of_all_its_triggers(self, store: StorePorts) -> None:
        await store.switches.put([replace(TRIGGER, trigger_id="")])
        for name in ("daily", "weekly"):
            await store.triggers.save(TriggerState("main", "team", "hello", name))
        await store.triggers.save(TriggerState("main", "team", "other", "daily"))
        await store.switches.remove_over(NOW + 10, resumed)
        assert [state.next_date for state in await store.triggers.all()] == [NOW + 10, NOW + 10, None]

    async def test_trigger_that_a_switch_stopped_is_resumed_when_it_is_enabled_or_released(
        self, store: StorePorts
    ) -> None:
        enabled = replace(TRIGGER, state=SwitchState.ENABLED, until=None)
        for switch, date in ((TRIGGER, NOW + 10), (enabled, None)):
            for enable in (
                lambda: store.switches.put([enabled], resumed),
                lambda: store.switches.remove("main", [TRIGGER.name], (), resumed),
            ):
                await store.switches.put([switch])
                await store.triggers.save(TriggerState("main", "team", "hello", "daily"))
                await enable()
                assert [state.next_date for state in await store.triggers.all()] == [date]

    async def test_trigger_fires_for_nobody_who_does_not_know_what_is_said_of_it(self, store: StorePorts) -> None:
        """Be it something new, something else, or something that is gone; what is said of others does not count."""
        before = TriggerState("main", "team", "hello", "daily")
        others = (replace(TRIGGER, trigger_id="weekly"), replace(TRIGGER, flow_id="other"))
        await store.switches.put((FLOW, TRIGGER, *others))

        async def fired(*said: Switch) -> Outcome:
            due = replace_state(execution(), id=new_id())
            return await store.triggers.fire(before, before, due, said=said)

        await store.triggers.save(before)
        later = replace(TRIGGER, until=NOW + 11)
        for said in ((), (FLOW,), (TRIGGER,), (FLOW, later), (FLOW, TRIGGER, *others)):
            assert await fired(*said) is Outcome.SWITCHED
        assert await fired(FLOW, TRIGGER) is Outcome.DONE
        await store.switches.remove("main", [TRIGGER.name])
        assert await fired(FLOW, TRIGGER) is Outcome.SWITCHED
        assert await store.triggers.fire(before, before, None) is Outcome.DONE

    async def test_switches_that_hold_are_counted_by_what_they_say(self, store: StorePorts) -> None:
        await store.switches.put((FLOW, TRIGGER, replace(FLOW, flow_id="other")))
        found = [depth for depth in await store.depths.depths(NOW + 9) if depth.queue == "switches"]
        assert sorted(found, key=lambda depth: depth.group) == [
            Depth("switches", "DISABLED", 2),
            Depth("switches", "PAUSED", 1),
        ]
        assert Depth("switches", "PAUSED", 1) not in await store.depths.depths(NOW + 10)

    async def test_triggers_that_a_switch_disables_are_found_as_disabled(self, store: StorePorts) -> None:
        for name in ("daily", "weekly"):
            await store.triggers.save(TriggerState("main", "team", "hello", name))
        await store.switches.put([TRIGGER])
        await store.switches.put([replace(TRIGGER, trigger_id="weekly", state=SwitchState.ENABLED, until=None)])
        for word, name in (("DISABLED", "daily"), ("ENABLED", "weekly")):
            page = await store.triggers.search("main", [Filter("triggerState", "EQUALS", word)], PageRequest())
            assert [state.trigger_id for state in page.results] == [name]

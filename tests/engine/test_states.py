"""The tables of states: every pair of states is either a legal step or refused."""

from __future__ import annotations

from itertools import product

import pytest

from penstock.engine.states import (
    EXECUTION_TRANSITIONS,
    TASK_RUN_TRANSITIONS,
    TERMINAL,
    IllegalTransition,
    State,
    StateType,
    follow_execution,
    follow_task_run,
)

EXECUTION_PAIRS = list(product(EXECUTION_TRANSITIONS, StateType))
TASK_RUN_PAIRS = list(product(TASK_RUN_TRANSITIONS, StateType))


@pytest.mark.parametrize(("before", "after"), EXECUTION_PAIRS, ids=lambda state: state.value)
def test_execution_step_is_legal_exactly_when_the_table_has_it(before: StateType, after: StateType) -> None:
    state = State.at(before, 1)
    if after in EXECUTION_TRANSITIONS[before]:
        assert follow_execution(state, after, 2).current is after
    else:
        with pytest.raises(IllegalTransition):
            follow_execution(state, after, 2)


@pytest.mark.parametrize(("before", "after"), TASK_RUN_PAIRS, ids=lambda state: state.value)
def test_task_run_step_is_legal_exactly_when_the_table_has_it(before: StateType, after: StateType) -> None:
    state = State.at(before, 1)
    if after in TASK_RUN_TRANSITIONS[before]:
        assert follow_task_run(state, after, 2).current is after
    else:
        with pytest.raises(IllegalTransition):
            follow_task_run(state, after, 2)


def test_every_state_that_can_be_entered_has_a_row_of_its_own() -> None:
    for table in (EXECUTION_TRANSITIONS, TASK_RUN_TRANSITIONS):
        assert {state for targets in table.values() for state in targets} <= set(table)


def test_every_open_state_can_reach_an_end() -> None:
    for table in (EXECUTION_TRANSITIONS, TASK_RUN_TRANSITIONS):
        for state in set(table) - TERMINAL:
            reached, frontier = {state}, [state]
            while frontier:
                frontier = [after for one in frontier for after in table[one] if after not in reached]
                reached.update(frontier)
            assert reached & TERMINAL, state


def test_history_keeps_every_change_in_order_and_leaves_the_earlier_state_alone() -> None:
    created = State.at(StateType.CREATED, 10)
    running = follow_execution(created, StateType.RUNNING, 20)
    ended = follow_execution(running, StateType.SUCCESS, 30)
    assert [change.state for change in ended.histories] == ["CREATED", "RUNNING", "SUCCESS"]
    assert (ended.start, ended.end, running.end) == (10, 30, None)
    assert len(created.histories) == 1

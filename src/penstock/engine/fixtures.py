"""Tasks that do not run because something stands in for them: in tests of flows, and in runs of a part of a flow.

Implements GOV-321, GOV-325, GOV-330.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from penstock.base.errors import NotFoundError
from penstock.engine.ending import end_run
from penstock.engine.facts import FactNeeded
from penstock.engine.flow import ResolvedFlow, ResolvedTask
from penstock.engine.records import TaskFixture, TaskRun
from penstock.engine.states import StateType
from penstock.engine.turn import Turn, replace


def stand_in(turn: Turn, run: TaskRun, task: ResolvedTask) -> bool:
    """End a task run as its fixture says, whatever the task itself would do; False when it has none."""
    fixtures = turn.execution.fixtures
    fixture = fixtures.of(task.id, run.value) if fixtures is not None else None
    if fixtures is None or fixture is None:
        return False
    state = fixture.state
    try:
        outputs = turn.render_nested(dict(fixture.outputs), run, task, {"files": fixtures.files})
    except FactNeeded:
        raise
    except Exception as error:
        turn.log("ERROR", f"the outputs of the fixture of task `{task.id}` cannot be made: {turn.explain(error)}", run)
        outputs, state = None, StateType.FAILED
    if state is not StateType.SKIPPED:
        run = turn.move(run, StateType.RUNNING)
    run = turn.put(replace(run, outputs=outputs or None))
    end_run(turn, run, task, state)
    return True


def skipped_after(flow: ResolvedFlow, task_id: str) -> dict[str, TaskFixture]:
    """Return the fixtures that end a flow with a task: what would begin after it is skipped (BEY-030).

    That is what comes later in the lists around it, and in a Dag what it does not depend on. Other branches of a
    Parallel run, and so do error handlers and `finally`.

    Raises:
        NotFoundError: There is no such task, or it runs inside a task that is handed to a worker as a whole.
    """
    child = flow.tasks.get(task_id)
    if child is None:
        raise NotFoundError(
            f"flow {flow.namespace}.{flow.id} has no task `{task_id}` to stop at",
            hint=f"its tasks: {', '.join(flow.tasks)}",
        )
    skipped = list(flow.lists.get("afterExecution", ()))
    while child is not None:
        parent = flow.tasks.get(flow.parents.get(child.id, ""))
        siblings = (parent or flow).lists[child.branch]
        skipped += _later(parent, child, siblings)
        child = parent
    return {one.id: TaskFixture(StateType.SKIPPED) for one in skipped if one.id != task_id}


def _later(
    parent: ResolvedTask | None, child: ResolvedTask, siblings: Sequence[ResolvedTask]
) -> Iterable[ResolvedTask]:
    """Return the siblings that need not run for a child to run."""
    after = siblings[siblings.index(child) + 1 :]
    if parent is None or parent.flowable is None or not parent.flowable.side_by_side():
        return after
    entries = parent.properties.get("tasks")
    waits = {
        str(one["task"].get("id")): one.get("dependsOn") or ()
        for one in (entries if isinstance(entries, list) else ())
        if isinstance(one, dict) and isinstance(one.get("task"), dict)
    }
    if waits:  # a Dag
        needed, wanted = {child.name}, [child.name]
        while wanted:
            new = [name for name in waits.get(wanted.pop(), ()) if name not in needed]
            needed.update(new)
            wanted += new
        return [one for one in siblings if one.name not in needed]
    # An iteration of a loop runs its list in order; branches of a Parallel have none.
    return after if getattr(parent.flowable, "is_loop", False) else ()

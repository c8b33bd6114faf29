/** What can be played of a flow, and where a play begins and ends (UI-100, UI-101, UI-163). */
import type { Execution, Flow, TaskRun } from "@/api/types";
import { hasEnded } from "./states";

/** So many runs are kept; older ones are deleted. */
export const KEPT = 10;

export interface Step {
  readonly id: string;
  readonly type: string;
  readonly run?: TaskRun;
  /** The tasks that have to be played before. */
  readonly missing: readonly string[];
}

/** What a play does: which execution it goes on from, at which task, and before which it stops. */
export interface Play {
  readonly from?: { readonly executionId: string; readonly taskId: string };
  readonly breakpoints: readonly string[];
}

/** The tasks of a flow in their order, with what was played of them last. */
export function stepsOf(flow: Pick<Flow, "tasks">, last: Pick<Execution, "taskRunList"> | undefined): Step[] {
  const runs = new Map((last?.taskRunList ?? []).map((run) => [run.taskId, run]));
  const missing: string[] = [];
  return (flow.tasks ?? []).map(({ id, type }) => {
    const run = runs.get(id);
    const played = run !== undefined && hasEnded(run.state.current);
    const step: Step = { id, type, run: played || isActive(run) ? run : undefined, missing: [...missing] };
    if (!played) missing.push(id);
    return step;
  });
}

/** The play of one task, or of it and all that follows. */
export function playOf(flow: Pick<Flow, "tasks">, taskId: string, last: Execution | undefined, downstream: boolean): Play {
  const ids = (flow.tasks ?? []).map((task) => task.id);
  const at = ids.indexOf(taskId);
  const next = ids[at + 1];
  const breakpoints = downstream || next === undefined ? [] : [next];
  // A task that the last run reached can be begun at, whether it was run or stopped before.
  const reached = last?.taskRunList?.some((run) => run.taskId === taskId);
  return at > 0 && last && reached ? { from: { executionId: last.id, taskId }, breakpoints } : { breakpoints };
}

/** What every task may read of a flow: when it changes, nothing that was played holds any more. */
export function fingerprint(flow: Readonly<Record<string, unknown>> | undefined): string {
  return JSON.stringify([flow?.inputs ?? null, flow?.variables ?? null, flow?.pluginDefaults ?? null, flow?.outputs ?? null]);
}

function isActive(run: TaskRun | undefined): boolean {
  return run !== undefined && !["CREATED", "BREAKPOINT"].includes(run.state.current);
}

/** What may be changed in a replay (BEY-042): outputs that are reused, and tasks that are skipped. */
import type { Execution, Task, TaskRun } from "@/api/types";
import { isFilled } from "./outputs";
import { hasEnded } from "./states";
import { startOf } from "./timeline";

export interface Edits {
  readonly skip: readonly string[];
  /** New outputs by the id of the task run that had them. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

export const NO_EDITS: Edits = { skip: [], outputs: {} };

/** The task runs whose outputs a replay from another one reuses: those with outputs that had ended before it began. */
export function reusedBy(execution: Pick<Execution, "taskRunList">, from: TaskRun): TaskRun[] {
  const begin = startOf(from) ?? Infinity;
  return (execution.taskRunList ?? []).filter((run) => run.id !== from.id && run.id !== from.parentTaskRunId && hasEnded(run.state.current) && (startOf(run) ?? Infinity) <= begin && isFilled(run.outputs));
}

/** The ids of all tasks, however deep they are nested, in the order they are written. */
export function taskIds(tasks: readonly Task[]): string[] {
  return tasks.flatMap((task) => [task.id, ...Object.entries(task).flatMap(([name, value]) => (name === "taskRunner" ? [] : taskIds(tasksIn(value))))]);
}

function tasksIn(value: unknown): Task[] {
  if (Array.isArray(value)) return value.flatMap(tasksIn);
  if (typeof value !== "object" || value === null) return [];
  return "id" in value && "type" in value ? [value as Task] : Object.values(value).flatMap(tasksIn);
}

/** The body of a replay with changes; the values of a form as the texts they are typed as. */
export function replayBody(edits: Edits, form: FormData | undefined): Record<string, unknown> {
  const inputs = Object.fromEntries([...(form ?? new FormData()).entries()].filter(([, value]) => typeof value === "string"));
  return { skip: edits.skip, outputs: edits.outputs, inputs };
}

export function isEdited({ skip, outputs }: Edits): boolean {
  return skip.length > 0 || Object.keys(outputs).length > 0;
}

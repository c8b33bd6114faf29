/** Finding a task in a flow's definition, however deep it is nested. */
import type { Task } from "@/api/types";

/** The task of this id among these and all tasks inside them. */
export function findTask(tasks: readonly Task[], id: string): Task | undefined {
  for (const task of tasks) {
    if (task.id === id) return task;
    const found = findTask(Object.values(task).flatMap(tasksIn), id);
    if (found) return found;
  }
  return undefined;
}

/** Tasks directly inside a property: a list, one task, or a map of lists such as `cases`. */
function tasksIn(value: unknown): Task[] {
  if (Array.isArray(value)) return value.flatMap(tasksIn);
  if (typeof value !== "object" || value === null) return [];
  return "id" in value && "type" in value ? [value as Task] : Object.values(value).flatMap(tasksIn);
}

import { describe, expect, it } from "vitest";
import type { Execution, Task, TaskRun } from "@/api/types";
import { isEdited, NO_EDITS, replayBody, reusedBy, taskIds } from "@/lib/replays";

const run = (id: string, start: string, state = "SUCCESS", outputs: unknown = { value: 1 }, parentTaskRunId?: string): TaskRun =>
  ({ id, taskId: id, outputs, parentTaskRunId, state: { current: state, startDate: `2026-01-31T10:00:${start}Z` } }) as unknown as TaskRun;

describe("a replay with changes", () => {
  it("offers the outputs of what ended before, not of what holds it or gave none", () => {
    const from = run("c", "05", "FAILED", {}, "group");
    const execution = { taskRunList: [run("a", "01"), run("empty", "02", "SUCCESS", {}), run("group", "03", "FAILED"), from, run("later", "09")] } as Pick<Execution, "taskRunList">;
    expect(reusedBy(execution, from).map((one) => one.id)).toEqual(["a"]);
  });

  it("knows the tasks inside tasks, but no runner", () => {
    const tasks = [{ id: "if", type: "If", then: [{ id: "x", type: "t" }], taskRunner: { id: "r", type: "Process" } }, { id: "dag", type: "Dag", tasks: [{ task: { id: "y", type: "t" }, dependsOn: [] }] }] as unknown as Task[];
    expect(taskIds(tasks)).toEqual(["if", "x", "dag", "y"]);
  });

  it("sends skipped tasks, outputs and the texts of a form", () => {
    const form = new FormData();
    form.append("day", "2026-02-01");
    expect(replayBody({ skip: ["x"], outputs: { r1: { value: 2 } } }, form)).toEqual({ skip: ["x"], outputs: { r1: { value: 2 } }, inputs: { day: "2026-02-01" } });
    expect(isEdited(NO_EDITS)).toBe(false);
  });
});

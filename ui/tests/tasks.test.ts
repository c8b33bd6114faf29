import { describe, expect, it } from "vitest";
import { findTask } from "@/lib/tasks";

const tasks = [
  { id: "each", type: "ForEach", tasks: [{ id: "inner", type: "Log" }] },
  { id: "choose", type: "Switch", cases: { a: [{ id: "in_case", type: "Pause", onResume: [{ id: "why", type: "STRING" }] }] } },
  { id: "dag", type: "Dag", tasks: [{ task: { id: "in_dag", type: "Log" }, dependsOn: ["x"] }] },
];

describe("findTask", () => {
  it.each(["each", "inner", "in_case", "in_dag"])("finds %s", (id) => expect(findTask(tasks, id)?.id).toBe(id));
  it("finds nothing that is not there", () => expect(findTask(tasks, "why not")).toBeUndefined());
});

import { describe, expect, it } from "vitest";
import type { StateType, TaskRun } from "@/api/types";
import { axisOf, barsOf, buildTree, defaultFold, findCause, histogram, ticksOf, visibleRows, type Fold } from "@/lib/timeline";

const START = Date.parse("2026-01-01T00:00:00Z");
const at = (seconds: number): string => new Date(START + seconds * 1_000).toISOString();

function run(id: string, steps: [StateType, number][], extra: Partial<TaskRun> = {}): TaskRun {
  const histories = steps.map(([state, seconds]) => ({ state, date: at(seconds) }));
  const current = steps.at(-1)?.[0] ?? "CREATED";
  return { id, taskId: id, executionId: "e", namespace: "n", flowId: "f", state: { current, histories, startDate: histories[0]?.date }, ...extra };
}

const done = (id: string, from: number, to: number, extra: Partial<TaskRun> = {}, state: StateType = "SUCCESS"): TaskRun =>
  run(id, [["CREATED", from], ["RUNNING", from], [state, to]], extra);

function loop(states: StateType[]): TaskRun[] {
  return [done("each", 0, 10), ...states.map((state, n) => done(`item-${n}`, n, n + 1, { parentTaskRunId: "each", value: String(n) }, state))];
}

describe("buildTree", () => {
  it("nests task runs under their parents in order of start", () => {
    const tree = buildTree([done("b", 2, 3), done("child", 1, 2, { parentTaskRunId: "a" }), done("a", 0, 2)]);
    expect(tree.map((node) => node.run.id)).toEqual(["a", "b"]);
    expect(tree[0]?.children.map((node) => node.run.id)).toEqual(["child"]);
  });

  it("shows a task run whose parent is unknown at the top", () => {
    expect(buildTree([done("lost", 0, 1, { parentTaskRunId: "gone" })])).toHaveLength(1);
  });
});

describe("visibleRows", () => {
  it("folds a loop that went well", () => {
    const rows = visibleRows(buildTree(loop(["SUCCESS", "SUCCESS"])), new Map());
    expect(rows.map((row) => [row.node.run.id, row.fold])).toEqual([["each", "closed"]]);
  });

  it("shows only the failed iterations of a loop, and how many others there are", () => {
    const rows = visibleRows(buildTree(loop(["SUCCESS", "FAILED", "SUCCESS"])), new Map());
    expect(rows.map((row) => row.node.run.id)).toEqual(["each", "item-1"]);
    expect(rows[0]?.hidden).toBe(2);
  });

  it("follows the reader's folds before its own", () => {
    const folds = new Map<string, Fold>([["each", "open"]]);
    expect(visibleRows(buildTree(loop(["SUCCESS", "SUCCESS"])), folds)).toHaveLength(3);
  });

  it("opens a group that is no loop", () => {
    const [node] = buildTree([done("group", 0, 2), done("inner", 0, 1, { parentTaskRunId: "group" })]);
    expect(node && defaultFold(node)).toBe("open");
  });

  it("lays out ten thousand iterations without delay", () => {
    const tree = buildTree(loop(Array.from({ length: 10_000 }, () => "SUCCESS")));
    expect(visibleRows(tree, new Map<string, Fold>([["each", "open"]]))).toHaveLength(10_001);
  });
});

describe("histogram", () => {
  it("counts the states of a loop, failures first", () => {
    const [node] = buildTree(loop(["SUCCESS", "FAILED", "RUNNING", "SUCCESS"]));
    expect(node && histogram(node)).toEqual([{ state: "FAILED", count: 1 }, { state: "RUNNING", count: 1 }, { state: "SUCCESS", count: 2 }]);
  });
});

describe("findCause", () => {
  it("finds the innermost failed task run that ended first", () => {
    const runs = [
      done("group", 0, 9, {}, "FAILED"), done("late", 0, 8, { parentTaskRunId: "group" }, "FAILED"), done("early", 0, 3, { parentTaskRunId: "group" }, "FAILED"),
    ];
    expect(findCause(buildTree(runs))?.id).toBe("early");
  });

  it("finds nothing where nothing failed", () => expect(findCause(buildTree([done("a", 0, 1)]))).toBeUndefined());
});

describe("barsOf", () => {
  const axis = { start: START, end: START + 10_000 };

  it("shows waiting and running as two bars on the shared axis", () => {
    const bars = barsOf(run("a", [["CREATED", 0], ["RUNNING", 2], ["SUCCESS", 7]]), axis, START);
    expect(bars.map((bar) => [bar.tone, bar.left, bar.width])).toEqual([["queued", 0, 20], ["success", 20, 50]]);
  });

  it("shows each attempt as a bar, the retried ones as such", () => {
    const attempt = (from: number, to: number, state: StateType) => ({ state: run("x", [["RUNNING", from], [state, to]]).state });
    const bars = barsOf(done("a", 0, 10, { attempts: [attempt(0, 2, "FAILED"), attempt(4, 6, "FAILED"), attempt(8, 10, "FAILED")] }, "FAILED"), axis, START);
    expect(bars.map((bar) => bar.tone)).toEqual(["retrying", "retrying", "failed"]);
    expect(bars[1]?.left).toBe(40);
  });

  it("lets a running task reach to now", () => {
    const bars = barsOf(run("a", [["RUNNING", 5]]), axis, START + 8_000);
    expect(bars).toMatchObject([{ tone: "running", left: 50, width: 30 }]);
  });
});

describe("axisOf and ticksOf", () => {
  it("reach from the first start to the last end, in at most six steps of round size", () => {
    const axis = axisOf([done("a", 1, 4), done("b", 3, 48)], START, undefined, START);
    expect([axis.start - START, axis.end - START]).toEqual([0, 48_000]);
    expect(ticksOf(axis)).toEqual([0, 10_000, 20_000, 30_000, 40_000]);
  });

  it("hold for an execution of many weeks", () => {
    expect(ticksOf({ start: 0, end: 60 * 86_400_000 }).length).toBeLessThanOrEqual(7);
  });
});

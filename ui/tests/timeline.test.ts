import { describe, expect, it } from "vitest";
import type { StateType, TaskRun } from "@/api/types";
import { axisOf, barsOf, buildTree, defaultFold, findCause, histogram, GROUP_STEP, ticksOf, visibleRows, type Fold, type Row, type View } from "@/lib/timeline";

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

const unfolded = (...ids: string[]): View => ({ folds: new Map<string, Fold>(ids.map((id) => [id, "open"])), shown: new Map() });
const keys = (rows: readonly Row[]): string[] => rows.map((row) => `${row.kind} ${row.key}`);
const many = (count: number, state: StateType = "SUCCESS"): StateType[] => Array.from({ length: count }, () => state);

describe("visibleRows", () => {
  it("folds a loop that went well", () => {
    expect(visibleRows(buildTree(loop(["SUCCESS", "SUCCESS"])))).toMatchObject([{ key: "each", fold: "closed" }]);
  });

  it("shows only the failed iterations of a small loop, and how many others there are", () => {
    const rows = visibleRows(buildTree(loop(["SUCCESS", "FAILED", "SUCCESS"])));
    expect(keys(rows)).toEqual(["run each", "run item-1"]);
    expect(rows[0]).toMatchObject({ hidden: 2 });
  });

  it("follows the reader's folds before its own", () => {
    expect(visibleRows(buildTree(loop(["SUCCESS", "SUCCESS"])), unfolded("each"))).toHaveLength(3);
  });

  it("opens a group that is no loop", () => {
    const [node] = buildTree([done("group", 0, 2), done("inner", 0, 1, { parentTaskRunId: "group" })]);
    expect(node && defaultFold(node)).toBe("open");
  });

  it("shows a large loop by state, with one row for ten thousand iterations", () => {
    const rows = visibleRows(buildTree(loop([...many(10_000), "RUNNING"])), unfolded("each"));
    expect(rows.slice(1)).toMatchObject([{ kind: "group", state: "RUNNING", count: 1 }, { kind: "group", state: "SUCCESS", count: 10_000 }]);
  });

  it("opens the failed iterations of a large loop by itself, some of them at first", () => {
    const rows = visibleRows(buildTree(loop([...many(30, "FAILED"), ...many(50)])));
    expect(keys(rows).slice(0, 3)).toEqual(["run each", "group each FAILED", "run item-0"]);
    expect(rows.filter((row) => row.kind === "run")).toHaveLength(1 + GROUP_STEP);
    expect(rows.slice(-2)).toMatchObject([{ kind: "rest", rest: 30 - GROUP_STEP }, { kind: "group", state: "SUCCESS", fold: "closed" }]);
  });

  it("draws as many members of a group as the reader asked for", () => {
    const view = { folds: new Map<string, Fold>([["each", "open"], ["each SUCCESS", "open"]]), shown: new Map([["each SUCCESS", 60]]) };
    const rows = visibleRows(buildTree(loop(many(60))), view);
    expect(rows.filter((row) => row.kind === "run")).toHaveLength(61);
    expect(rows.some((row) => row.kind === "rest")).toBe(false);
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

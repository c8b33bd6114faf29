import { describe, expect, it } from "vitest";
import type { Flow, StateType, Task, TaskRun } from "@/api/types";
import ELK from "elkjs/lib/elk.bundled.js";
import { layOut } from "@/lib/layout";
import { pictureOf } from "@/lib/picture";
import { graphOf, statesOf, type Graph } from "@/lib/topology";

const task = (id: string, type = "log.Log", extra: Record<string, unknown> = {}): Task => ({ id, type: `io.kestra.plugin.core.${type}`, ...extra }) as Task;
const flow = (tasks: Task[], extra: Record<string, unknown> = {}): Flow => ({ id: "f", namespace: "n", tasks, ...extra }) as Flow;
const edges = (graph: Graph): string[] => graph.edges.map((edge) => edge.id);
const inside = (graph: Graph, parent: string): string[] => graph.nodes.filter((node) => node.parent === parent).map((node) => node.id);

describe("graphOf", () => {
  it("lets tasks follow each other and triggers lead to the first", () => {
    const graph = graphOf(flow([task("a"), task("b"), task("c")], { triggers: [{ id: "daily", type: "io.kestra.plugin.core.trigger.Schedule" }] }));
    expect(edges(graph)).toEqual(["a b", "b c", "trigger:daily a"]);
  });

  it("puts tasks of a group inside it, in order or beside each other", () => {
    const graph = graphOf(flow([task("s", "flow.Sequential", { tasks: [task("a"), task("b")] }), task("p", "flow.Parallel", { tasks: [task("c"), task("d")] })]));
    expect(inside(graph, "s")).toEqual(["a", "b"]);
    expect(inside(graph, "p")).toEqual(["c", "d"]);
    expect(edges(graph)).toEqual(["a b", "s p"]);
  });

  it("names the branches of a choice", () => {
    const graph = graphOf(flow([task("w", "flow.Switch", { cases: { red: [task("a")] }, defaults: [task("b")] })]));
    expect(edges(graph)).toEqual(["w:red a", "w:defaults b"]);
  });

  it("links the tasks of a Dag by what they depend on", () => {
    const dag = task("d", "flow.Dag", { tasks: [{ task: task("a") }, { task: task("b"), dependsOn: ["a"] }, { task: task("c"), dependsOn: ["a"] }] });
    expect(edges(graphOf(flow([dag])))).toEqual(["a b", "a c"]);
  });

  it("keeps what runs on failure and in the end apart", () => {
    const graph = graphOf(flow([task("a")], { errors: [task("e")], finally: [task("z")] }));
    expect(inside(graph, "part:errors")).toEqual(["e"]);
    expect(inside(graph, "part:finally")).toEqual(["z"]);
    expect(edges(graph)).toEqual([]);
  });

  it("knows the flow that a task starts, unless an expression names it", () => {
    const graph = graphOf(flow([task("a", "flow.Subflow", { flowId: "other" }), task("b", "flow.Subflow", { flowId: "{{ x }}" })]));
    expect(graph.nodes.map((node) => node.subflow)).toEqual([{ namespace: "n", id: "other" }, undefined]);
  });
});

describe("called flows (UI-065)", () => {
  const child = { ...flow([task("a"), task("call", "flow.Subflow", { flowId: "leaf" }), task("d", "flow.Dag", { tasks: [{ task: task("x") }, { task: task("y"), dependsOn: ["x"] }] })]), namespace: "other" };
  const parent = flow([task("call", "flow.Subflow", { flowId: "child", namespace: "other" }), task("a")]);

  it("are drawn where they are called, under ids of their own", () => {
    const graph = graphOf(parent, new Map([["call", child], ["call/call", flow([task("last")])]]));
    expect(graph.nodes.map(({ id, parent, isForeign }) => [id, parent, isForeign])).toEqual([
      ["call", undefined, false], ["call/a", "call", true], ["call/call", "call", true], ["call/call/last", "call/call", true],
      ["call/d", "call", true], ["call/x", "call/d", true], ["call/y", "call/d", true], ["a", undefined, false],
    ]);
    expect(edges(graph)).toEqual(["call/x call/y", "call/a call/call", "call/call call/d", "call a"]);
  });

  it("name the flows they call by their own namespace", () => {
    const graph = graphOf(parent, new Map([["call", child]]));
    expect(graph.nodes.find(({ id }) => id === "call/call")?.subflow).toEqual({ namespace: "other", id: "leaf" });
  });
});

describe("pictureOf", () => {
  it("draws each node and edge at its place, groups around what they hold, in the colours of states (UI-073)", () => {
    const graph = graphOf(flow([task("s", "flow.Sequential", { tasks: [task("a<b")] }), task("c")]));
    const places = new Map([["s", { x: 0, y: 0, width: 200, height: 120 }], ["a<b", { x: 16, y: 60, width: 168, height: 50 }], ["c", { x: 10, y: 160, width: 180, height: 50 }]]);
    const states = statesOf({ taskRunList: [{ id: "r", taskId: "c", state: { current: "FAILED" } } as TaskRun] });
    const picture = new DOMParser().parseFromString(pictureOf(graph, places, states, (token) => token), "image/svg+xml");
    const boxes = [...picture.querySelectorAll("rect")].map((box) => ["x", "y", "stroke"].map((name) => box.getAttribute(name)));
    expect(boxes.slice(1)).toEqual([["0", "0", "line-strong"], ["16", "60", "line-strong"], ["10", "160", "failed"]]);
    expect([...picture.querySelectorAll("text")].map((text) => text.textContent)).toEqual(["s", "flow.Sequential", "a<b", "log.Log", "c", "log.Log"]);
    expect(picture.querySelectorAll("path")).toHaveLength(1);
    expect(picture.documentElement.getAttribute("viewBox")).toBe("-24 -24 248 258");
  });
});

describe("statesOf", () => {
  it("shows the gravest state of a task's runs", () => {
    const run = (id: string, state: StateType): TaskRun => ({ id, taskId: "t", state: { current: state } }) as TaskRun;
    const found = statesOf({ taskRunList: [run("1", "SUCCESS"), run("2", "FAILED"), run("3", "SUCCESS")] });
    expect(found.get("t")).toMatchObject({ state: "FAILED", run: { id: "2" }, count: 3 });
  });
});

describe("layOut", () => {
  it("gives every node a place, those of a group within it", async () => {
    const graph = graphOf(flow([task("first"), task("p", "flow.Parallel", { tasks: [task("c"), task("d")] })], { errors: [task("e")] }));
    const places = await layOut(graph, new ELK());
    expect([...places.keys()].sort()).toEqual(graph.nodes.map((node) => node.id).sort());
    const group = places.get("p");
    const inner = places.get("d");
    expect(inner && group && inner.x + inner.width <= group.width && inner.y + inner.height <= group.height).toBe(true);
    expect((places.get("first")?.y ?? 0) < (group?.y ?? 0)).toBe(true);
  });
});

import { describe, expect, it } from "vitest";
import type { Execution, Flow } from "@/api/types";
import { fingerprint, playOf, stepsOf } from "@/lib/playground";
import { dependencyGraph } from "@/lib/topology";

const flow = { tasks: ["a", "b", "c"].map((id) => ({ id, type: "t" })) } as Flow;
const run = (taskId: string, state: string) => ({ id: `run-${taskId}`, taskId, state: { current: state } });
const last = { id: "e1", taskRunList: [run("a", "SUCCESS"), run("b", "CREATED")] } as unknown as Execution;

describe("a play", () => {
  it("of the first task begins anew and stops before the second", () => {
    expect(playOf(flow, "a", undefined, false)).toEqual({ breakpoints: ["b"] });
    expect(playOf(flow, "a", last, true)).toEqual({ breakpoints: [] });
  });

  it("of a later task goes on from the last run, before which it stopped or which ran it", () => {
    expect(playOf(flow, "b", last, false)).toEqual({ from: { executionId: "e1", taskId: "b" }, breakpoints: ["c"] });
    expect(playOf(flow, "b", last, true)).toEqual({ from: { executionId: "e1", taskId: "b" }, breakpoints: [] });
  });

  it("needs all that stands before it to be played", () => {
    expect(stepsOf(flow, last).map(({ id, run: found, missing }) => [id, found?.state.current, missing])).toEqual([["a", "SUCCESS", []], ["b", undefined, []], ["c", undefined, ["b"]]]);
    expect(stepsOf(flow, undefined).at(-1)?.missing).toEqual(["a", "b"]);
  });

  it("no longer holds once inputs change, but holds when labels do", () => {
    const before = fingerprint({ inputs: [{ id: "x" }], labels: { a: "1" } });
    expect(fingerprint({ inputs: [{ id: "x" }], labels: { a: "2" }, description: "new" })).toBe(before);
    expect(fingerprint({ inputs: [{ id: "y" }] })).not.toBe(before);
    expect(fingerprint({ inputs: [{ id: "x" }], variables: { v: 1 } })).not.toBe(before);
  });
});

describe("dependencies", () => {
  it("lead from what comes first to what it starts", () => {
    const graph = dependencyGraph({ nodes: [{ uid: "u1", namespace: "n", id: "first" }, { uid: "u2", namespace: "m", id: "second" }], edges: [{ source: "u1", target: "u2", relation: "FLOW_TRIGGER" }] });
    expect(graph.nodes.map(({ label, type, subflow }) => [label, type, subflow?.id])).toEqual([["first", "n", "first"], ["second", "m", "second"]]);
    expect(graph.edges.map(({ from, to }) => [from, to])).toEqual([["u1", "u2"]]);
  });
});

import { describe, expect, it } from "vitest";
import type { StateType } from "@/api/types";
import { focusOf, foldLarge, placeOf, statesWithin } from "@/lib/folding";
import type { Graph, GraphNode, NodeState } from "@/lib/topology";

const node = (id: string, parent?: string, kind: GraphNode["kind"] = "task"): GraphNode => ({ id, label: id, type: "x", kind, parent, disabled: false });
const state = (one: StateType, count = 1): NodeState => ({ state: one, count, states: [{ state: one, count }] }) as unknown as NodeState;

const graph: Graph = {
  nodes: [node("cron", undefined, "trigger"), node("first"), node("all", undefined, "group"), ...Array.from({ length: 30 }, (_, at) => node(`t${at}`, "all")), node("deep", "t3")],
  edges: [{ id: "a", from: "first", to: "all" }, { id: "b", from: "t0", to: "t1" }],
};

describe("foldLarge", () => {
  it("draws a large group as one node, without what lies in it", () => {
    const { graph: folded, large } = foldLarge(graph, new Set());
    expect(folded.nodes.map((one) => one.id)).toEqual(["cron", "first", "all"]);
    expect(folded.edges.map((edge) => edge.id)).toEqual(["a"]);
    expect(large.get("all")).toHaveLength(31);
  });

  it("draws it whole once it is opened", () => expect(foldLarge(graph, new Set(["all"])).graph).toBe(graph));

  it("leaves small groups as they are", () => expect(foldLarge({ nodes: graph.nodes.slice(0, 9), edges: [] }, new Set()).large.size).toBe(0));
});

describe("statesWithin", () => {
  it("counts the runs of all that lies in a group", () => {
    const states = new Map([["t0", state("SUCCESS", 3)], ["t1", state("SUCCESS")], ["t2", state("FAILED")]]);
    expect(statesWithin(graph.nodes, states)).toEqual([{ state: "SUCCESS", count: 4 }, { state: "FAILED", count: 1 }]);
  });
});

describe("focusOf", () => {
  it("is what is selected, else what failed, else what goes on, else the beginning", () => {
    const states = new Map([["t1", state("RUNNING")], ["t2", state("FAILED")], ["all", state("FAILED")]]);
    expect(focusOf(graph, "t9", states)).toBe("t9");
    expect(focusOf(graph, undefined, states)).toBe("t2");
    expect(focusOf(graph, "gone", new Map([["t1", state("RUNNING")]]))).toBe("t1");
    expect(focusOf(graph, undefined, undefined)).toBe("first");
  });
});

describe("placeOf", () => {
  it("counts from the corner of the graph", () => {
    const places = new Map([["all", { x: 100, y: 50, width: 500, height: 500 }], ["t0", { x: 10, y: 20, width: 40, height: 20 }]]);
    expect(placeOf("t0", graph, places)).toEqual({ x: 110, y: 70, width: 40, height: 20 });
    expect(placeOf("gone", graph, places)).toBeUndefined();
  });
});

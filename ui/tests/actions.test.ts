import { describe, expect, it } from "vitest";
import en from "@/i18n/en.json";
import { BULK, bulkCall, DEFAULT_OPTIONS, isComplete, namedLabels, offerFor, type Action } from "@/lib/actions";
import { hasEnded, STATES } from "@/lib/states";

const offered = (state: (typeof STATES)[number]): Action[] => [...offerFor(state).first, ...offerFor(state).more];

describe("offers", () => {
  it("never kill or pause what has ended", () => {
    const actions = STATES.filter(hasEnded).flatMap(offered);
    expect(actions).not.toContain("kill");
    expect(actions).not.toContain("pause");
  });

  it("change the state, the labels and the existence only of what has ended", () => {
    const actions = STATES.filter((state) => !hasEnded(state)).flatMap(offered);
    for (const action of ["changeState", "setLabels", "delete", "restart"]) expect(actions).not.toContain(action);
  });

  it.each([["resume", ["PAUSED"]], ["goOn", ["BREAKPOINT"]], ["unqueue", ["QUEUED"]], ["pause", ["RUNNING"]], ["forceRun", ["CREATED", "QUEUED", "PAUSED", "BREAKPOINT"]]] as const)(
    "%s only in the states that allow it",
    (action, states) => expect(STATES.filter((state) => offered(state).includes(action))).toEqual(states),
  );

  it("always hold a replay", () => expect(STATES.filter((state) => !offered(state).includes("replay"))).toEqual([]));

  it("have words for every action", () => {
    const all = [...new Set([...STATES.flatMap(offered), ...BULK])];
    const texts = en.actions as unknown as Record<string, { name?: string; title?: string; text?: string }>;
    expect(all.filter((action) => !texts[action]?.name || !texts[action]?.title || !texts[action]?.text)).toEqual([]);
  });
});

describe("labels to set", () => {
  it("leave out what has no name", () => expect(namedLabels([{ key: " team ", value: "a" }, { key: "", value: "b" }])).toEqual([{ key: "team", value: "a" }]));
  it("must be there before they are sent", () => {
    expect(isComplete("setLabels", DEFAULT_OPTIONS)).toBe(false);
    expect(isComplete("kill", DEFAULT_OPTIONS)).toBe(true);
  });
});

describe("a call on many executions", () => {
  const ids = { ids: ["a", "b"] };

  it("names them", () => expect(bulkCall("kill", ids, DEFAULT_OPTIONS)).toEqual({ method: "delete", path: "/executions/kill/by-ids", query: {}, body: ["a", "b"] }));

  it("sends the filters instead of ids for all that meet them", () => {
    const call = bulkCall("restart", { filters: { "filters[state][IN]": "FAILED" } }, DEFAULT_OPTIONS);
    expect(call).toEqual({ method: "post", path: "/executions/restart/by-query", query: { "filters[state][IN]": "FAILED" }, body: undefined });
  });

  it("carries labels beside the ids", () => {
    const labels = [{ key: "team", value: "a" }];
    expect(bulkCall("setLabels", ids, { ...DEFAULT_OPTIONS, labels }).body).toEqual({ executionsId: ["a", "b"], executionLabels: labels });
  });

  it("says what a deletion keeps", () => {
    const call = bulkCall("delete", ids, { ...DEFAULT_OPTIONS, keepLogs: true });
    expect(call).toMatchObject({ method: "delete", path: "/executions/by-ids", query: { deleteLogs: false, deleteMetrics: true, deleteStorage: true } });
  });

  it("says the new state", () => {
    expect(bulkCall("changeState", ids, { ...DEFAULT_OPTIONS, end: "WARNING" }).query).toEqual({ newStatus: "WARNING" });
    expect(bulkCall("unqueue", ids, { ...DEFAULT_OPTIONS, leaving: "CANCELLED" }).query).toEqual({ state: "CANCELLED" });
    const found = { "filters[state][IN]": "QUEUED" };
    expect(bulkCall("unqueue", { filters: found }, { ...DEFAULT_OPTIONS, leaving: "CANCELLED" }).query).toEqual({ ...found, newState: "CANCELLED" });
  });
});

import { describe, expect, it } from "vitest";
import type { Flow, Switch } from "@/api/types";
import { isStopped, switchOf, switchOrder } from "@/lib/switches";
import { triggerKeyOf, triggerOf } from "@/lib/triggers";

const said = (state: Switch["state"], triggerId: string | null = null) => ({ state, triggerId }) as Switch;
const flow = (disabled: boolean, ...switches: Switch[]) => ({ disabled, switches }) as unknown as Flow;

describe("what is said of a flow on this instance (BEY-041)", () => {
  it("is the word on the flow, not on its triggers", () => {
    expect(switchOf(flow(false, said("PAUSED", "daily"), said("DISABLED")))?.state).toBe("DISABLED");
    expect(switchOf(flow(false, said("PAUSED", "daily")))).toBeUndefined();
  });

  it("counts more than the source", () => {
    expect([isStopped(flow(false)), isStopped(flow(true)), isStopped(flow(true, said("ENABLED"))), isStopped(flow(false, said("PAUSED")))]).toEqual([false, true, false, true]);
  });
});

describe("switchOrder", () => {
  const now = Date.parse("2026-02-01T00:00:00Z");

  it("asks a pause for an end in the future", () => {
    expect([switchOrder("PAUSED", "", "", now), switchOrder("PAUSED", "2026-01-01T00:00Z", "", now)]).toEqual([undefined, undefined]);
    expect(switchOrder("PAUSED", "2026-03-01T00:00Z", " the disk is full ", now)).toEqual({ state: "PAUSED", until: "2026-03-01T00:00:00.000Z", reason: "the disk is full" });
  });

  it("leaves out what was not said", () => expect(switchOrder("DISABLED", "2026-03-01T00:00Z", " ", now)).toEqual({ state: "DISABLED" }));
});

describe("the name of a trigger", () => {
  it("is put together and taken apart", () => {
    const name = { namespace: "team.data", flowId: "nightly", triggerId: "every-night" };
    expect(triggerOf(triggerKeyOf({ triggerContext: { ...name, date: "" } } as never))).toEqual(name);
  });
});

import { describe, expect, it } from "vitest";
import type { FlowPlan } from "@/api/types";
import { nextDates } from "@/lib/plans";

const plan: FlowPlan = {
  namespace: "company.team", id: "hello", action: "UNCHANGED",
  triggers: [
    { id: "nightly", before: [], after: ["2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"] },
    { id: "hourly", before: [], after: ["2026-11-21T23:00:00Z", "2026-11-22T00:30:00Z", "2026-11-22T01:00:00Z"] },
  ],
};

describe("the next dates of a flow (UI-062)", () => {
  it("are those of all triggers in order of time, and not too many", () => {
    expect(nextDates(plan, new Set()).map(({ trigger }) => trigger)).toEqual(["hourly", "nightly", "hourly", "hourly", "nightly"]);
  });

  it("leave out triggers that are switched off", () => {
    expect(nextDates(plan, new Set(["hourly", "nightly"]))).toEqual([]);
    expect(nextDates(plan, new Set(["hourly"]))[0]).toEqual({ trigger: "nightly", at: "2026-11-22T00:00:00Z" });
  });
});

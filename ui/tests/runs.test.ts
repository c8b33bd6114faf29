import { describe, expect, it } from "vitest";
import type { Execution, StateType } from "@/api/types";
import { tookOf, usualOf } from "@/lib/runs";

const run = (seconds: number, current: StateType = "SUCCESS"): Execution =>
  ({ id: "e", namespace: "n", flowId: "f", state: { current, startDate: "2026-01-01T00:00:00Z", endDate: new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString(), histories: [] } }) as unknown as Execution;

describe("usualOf", () => {
  it("is the median of those that succeeded", () => {
    expect(usualOf([run(9), run(1), run(3), run(99, "FAILED")])).toEqual({ time: 3_000, count: 3 });
    expect(usualOf([run(4), run(2)])).toEqual({ time: 3_000, count: 2 });
  });

  it("is unknown when none succeeded", () => expect(usualOf([run(1, "FAILED")])).toBeUndefined());
});

describe("tookOf", () => {
  it("is unknown while an execution goes on", () => {
    const going = { ...run(1), state: { current: "RUNNING", startDate: "2026-01-01T00:00:00Z" } } as unknown as Execution;
    expect(tookOf(going)).toBeUndefined();
  });
});

import { describe, expect, it } from "vitest";
import { chartOf, roundedUp } from "@/lib/bars";

const DAY = 86_400_000;

describe("a chart over time", () => {
  it("has bars as wide as a step, as high as their share of a round number", () => {
    const { bars, top } = chartOf([{ at: 0, value: 40 }, { at: 25 * DAY, value: 10 }], 0, 50 * DAY, DAY);
    expect(top).toBe(50);
    expect(bars.map(({ left, width, height }) => [left, width, height])).toEqual([[0, 1.6, 80], [50, 1.6, 20]]);
  });

  it("keeps bars within its edges and leaves out what lies elsewhere", () => {
    const { bars } = chartOf([{ at: -DAY / 2, value: 1 }, { at: 7 * DAY, value: 1 }, { at: 30 * DAY, value: 1 }], 0, 7 * DAY, DAY);
    expect(bars.map(({ left }) => left)).toEqual([0, 94]);
  });

  it("is empty without values", () => {
    expect(chartOf([], 0, DAY, DAY)).toEqual({ bars: [], top: 0 });
    expect([0.3, 1, 17, 2_300].map(roundedUp)).toEqual([0.5, 1, 20, 5_000]);
  });
});

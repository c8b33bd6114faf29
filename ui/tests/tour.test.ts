import { describe, expect, it } from "vitest";
import { tourStep, USE_CASES } from "@/lib/tour";

const blueprints = import.meta.glob("../../src/penstock/services/blueprints/files/flows/*.yaml");

describe("the tour (UI-003)", () => {
  it.each([
    ["flow-new", undefined, "write"], ["flow", undefined, "execute"], ["execution", undefined, "follow"], ["execution", "RUNNING", "follow"], ["execution", "SUCCESS", "done"],
    ["execution", "FAILED", "failed"], ["settings", undefined, "away"],
  ] as const)("is at its step wherever the reader is: %s %s", (page, state, step) => expect(tourStep(page, state)).toBe(step));

  it("begins with blueprints that there are", () => {
    const names = Object.keys(blueprints).map((path) => path.replace(/^.*\/|\.yaml$/g, ""));
    expect(USE_CASES.filter((one) => one !== "hello" && !names.includes(one))).toEqual([]);
  });
});

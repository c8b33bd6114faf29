import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "@/lib/duration";

describe("formatDuration", () => {
  it.each([
    [0, "0 ms"], [340, "340 ms"], [4_300, "4.3 s"], [5_000, "5 s"], [48_200, "48 s"], [59_960, "1m 00s"], [83_000, "1m 23s"], [3_599_600, "1h 00m"],
    [7_500_000, "2h 05m"], [273_600_000, "3d 4h"],
  ])("shows %i ms as %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

  it("shows a negative or unknown length as nothing", () => {
    expect(formatDuration(-5)).toBe("0 ms");
    expect(formatDuration(Number.NaN)).toBe("0 ms");
  });
});

describe("parseDuration", () => {
  it.each([
    ["PT0.5S", 500], ["PT5M30S", 330_000], ["P1DT2H", 93_600_000], ["P2W", 1_209_600_000], ["-PT1S", -1_000],
  ])("reads %s", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(["", "P", "PT", "5m", "PT5", "P1DT"])("refuses %o", (text) => expect(parseDuration(text)).toBeUndefined());
});

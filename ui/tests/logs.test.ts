import { describe, expect, it } from "vitest";
import type { LogEntry, LogLevel } from "@/api/types";
import { atLeast, causeMessage, LogMerger, plainText } from "@/lib/logs";

const line = (message: string, level: LogLevel = "INFO", taskRunId = "r"): LogEntry => ({ namespace: "n", flowId: "f", message, level, taskRunId, timestamp: "2026-01-01T00:00:00Z" });
const messages = (merger: LogMerger): (string | null | undefined)[] => merger.entries.map((entry) => entry.message);

describe("LogMerger", () => {
  it("shows a line once that a stream repeats from the listing", () => {
    const merger = new LogMerger();
    merger.reset([line("a"), line("b")]);
    merger.addAll([line("a"), line("b"), line("c")]);
    expect(messages(merger)).toEqual(["a", "b", "c"]);
  });

  it("keeps a line twice that was written twice", () => {
    const merger = new LogMerger();
    merger.reset([line("a")]);
    merger.addAll([line("a"), line("a")]);
    expect(messages(merger)).toEqual(["a", "a"]);
  });

  it("shows nothing twice after a reconnection that starts from the first line", () => {
    const merger = new LogMerger();
    merger.reset([]);
    merger.addAll([line("a"), line("b")]);
    merger.startStream();
    expect(merger.addAll([line("a"), line("b")])).toBe(false);
    expect(merger.addAll([line("c")])).toBe(true);
    expect(messages(merger)).toEqual(["a", "b", "c"]);
  });
});

describe("atLeast", () => {
  it("keeps lines as grave as the level or graver", () => {
    const lines = [line("e", "ERROR"), line("w", "WARN"), line("d", "DEBUG")];
    expect(atLeast(lines, "WARN").map((entry) => entry.message)).toEqual(["e", "w"]);
  });
});

describe("causeMessage", () => {
  it("is the last error of the task run, else its last line", () => {
    const lines = [line("first", "ERROR"), line("why", "ERROR"), line("after"), line("other", "ERROR", "x")];
    expect(causeMessage(lines, "r")).toBe("why");
    expect(causeMessage([line("only")], "r")).toBe("only");
    expect(causeMessage([], "r")).toBeUndefined();
  });
});

describe("plainText", () => {
  it("drops terminal colours", () => expect(plainText("\u001b[31mred\u001b[0m")).toBe("red"));
});

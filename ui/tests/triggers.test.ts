import { describe, expect, it } from "vitest";
import en from "@/i18n/en.json";
import type { Trigger, TriggerRow } from "@/api/types";
import { backfillOf, isServed, orderOf, triggerActions } from "@/lib/triggers";

const trigger = (extra: Partial<Trigger> = {}): Trigger => ({ namespace: "n", flowId: "f", triggerId: "t", date: "2026-01-01T00:00:00Z", ...extra });
const row = (type: string, extra: Partial<Trigger> = {}): TriggerRow => ({ abstractTrigger: { id: "t", type }, triggerContext: trigger(extra) });
const SCHEDULE = "io.kestra.plugin.core.trigger.Schedule";
const span = { start: "2026-01-01T00:00:00Z", end: "2026-01-11T00:00:00Z", currentDate: "2026-01-03T00:00:00Z" };

describe("backfillOf", () => {
  it("says how far it has come", () => expect(backfillOf(trigger({ backfill: span }))).toMatchObject({ done: 0.2, paused: false }));
  it("is nothing where there is none", () => expect(backfillOf(trigger())).toBeUndefined());
});

describe("triggerActions", () => {
  it("offer a backfill only for triggers with dates", () => {
    expect(triggerActions(row(SCHEDULE))).toEqual(["disable", "pause", "backfill", "forget"]);
    expect(triggerActions(row("io.kestra.plugin.core.trigger.Webhook"))).toEqual(["disable", "pause", "forget"]);
  });

  it("offer what fits the backfill there is", () => {
    expect(triggerActions(row(SCHEDULE, { backfill: span, disabled: true }))).toEqual(["enable", "pause", "pauseBackfill", "deleteBackfill", "forget"]);
    expect(triggerActions(row(SCHEDULE, { backfill: { ...span, paused: true } }))).toContain("resumeBackfill");
  });

  it("offer unlocking only while an execution locks it", () => expect(triggerActions(row(SCHEDULE, { executionId: "e" }))).toContain("unlock"));

  it("each have words", () => {
    const all = [...triggerActions(row(SCHEDULE, { executionId: "e" })), "enable", "pauseBackfill", "resumeBackfill", "deleteBackfill"];
    expect(all.filter((action) => !(action in en.triggers.actions))).toEqual([]);
  });
});

describe("isServed", () => {
  const paused = (until?: string): Partial<Trigger> => ({
    heldByFlow: true, nextExecutionDate: "2026-01-05T00:00:00Z", flowSwitch: { namespace: "n", flowId: "f", state: "PAUSED", since: "2026-01-01T00:00:00Z", source: "ENABLED", drift: true, until },
  });
  it("tells whether the next date will be kept", () => {
    expect([{}, { disabled: true }, { heldByFlow: true }, paused("2026-01-04T00:00:00Z"), paused("2026-01-06T00:00:00Z")].map((extra) => isServed(row(SCHEDULE, extra)))).toEqual([true, false, false, true, false]);
  });
});

describe("orderOf", () => {
  const now = Date.parse("2026-02-01T00:00:00Z");
  it.each([["", "2026-01-02T00:00", "incomplete"], ["2026-01-02T00:00", "2026-01-01T00:00", "backwards"], ["2026-03-01T00:00", "2026-03-02T00:00", "future"]])(
    "refuses a span from %o to %o",
    (start, end, fault) => expect(orderOf(start, end, now)).toBe(fault),
  );

  it("sends a span of local time as UTC", () => {
    expect(orderOf("2026-01-01T00:00Z", "2026-01-02T00:00Z", now)).toEqual({ start: "2026-01-01T00:00:00.000Z", end: "2026-01-02T00:00:00.000Z" });
  });
});

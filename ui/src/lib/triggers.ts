/** What triggers can do, and how far a backfill has come. */
import type { Label, Trigger, TriggerRow } from "@/api/types";
import { toMillis } from "./time";

export interface BackfillOrder {
  readonly start: string;
  readonly end: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly labels?: readonly Label[];
}

export interface BackfillState {
  /** Between 0 and 1. */
  readonly done: number;
  readonly paused: boolean;
  readonly start: number;
  readonly end: number;
}

/** The backfill of a trigger, or undefined. */
export function backfillOf({ backfill }: Trigger): BackfillState | undefined {
  if (!backfill) return undefined;
  const [start, end, current] = [backfill.start, backfill.end, backfill.currentDate].map((text) => (typeof text === "string" ? toMillis(text) : undefined));
  if (start === undefined || end === undefined) return undefined;
  const done = end > start ? ((current ?? start) - start) / (end - start) : 1;
  return { start, end, paused: backfill.paused === true, done: Math.min(1, Math.max(0, done)) };
}

export type TriggerAction = "enable" | "disable" | "pause" | "resume" | "unlock" | "backfill" | "pauseBackfill" | "resumeBackfill" | "deleteBackfill" | "forget";

/** What can be done with a trigger as it is. */
export function triggerActions({ abstractTrigger, triggerContext }: TriggerRow): TriggerAction[] {
  const backfill = backfillOf(triggerContext);
  const ordered: TriggerAction[] = backfill ? [backfill.paused ? "resumeBackfill" : "pauseBackfill", "deleteBackfill"] : isSchedule(abstractTrigger?.type) ? ["backfill"] : [];
  const switching: TriggerAction[] = triggerContext.disabled ? ["enable", "pause"] : ["disable", "pause"];
  if (triggerContext.switch?.state === "ENABLED") switching.push("resume");
  return [...switching, ...ordered, ...(triggerContext.executionId ? (["unlock"] as const) : []), "forget"];
}

/** Whether the next date of a trigger will be kept: neither it nor its flow is stopped until then. */
export function isServed({ triggerContext: { disabled, heldByFlow, flowSwitch, nextExecutionDate } }: TriggerRow): boolean {
  if (disabled || !heldByFlow) return !disabled;
  const [next, until] = [toMillis(nextExecutionDate), toMillis(flowSwitch?.until)];
  return next !== undefined && until !== undefined && until <= next;
}

/** True for triggers with dates of their own, which alone can be run again. */
export function isSchedule(type: string | undefined): boolean {
  return /\.Schedule(OnDates)?$/.test(type ?? "");
}

/** The order of a backfill from two fields of local time, or what is wrong with them. */
export function orderOf(start: string, end: string, now: number): BackfillOrder | "incomplete" | "backwards" | "future" {
  const [from, to] = [toMillis(start), toMillis(end)];
  if (from === undefined || to === undefined) return "incomplete";
  if (from >= to) return "backwards";
  if (from > now) return "future";
  return { start: new Date(from).toISOString(), end: new Date(to).toISOString() };
}

/** The flow that a precondition names, when it names one. */
export function upstreamOf(wanted: Readonly<Record<string, unknown>>): { readonly namespace: string; readonly id: string } | undefined {
  const { namespace, flowId } = wanted;
  return typeof namespace === "string" && typeof flowId === "string" ? { namespace, id: flowId } : undefined;
}

/** A trigger's name among all triggers. */
export function triggerKeyOf({ triggerContext: { namespace, flowId, triggerId } }: TriggerRow): string {
  return `${namespace}/${flowId}/${triggerId}`;
}

/** The parts of such a name; none holds a slash. */
export function triggerOf(key: string): { readonly namespace: string; readonly flowId: string; readonly triggerId: string } {
  const [namespace = "", flowId = "", triggerId = ""] = key.split("/");
  return { namespace, flowId, triggerId };
}

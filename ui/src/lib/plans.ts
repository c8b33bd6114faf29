/** What saving a flow would change of when it runs (BEY-040). */
import type { FlowPlan } from "@/api/types";

export type TriggerPlan = FlowPlan["triggers"][number];

/** The triggers that would fire at other dates than now. */
export function changedTriggers(plan: FlowPlan): TriggerPlan[] {
  return plan.triggers.filter(({ before, after }) => before.join() !== after.join());
}

/** Whether a source can be of a flow that dates start: nothing else needs asking. */
export function mayHaveDates(source: string): boolean {
  return /^\s*["']?triggers["']?\s*:/m.test(source) || /[{,]\s*["']?triggers["']?\s*:/.test(source);
}

export interface NextDate {
  readonly trigger: string;
  readonly at: string;
}

const MOST = 5;

/** The first dates to come of the triggers that are on, in order of time. */
export function nextDates(plan: FlowPlan, off: ReadonlySet<string>): NextDate[] {
  const dates = plan.triggers.filter(({ id }) => !off.has(id)).flatMap(({ id, after }) => after.map((at) => ({ trigger: id, at })));
  return dates.sort((one, other) => one.at.localeCompare(other.at)).slice(0, MOST);
}

/** What people say of flows and triggers on this instance, apart from their sources (BEY-041). */
import type { Flow, Switch, SwitchOrder } from "@/api/types";
import { toMillis } from "./time";

export const SWITCH_STATES = ["PAUSED", "DISABLED", "ENABLED"] as const;
export type SwitchState = (typeof SWITCH_STATES)[number];

/** What is said of a flow itself. */
export function switchOf(flow: Flow | undefined): Switch | undefined {
  return flow?.switches?.find((one) => !one.triggerId);
}

/** Whether nothing can be started of a flow: what the instance says counts more than the source. */
export function isStopped(flow: Flow | undefined): boolean {
  const said = switchOf(flow);
  return said ? said.state !== "ENABLED" : flow?.disabled === true;
}

/** The order of the dialog's fields; undefined while a pause has no end in the future. */
export function switchOrder(state: SwitchState, until: string, reason: string, now: number): SwitchOrder | undefined {
  const why = reason.trim() ? { reason: reason.trim() } : {};
  if (state !== "PAUSED") return { state, ...why };
  const end = toMillis(until);
  return end === undefined || end <= now ? undefined : { state, until: new Date(end).toISOString(), ...why };
}

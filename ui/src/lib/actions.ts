/** What can be done with an execution in each state, and what of it with many at once. */
import type { Label, StateType } from "@/api/types";
import { hasEnded } from "./states";

export type Action =
  | "kill" | "pause" | "resume" | "goOn" | "restart" | "replay" | "forceRun" | "unqueue" | "changeState" | "setLabels" | "delete";

export interface Offer {
  /** Shown as buttons, the likeliest first. */
  readonly first: readonly Action[];
  /** Shown in a menu. */
  readonly more: readonly Action[];
}

const OPEN: Partial<Record<StateType, Offer>> = {
  PAUSED: { first: ["resume", "kill"], more: ["forceRun", "replay"] },
  BREAKPOINT: { first: ["goOn", "kill"], more: ["forceRun", "replay"] },
  QUEUED: { first: ["unqueue", "kill"], more: ["forceRun", "replay"] },
  CREATED: { first: ["kill"], more: ["forceRun", "replay"] },
  RUNNING: { first: ["pause", "kill"], more: ["replay"] },
  KILLING: { first: ["kill"], more: ["replay"] },
};
const AFTERWARDS: readonly Action[] = ["replay", "changeState", "setLabels", "delete"];

/** The actions offered for an execution in this state. */
export function offerFor(state: StateType): Offer {
  if (!hasEnded(state)) return OPEN[state] ?? { first: ["kill"], more: ["replay"] };
  if (state === "FAILED" || state === "KILLED") return { first: ["restart"], more: AFTERWARDS };
  return { first: [], more: state === "SUCCESS" || state === "SKIPPED" ? AFTERWARDS : ["restart", ...AFTERWARDS] };
}

/** What can be done with several executions, in the order of the bar. */
export const BULK: readonly Action[] = ["restart", "replay", "kill", "pause", "resume", "forceRun", "unqueue", "changeState", "setLabels", "delete"];

/** Actions that take away what nobody can bring back. */
export const DESTRUCTIVE: ReadonlySet<Action> = new Set(["kill", "delete"]);

/** The ends an ended execution may be given instead of its own. */
export const ENDS = ["SUCCESS", "WARNING", "FAILED", "CANCELLED", "KILLED"] as const satisfies StateType[];
export type End = (typeof ENDS)[number];

/** How an execution may leave the queue. */
export const LEAVINGS = ["RUNNING", "CANCELLED", "FAILED"] as const satisfies StateType[];
export type Leaving = (typeof LEAVINGS)[number];

/** The states a task run may be given by hand. */
export const TASK_ENDS = ["SUCCESS", "WARNING", "FAILED"] as const satisfies StateType[];

/** What an action is told besides the execution. */
export interface Options {
  readonly end: End;
  readonly leaving: Leaving;
  readonly labels: readonly Label[];
  readonly keepLogs: boolean;
  readonly keepMetrics: boolean;
  readonly keepFiles: boolean;
  readonly latestRevision: boolean;
}

export const DEFAULT_OPTIONS: Options = {
  end: "SUCCESS", leaving: "RUNNING", labels: [], keepLogs: false, keepMetrics: false, keepFiles: false, latestRevision: false,
};

/** Which of what belongs to an execution goes with it. */
export function deletion(options: Options): { deleteLogs: boolean; deleteMetrics: boolean; deleteStorage: boolean } {
  return { deleteLogs: !options.keepLogs, deleteMetrics: !options.keepMetrics, deleteStorage: !options.keepFiles };
}

/** Labels as they are sent: what has no name is left out. */
export function namedLabels(labels: readonly Label[]): Label[] {
  return labels.map(({ key, value }) => ({ key: key.trim(), value: value.trim() })).filter(({ key }) => key !== "");
}

/** True once everything the action needs has been said. */
export function isComplete(action: Action, options: Options): boolean {
  return action !== "setLabels" || namedLabels(options.labels).length > 0;
}

/** Several executions: those named, or all that meet filters. */
export type Target = { readonly ids: readonly string[] } | { readonly filters: Readonly<Record<string, string>> };

export interface BulkCall {
  readonly method: "post" | "delete";
  readonly path: string;
  readonly query: Record<string, string | boolean>;
  readonly body?: unknown;
}

const BULK_PATHS: Partial<Record<Action, string>> = {
  kill: "/kill", pause: "/pause", resume: "/resume", restart: "/restart", replay: "/replay", forceRun: "/force-run", unqueue: "/unqueue",
  changeState: "/change-status", setLabels: "/labels", delete: "",
};

/** The call that does an action to several executions. */
export function bulkCall(action: Action, target: Target, options: Options): BulkCall {
  const byIds = "ids" in target;
  return {
    method: DESTRUCTIVE.has(action) ? "delete" : "post",
    path: `/executions${BULK_PATHS[action] ?? ""}/${byIds ? "by-ids" : "by-query"}`,
    query: { ...(byIds ? {} : target.filters), ...bulkQuery(action, options, byIds) },
    body: bulkBody(action, target, options),
  };
}

function bulkQuery(action: Action, options: Options, byIds: boolean): Record<string, string | boolean> {
  switch (action) {
    case "unqueue":
      // Beside filters, `state` is one of them.
      return byIds ? { state: options.leaving } : { newState: options.leaving };
    case "changeState":
      return { newStatus: options.end };
    case "replay":
      return { latestRevision: options.latestRevision };
    case "delete":
      return deletion(options);
    default:
      return {};
  }
}

function bulkBody(action: Action, target: Target, options: Options): unknown {
  const labels = namedLabels(options.labels);
  if (!("ids" in target)) return action === "setLabels" ? labels : undefined;
  return action === "setLabels" ? { executionsId: target.ids, executionLabels: labels } : target.ids;
}

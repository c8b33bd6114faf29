/** Executions of a flow side by side: how long each took, and what is usual. */
import type { Execution } from "@/api/types";
import { parseDuration } from "./duration";
import { hasEnded } from "./states";
import { toMillis } from "./time";

/** How long an execution took, in milliseconds; undefined while it goes on. */
export function tookOf({ state }: Execution): number | undefined {
  const start = toMillis(state.startDate);
  const end = toMillis(state.endDate);
  if (start !== undefined && end !== undefined) return end - start;
  return hasEnded(state.current) && state.duration ? parseDuration(state.duration) : undefined;
}

/** The median duration of those that succeeded, and how many they are; undefined when none did. */
export function usualOf(executions: readonly Execution[]): { readonly time: number; readonly count: number } | undefined {
  const times = executions.filter((one) => one.state.current === "SUCCESS").flatMap((one) => tookOf(one) ?? []).sort((a, b) => a - b);
  const upper = times[Math.floor(times.length / 2)];
  const lower = times[Math.ceil(times.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : { time: (upper + lower) / 2, count: times.length };
}

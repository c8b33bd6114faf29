/** What each state looks like: one table read by every page. */
import type { StateType } from "@/api/types";

export type Tone =
  | "success" | "running" | "warning" | "failed" | "paused" | "retrying" | "queued" | "killed" | "cancelled" | "skipped";

interface Look {
  readonly tone: Tone;
  readonly ended: boolean;
}

const LOOKS: Record<StateType, Look> = {
  CREATED: { tone: "queued", ended: false },
  SUBMITTED: { tone: "queued", ended: false },
  QUEUED: { tone: "queued", ended: false },
  RUNNING: { tone: "running", ended: false },
  RESTARTED: { tone: "running", ended: false },
  RESUBMITTED: { tone: "running", ended: false },
  PAUSED: { tone: "paused", ended: false },
  BREAKPOINT: { tone: "paused", ended: false },
  RETRYING: { tone: "retrying", ended: false },
  RETRIED: { tone: "retrying", ended: true },
  KILLING: { tone: "killed", ended: false },
  KILLED: { tone: "killed", ended: true },
  SUCCESS: { tone: "success", ended: true },
  WARNING: { tone: "warning", ended: true },
  FAILED: { tone: "failed", ended: true },
  CANCELLED: { tone: "cancelled", ended: true },
  SKIPPED: { tone: "skipped", ended: true },
};

/** Every state, in the order filters offer them. */
export const STATES = Object.keys(LOOKS) as StateType[];

export function tone(state: StateType): Tone {
  return LOOKS[state].tone;
}

/** True when nothing more happens by itself: the page stops following. */
export function hasEnded(state: StateType): boolean {
  return LOOKS[state].ended;
}

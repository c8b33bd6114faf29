/** The guided tour: from a use case to an execution that has ended well, step by step (UI-003). */
import type { StateType } from "@/api/types";

/** What a reader may begin with; all but the first are blueprints. */
export const USE_CASES = ["hello", "python-script", "parallel-tasks", "every-morning"] as const;
export type UseCase = (typeof USE_CASES)[number];

export const STEPS = ["write", "execute", "follow", "done"] as const;
/** Away: the reader is somewhere else, and the tour waits. */
export type TourStep = (typeof STEPS)[number] | "failed" | "away";

/** Which step a page belongs to; that of an execution depends on how it went. */
export function tourStep(page: string, state?: StateType): TourStep {
  if (page === "flow-new") return "write";
  if (page === "flow") return "execute";
  if (page !== "execution") return "away";
  if (state === "SUCCESS" || state === "WARNING") return "done";
  return state === "FAILED" || state === "KILLED" || state === "CANCELLED" ? "failed" : "follow";
}

export function isUseCase(text: string): text is UseCase {
  return (USE_CASES as readonly string[]).includes(text);
}

/** What of an explanation is worth a banner. */
import type { Blocker } from "@/api/types";
import { toMillis } from "./time";

/** Work that goes on is no wait. */
const AT_WORK: ReadonlySet<string> = new Set(["TASK", "EVENT"]);
/** Shorter waits come and go faster than anyone reads of them. */
const WORTH_TELLING = 2_000;
const MOST = 3;

export function worthTelling(blockers: readonly Blocker[], now: number): Blocker[] {
  const lasting = ({ since }: Blocker): boolean => now - (toMillis(since) ?? 0) >= WORTH_TELLING;
  return blockers.filter((one) => !AT_WORK.has(one.reason) && lasting(one)).slice(0, MOST);
}

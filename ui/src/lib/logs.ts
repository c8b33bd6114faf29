/** Log lines of an execution: levels, and merging a listed past with a followed present. */
import type { LogEntry, LogLevel } from "@/api/types";

/** From the gravest to the chattiest. */
export const LEVELS: LogLevel[] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/** Lines at least as grave as `level`. */
export function atLeast(entries: readonly LogEntry[], level: LogLevel): LogEntry[] {
  const rank = LEVELS.indexOf(level);
  return entries.filter((entry) => LEVELS.indexOf(entry.level ?? "INFO") <= rank);
}

/**
 * Joins a listing with a stream that may repeat it. A stream may start from the first line or from
 * now, and starts over after each reconnection; equal lines are counted, so that a line written
 * twice stays twice and a line received twice is shown once.
 */
export class LogMerger {
  private lines: LogEntry[] = [];
  private known = new Map<string, number>();
  private seen = new Map<string, number>();

  get entries(): readonly LogEntry[] {
    return this.lines;
  }

  /** Replaces everything by a complete listing. */
  reset(entries: readonly LogEntry[]): void {
    this.lines = [...entries];
    this.known = new Map();
    for (const entry of entries) increment(this.known, keyOf(entry));
    this.startStream();
  }

  /** A connection begins: what it repeats is recognised from here on. */
  startStream(): void {
    this.seen = new Map();
  }

  /** Lines of the stream; true when one of them was new. */
  addAll(entries: readonly LogEntry[]): boolean {
    const fresh = entries.filter((entry) => {
      const key = keyOf(entry);
      if (increment(this.seen, key) <= (this.known.get(key) ?? 0)) return false;
      increment(this.known, key);
      return true;
    });
    if (fresh.length > 0) this.lines = [...this.lines, ...fresh];
    return fresh.length > 0;
  }
}

function keyOf(entry: LogEntry): string {
  return [entry.timestamp, entry.taskRunId, entry.attemptNumber, entry.level, entry.message].join("\u0000");
}

function increment(counts: Map<string, number>, key: string): number {
  const next = (counts.get(key) ?? 0) + 1;
  counts.set(key, next);
  return next;
}

/** The message that tells why a task run failed: its last error line, or its last line of all. */
export function causeMessage(entries: readonly LogEntry[], taskRunId: string): string | undefined {
  const own = entries.filter((entry) => entry.taskRunId === taskRunId);
  const line = own.findLast((entry) => entry.level === "ERROR") ?? own.at(-1);
  return line?.message ? plainText(line.message) : undefined;
}

/** A message without the colour codes that terminals read. */
export function plainText(message: string): string {
  // eslint-disable-next-line no-control-regex -- the escape character is what is looked for
  return message.replace(/\u001b\[[0-9;]*[A-Za-z]/g, "");
}

/** The lines of a log, however many: where its windows begin, and those of them that have been read. */
import type { LogEntry, LogMark, LogOutline } from "@/api/types";

/** So many lines are read at once. */
export const WINDOW = 500;
/** So many windows are kept; those furthest from where one reads are dropped. */
const KEPT = 40;

/** Lines that have not been read: so many behind a position, of the window that begins after `before` lines. */
export interface Gap extends LogMark {
  readonly size: number;
  /** How many lines of the window are known already. */
  readonly known: number;
  /** The position behind them. */
  readonly until: string;
}

interface Page {
  readonly entries: readonly LogEntry[];
  /** The position behind the last of them. */
  readonly until: string;
}

export class LogBook {
  private readonly windows: LogMark[];
  private readonly pages = new Map<number, Page>();
  private lines: number;
  private position: string;

  constructor(outline: LogOutline) {
    this.windows = [...outline.marks];
    this.lines = outline.total;
    this.position = outline.end;
  }

  get total(): number {
    return this.lines;
  }

  /** The position behind the last line, from which the log is followed. */
  get end(): string {
    return this.position;
  }

  line(index: number): LogEntry | undefined {
    const window = this.windows[this.windowOf(index)];
    return window && this.pages.get(window.before)?.entries[index - window.before];
  }

  /** What between two lines has not been read. */
  missing(first: number, last: number): Gap[] {
    const gaps: Gap[] = [];
    for (let at = this.windowOf(first); at <= this.windowOf(last); at += 1) {
      const window = this.windows[at];
      if (!window) continue;
      const next = this.windows[at + 1];
      const page = this.pages.get(window.before);
      const known = page?.entries.length ?? 0;
      const size = (next?.before ?? this.lines) - window.before - known;
      if (size > 0) gaps.push({ before: window.before, after: page?.until ?? window.after, size, known, until: next?.after ?? this.position });
    }
    return gaps;
  }

  /** Keeps what was read of a window, and drops what lies far from it. */
  put({ before, known, until }: Gap, entries: readonly LogEntry[]): void {
    const page = this.pages.get(before);
    if ((page?.entries.length ?? 0) !== known) return;
    this.pages.set(before, { entries: [...(page?.entries ?? []), ...entries], until });
    const far = [...this.pages.keys()].sort((a, b) => Math.abs(b - before) - Math.abs(a - before));
    for (const one of far.slice(0, Math.max(0, far.length - KEPT))) this.pages.delete(one);
  }

  /** Adds what has been written since; few lines still belong to the last window. */
  extend(outline: LogOutline): void {
    const last = this.windows.at(-1);
    const isFew = last !== undefined && this.lines - last.before + outline.total <= WINDOW;
    if (!isFew) this.windows.push(...outline.marks.map(({ before, after }) => ({ before: before + this.lines, after })));
    this.lines += outline.total;
    this.position = outline.end;
  }

  private windowOf(index: number): number {
    let low = 0;
    let high = Math.max(0, this.windows.length - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.windows[middle]?.before ?? 0) <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

import { describe, expect, it } from "vitest";
import type { LogEntry, LogOutline } from "@/api/types";
import { LogBook, WINDOW, type Gap } from "@/lib/logBook";

const lines = (from: number, count: number): LogEntry[] => Array.from({ length: count }, (_, at) => ({ namespace: "n", flowId: "f", message: String(from + at) }));
const outline = (total: number): LogOutline => ({ total, end: "end", marks: Array.from({ length: Math.ceil(total / WINDOW) }, (_, at) => ({ before: at * WINDOW, after: `p${at}` })) });
const read = (book: LogBook, gaps: Gap[]): void => gaps.forEach((gap) => book.put(gap, lines(gap.before + gap.known, gap.size)));

describe("LogBook", () => {
  it("names what between two lines has not been read, with its size", () => {
    const book = new LogBook(outline(WINDOW * 2 + 10));
    read(book, book.missing(WINDOW, WINDOW));
    expect(book.missing(WINDOW - 1, WINDOW * 2)).toEqual([
      { before: 0, after: "p0", size: WINDOW, known: 0, until: "p1" }, { before: WINDOW * 2, after: "p2", size: 10, known: 0, until: "end" },
    ]);
    expect(book.line(WINDOW + 3)?.message).toBe(String(WINDOW + 3));
    expect(book.line(3)).toBeUndefined();
  });

  it("asks for no more than was added to the last window", () => {
    const book = new LogBook(outline(2));
    read(book, book.missing(0, 1));
    book.extend({ total: 3, end: "q", marks: [{ before: 0, after: "end" }] });
    const gaps = book.missing(0, 4);
    expect(gaps).toEqual([{ before: 0, after: "end", size: 3, known: 2, until: "q" }]);
    read(book, gaps);
    read(book, gaps);
    expect([book.total, book.line(4)?.message, book.line(5), book.missing(0, 4)]).toEqual([5, "4", undefined, []]);
  });

  it("begins new windows for many added lines", () => {
    const book = new LogBook(outline(10));
    book.extend({ total: WINDOW + 1, end: "q", marks: [{ before: 0, after: "end" }, { before: WINDOW, after: "r" }] });
    expect(book.missing(9, WINDOW + 10).map((gap) => [gap.before, gap.size])).toEqual([[0, 10], [10, WINDOW], [WINDOW + 10, 1]]);
  });

  it("begins with nothing", () => {
    const book = new LogBook(outline(0));
    expect(book.missing(0, 10)).toEqual([]);
    book.extend({ total: 1, end: "a", marks: [{ before: 0, after: "end" }] });
    read(book, book.missing(0, 0));
    expect(book.line(0)?.message).toBe("0");
  });

  it("drops what lies far from where one reads", () => {
    const book = new LogBook(outline(WINDOW * 200));
    for (let at = 0; at < 200; at += 1) read(book, book.missing(at * WINDOW, at * WINDOW));
    read(book, book.missing(0, 0));
    expect([book.line(0)?.message, book.line(100 * WINDOW), book.line(198 * WINDOW)?.message, book.line(199 * WINDOW)]).toEqual(["0", undefined, String(198 * WINDOW), undefined]);
  });
});

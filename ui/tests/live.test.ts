import { describe, expect, it } from "vitest";
import { follow, pauseAfter, type StreamSource } from "@/lib/live";

class FakeSource implements StreamSource {
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent<string>) => void) | null = null;
  closed = false;
  close(): void {
    this.closed = true;
  }
  say(data: string): void {
    this.onmessage?.({ data } as MessageEvent<string>);
  }
  break(): void {
    this.onerror?.(new Event("error"));
  }
}

function stage() {
  const sources: FakeSource[] = [];
  const pauses: number[] = [];
  const stale: boolean[] = [];
  const items: unknown[] = [];
  let next: (() => void) | undefined;
  const stop = follow<{ n: number }>({
    url: "/follow",
    onItem: (item) => {
      items.push(item);
      return item.n === 9;
    },
    onStale: (lost) => stale.push(lost),
    open: () => {
      const source = new FakeSource();
      sources.push(source);
      return source;
    },
    wait: (ms, then) => {
      pauses.push(ms);
      next = then;
      return () => (next = undefined);
    },
  });
  const last = (): FakeSource => sources.at(-1) as FakeSource;
  return { sources, pauses, stale, items, stop, last, resume: () => next?.() };
}

describe("follow", () => {
  it("leaves out the empty first event", () => {
    const { last, items } = stage();
    last().say("");
    last().say("{}");
    last().say('{"n":1}');
    expect(items).toEqual([{ n: 1 }]);
  });

  it("closes the stream when an item ends it", () => {
    const { last, sources, pauses } = stage();
    last().say('{"n":9}');
    expect(last().closed).toBe(true);
    last().break();
    expect([sources.length, pauses.length]).toEqual([1, 0]);
  });

  it("reopens with growing pauses and says that it is stale from the second loss on", () => {
    const { last, pauses, stale, resume } = stage();
    last().break();
    expect(stale).toEqual([]);
    resume();
    last().break();
    resume();
    last().break();
    expect(pauses).toEqual([500, 1_000, 2_000]);
    expect(stale).toEqual([true, true]);
    resume();
    last().onopen?.(new Event("open"));
    expect(stale.at(-1)).toBe(false);
  });

  it("starts with the short pause again after a message", () => {
    const { last, pauses, resume } = stage();
    last().break();
    resume();
    last().break();
    resume();
    last().say('{"n":1}');
    last().break();
    expect(pauses).toEqual([500, 1_000, 500]);
  });

  it("neither reopens nor listens once stopped", () => {
    const { last, sources, stop, resume } = stage();
    last().break();
    stop();
    resume();
    expect(sources.length).toBe(1);
  });
});

describe("pauseAfter", () => {
  it("never exceeds a quarter of a minute", () => expect(pauseAfter(20)).toBe(15_000));
});

import { computed, nextTick, onScopeDispose, ref, watch, type Ref } from "vue";
import { Heights } from "@/lib/heights";

/** Browsers draw nothing beyond some tens of millions of pixels: a longer list is scrolled to scale. */
const TALLEST = 8_000_000;
const NEAR_END = 40;
const SETTLE = 140;

interface LongList {
  readonly count: () => number;
  readonly estimate: number;
  /** Rows drawn above and below what is in sight. */
  readonly overscan: number;
  /** Whether who reads the end is kept there while rows are added. */
  readonly sticky: () => boolean;
}

/**
 * Rows of a list of any length, drawn where they are in sight. The place in the list is kept by itself:
 * short ways are moved by pixels, long ones by the share of the way; the scroll bar follows when all is quiet.
 */
export function useLongList(pane: Ref<HTMLElement | undefined>, { count, estimate, overscan, sticky }: LongList) {
  const heights = new Heights(estimate);
  const y = ref(0);
  const room = ref(0);
  /** Bumped whenever heights change. */
  const version = ref(0);
  const atEnd = ref(true);
  let scrolled = 0;
  let width = 0;
  let settling: ReturnType<typeof setTimeout> | undefined;

  const total = computed(() => (version.value, heights.total));
  const furthest = computed(() => Math.max(0, total.value - room.value));
  const tall = computed(() => Math.min(total.value, TALLEST));
  const range = computed(() => {
    void version.value;
    if (heights.count === 0) return { first: 0, last: -1, shift: 0 };
    const first = Math.max(0, heights.at(y.value) - overscan);
    const last = Math.min(heights.count - 1, heights.at(y.value + room.value) + overscan);
    return { first, last, shift: heights.before(first) - y.value };
  });

  function place(next: number): void {
    y.value = Math.min(Math.max(0, next), furthest.value);
    atEnd.value = furthest.value - y.value < NEAR_END;
  }

  /** Brings the scroll bar to where the list is. */
  function settle(): void {
    const element = pane.value;
    const way = tall.value - room.value;
    if (!element || way <= 0) return;
    const wanted = Math.round((y.value / Math.max(1, furthest.value)) * way);
    if (Math.abs(element.scrollTop - wanted) > 1) element.scrollTop = wanted;
    scrolled = element.scrollTop;
  }

  function settleSoon(): void {
    clearTimeout(settling);
    settling = setTimeout(settle, SETTLE);
  }

  function onScroll(): void {
    const element = pane.value;
    if (!element) return;
    const way = element.scrollTop - scrolled;
    if (Math.abs(way) < 1) return;
    scrolled = element.scrollTop;
    const reach = tall.value - room.value;
    if (Math.abs(way) <= room.value) place(y.value + way);
    else place((scrolled / Math.max(1, reach)) * furthest.value);
    const isStuck = (scrolled <= 0 && y.value > 0) || (scrolled >= reach - 1 && y.value < furthest.value);
    if (isStuck) settle();
    else settleSoon();
  }

  /** Learns how high the drawn rows are; what one reads stays where it is. */
  function measure(rows: Iterable<readonly [number, HTMLElement]>): void {
    const anchor = heights.at(y.value);
    const inside = y.value - heights.before(anchor);
    let changed = false;
    for (const [row, element] of rows) {
      if (row >= heights.count || heights.isKnown(row)) continue;
      heights.set(row, element.getBoundingClientRect().height);
      changed = true;
    }
    if (!changed) return;
    const stays = atEnd.value && y.value > 0;
    version.value += 1;
    if (stays) toEnd();
    else place(heights.before(anchor) + inside);
    settleSoon();
  }

  /** Goes to a place, and takes the scroll bar along before the browser tells that it moved it. */
  function go(next: number): void {
    place(next);
    void nextTick(settle);
  }

  function toEnd(): void {
    go(furthest.value);
  }

  function toStart(): void {
    go(0);
  }

  /** Shows a row in the middle. */
  function reveal(row: number): void {
    go(heights.before(row) - room.value / 2);
  }

  function onKey(event: KeyboardEvent): void {
    if (event.key !== "End" && event.key !== "Home") return;
    event.preventDefault();
    if (event.key === "End") toEnd();
    else toStart();
  }

  /** Another list: nothing that was measured holds, and it is read from its beginning. */
  function reset(): void {
    heights.forget();
    heights.resize(count());
    version.value += 1;
    toStart();
  }

  const observer = new ResizeObserver(([entry]) => {
    const box = entry?.contentRect;
    if (!box) return;
    room.value = Math.min(box.height, window.innerHeight);
    if (box.width !== width) {
      const row = heights.at(y.value);
      width = box.width;
      heights.forget();
      version.value += 1;
      place(heights.before(row));
    } else place(y.value);
    settleSoon();
  });
  watch(pane, (element) => {
    observer.disconnect();
    if (element) observer.observe(element);
  }, { flush: "post", immediate: true });
  watch(count, (now) => {
    const stays = sticky() && atEnd.value;
    heights.resize(now);
    version.value += 1;
    if (stays) toEnd();
    else place(y.value);
  }, { immediate: true, flush: "sync" });
  onScopeDispose(() => {
    observer.disconnect();
    clearTimeout(settling);
  });

  return { range, tall, room, atEnd, onScroll, onKey, measure, toEnd, reveal, reset };
}

import type { ObjectDirective } from "vue";

const last = new WeakMap<HTMLElement, { tab: Element; width: number }>();

/** Brings the current tab into sight where not all of them have room; wherever the reader scrolls to afterwards stays. */
function reveal(bar: HTMLElement): void {
  const tab = bar.querySelector('[aria-current="page"]');
  const known = last.get(bar);
  // A number that comes after its tab moves those behind it.
  if (!tab || (known?.tab === tab && known.width === bar.scrollWidth)) return;
  last.set(bar, { tab, width: bar.scrollWidth });
  const [outer, inner] = [bar.getBoundingClientRect(), tab.getBoundingClientRect()];
  bar.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
}

/** For a bar of tabs: `v-reveal-current`. */
export const vRevealCurrent: ObjectDirective<HTMLElement> = { mounted: reveal, updated: reveal };

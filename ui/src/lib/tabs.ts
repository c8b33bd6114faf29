import type { ObjectDirective } from "vue";

const last = new WeakMap<HTMLElement, Element>();

/** Brings the current tab into sight where not all of them have room; wherever the reader scrolls to afterwards stays. */
function reveal(bar: HTMLElement): void {
  const tab = bar.querySelector('[aria-current="page"]');
  if (!tab || last.get(bar) === tab) return;
  last.set(bar, tab);
  const [outer, inner] = [bar.getBoundingClientRect(), tab.getBoundingClientRect()];
  bar.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
}

/** For a bar of tabs: `v-reveal-current`. */
export const vRevealCurrent: ObjectDirective<HTMLElement> = { mounted: reveal, updated: reveal };

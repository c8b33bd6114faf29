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

/** Arrows lead from one tab to the next, Home and End to the ends; Enter opens the one with the focus. */
function walk(event: KeyboardEvent): void {
  const bar = event.currentTarget as HTMLElement;
  const tabs = [...bar.querySelectorAll<HTMLElement>("a, button")];
  const at = tabs.findIndex((tab) => tab === document.activeElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  tabs.at(to % tabs.length)?.focus();
}

/** For a bar of tabs: `v-tabs`. */
export const vTabs: ObjectDirective<HTMLElement> = {
  mounted: (bar) => {
    bar.addEventListener("keydown", walk);
    reveal(bar);
  },
  updated: reveal,
};

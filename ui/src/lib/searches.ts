/** Saved searches: a reader's own names for the filters of a list. */
import type { SavedSearch } from "./settings";

type Query = Readonly<Record<string, unknown>>;

/** What of an address belongs to a search: everything but the page one happens to be on. */
export function searchOf(query: Query): Record<string, string> {
  return Object.fromEntries(Object.entries(query).filter(([name, value]) => name !== "page" && typeof value === "string" && value !== "")) as Record<string, string>;
}

export function isSameSearch(one: Query, other: Query): boolean {
  const [left, right] = [searchOf(one), searchOf(other)];
  return Object.keys(left).length === Object.keys(right).length && Object.entries(left).every(([name, value]) => right[name] === value);
}

/** The searches with one more; of two with the same name the newer stays, in the older's place. */
export function withSearch(searches: readonly SavedSearch[], added: SavedSearch): SavedSearch[] {
  const known = searches.some(({ name }) => name === added.name);
  return known ? searches.map((one) => (one.name === added.name ? added : one)) : [...searches, added];
}

export function withoutSearch(searches: readonly SavedSearch[], name: string): SavedSearch[] {
  return searches.filter((one) => one.name !== name);
}

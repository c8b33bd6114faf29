/** Saved searches and bookmarks: lists of a reader's own names for places. */
import type { Bookmark, SavedSearch } from "./settings";

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

/** Bookmarks with a page added, or taken away when it is there already: a page is kept once. */
export function toggledBookmark(bookmarks: readonly Bookmark[], page: Bookmark): Bookmark[] {
  const rest = bookmarks.filter(({ path }) => path !== page.path);
  return rest.length < bookmarks.length ? rest : [...bookmarks, page];
}

/** Bookmarks with one renamed; an empty name keeps the old one. */
export function renamedBookmark(bookmarks: readonly Bookmark[], path: string, name: string): Bookmark[] {
  return bookmarks.map((one) => (one.path === path && name.trim() ? { ...one, name: name.trim() } : one));
}

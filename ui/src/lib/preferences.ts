/** Settings on the server and in this browser: what is kept, what changed, and how both become one (UI-020, UI-160). */
import { FIRST_SETTINGS, readSettings, type Settings } from "./settings";

/** Settings as they are kept: those that are not as at first, by name. */
export type Kept = Readonly<Record<string, unknown>>;

export interface Preferences {
  readonly username: string;
  readonly values: Kept;
}

export interface Page {
  readonly name: string;
  readonly path: string;
}

/** What of the settings is worth keeping. */
export function keptOf(settings: Settings): Kept {
  return Object.fromEntries(Object.entries(settings).filter(([name, value]) => !isSame(value, FIRST_SETTINGS[name as keyof Settings])));
}

/** What has to be told for one to become the other; what is as at first again is null. */
export function changesOf(from: Kept, to: Kept): Kept {
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  return Object.fromEntries([...names].filter((name) => !isSame(from[name], to[name])).map((name) => [name, to[name] ?? null]));
}

/**
 * The settings of whoever is signed in. What was changed here since the server was last heard of comes before what the server has.
 * A browser that never heard of one gives what the server lacks; what somebody else left in it counts for nothing.
 */
export function mergedWith(server: Preferences, here: Settings, known: Preferences | undefined): Settings {
  const own = keptOf(here);
  if (!known) return settingsOf({ ...own, ...server.values });
  return settingsOf(known.username === server.username ? { ...server.values, ...changesOf(known.values, own) } : server.values);
}

/** What the server said, without what this interface does not understand. */
export function understood({ username, values }: Preferences): Preferences {
  return { username, values: keptOf(settingsOf(values)) };
}

/** What was last known of a server, as kept. */
export function readKnown(kept: string | null): Preferences | undefined {
  const found = parse(kept);
  return typeof found.username === "string" && typeof found.values === "object" && found.values !== null ? understood(found as unknown as Preferences) : undefined;
}

/** The pages that were starred when bookmarks were kept in the browser. */
export function bookmarksIn(kept: string | null): Page[] {
  const { bookmarks } = parse(kept);
  if (!Array.isArray(bookmarks)) return [];
  return bookmarks.filter((one): one is Page => typeof one?.name === "string" && typeof one.path === "string");
}

function settingsOf(values: Kept): Settings {
  return readSettings(JSON.stringify(values));
}

function parse(text: string | null): Record<string, unknown> {
  try {
    return (JSON.parse(text ?? "{}") ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

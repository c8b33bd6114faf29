import type { Label } from "@/api/types";

/** The prefixes hidden while the instance has not said its own. */
const HIDDEN: readonly string[] = ["system."];

/** Labels of a flow, written as a map or as a list, as a list; those with a hidden prefix left out. */
export function labelList(labels: unknown, hidden: readonly string[] = HIDDEN): Label[] {
  const list = Array.isArray(labels)
    ? (labels as Label[])
    : Object.entries((labels ?? {}) as Record<string, unknown>).map(([key, value]) => ({ key, value: String(value) }));
  return list.filter((label) => !hidden.some((prefix) => label.key.startsWith(prefix)));
}

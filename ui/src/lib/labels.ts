import type { Label } from "@/api/types";

/** Labels of a flow, written as a map or as a list, as a list; the product's own ones left out. */
export function labelList(labels: unknown): Label[] {
  const list = Array.isArray(labels)
    ? (labels as Label[])
    : Object.entries((labels ?? {}) as Record<string, unknown>).map(([key, value]) => ({ key, value: String(value) }));
  return list.filter((label) => !label.key.startsWith("system."));
}

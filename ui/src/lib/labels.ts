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

/** Tags as they are typed: `name:value`, with commas between them. */
export function textOfTags(tags: readonly Label[]): string {
  return tags.map(({ key, value }) => `${key}:${value}`).join(", ");
}

/** What somebody has typed as tags; nothing when that is not what they are. */
export function tagsOf(text: string): Label[] | undefined {
  const parts = text.split(",").map((part) => part.trim()).filter(Boolean);
  const tags = parts.map((part) => {
    const [key = "", ...rest] = part.split(":");
    return { key: key.trim(), value: rest.join(":").trim() };
  });
  return tags.every(({ key, value }) => key && value) ? tags : undefined;
}

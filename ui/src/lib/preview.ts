/** A preview of a file as what it shows: a table, text or a picture. */
import type { FilePreview } from "@/api/types";

export type Shown =
  | { readonly kind: "table"; readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: "picture"; readonly url: string }
  | { readonly kind: "text"; readonly text: string };

/** What a preview shows. Rows that are no records become a table of one column. */
export function shownOf({ type, content, extension }: FilePreview): Shown {
  if (type === "IMAGE" && typeof content === "string") return { kind: "picture", url: content.startsWith("data:") ? content : `data:image/${extension};base64,${content}` };
  if (type === "LIST" && Array.isArray(content)) return table(content);
  return { kind: "text", text: wordsOf(content) };
}

function table(list: readonly unknown[]): Shown {
  if (!list.every(isRecord)) return { kind: "table", columns: ["value"], rows: list.map((row) => [wordsOf(row)]) };
  const columns = [...new Set(list.flatMap((row) => Object.keys(row)))];
  return { kind: "table", columns, rows: list.map((row) => columns.map((column) => wordsOf(row[column]))) };
}

function wordsOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Values of the key-value store as they are written and sent. */

export const TYPES = ["STRING", "NUMBER", "BOOLEAN", "DATETIME", "DATE", "DURATION", "JSON"] as const;
export type ValueType = (typeof TYPES)[number];

/** A value as its text field shows it. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
}

/** The body that says this value: JSON for what has a form of its own there, quoted text for strings. */
export function bodyOf(type: ValueType, text: string): string {
  return type === "STRING" ? JSON.stringify(text) : text.trim();
}

/** The message key of what is wrong with a value, or undefined. */
export function faultOf(type: ValueType, text: string): string | undefined {
  if (type === "NUMBER") return text.trim() !== "" && Number.isFinite(Number(text)) ? undefined : "inputs.notNumber";
  if (type === "BOOLEAN") return ["true", "false"].includes(text.trim()) ? undefined : "kv.notBoolean";
  if (type !== "JSON") return text.trim() === "" && type !== "STRING" ? "inputs.required" : undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    return "inputs.notJson";
  }
}

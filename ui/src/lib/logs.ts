/** Log lines of an execution: levels, and their text. */
import type { LogLevel } from "@/api/types";

/** From the gravest to the chattiest. */
export const LEVELS: LogLevel[] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/** A message without the colour codes that terminals read. */
export function plainText(message: string): string {
  // eslint-disable-next-line no-control-regex -- the escape character is what is looked for
  return message.replace(/\u001b\[[0-9;]*[A-Za-z]/g, "");
}

/** A text cut where another one occurs in it, in any case of letters: every second piece is such a place. */
export function cutAt(text: string, wanted: string): string[] {
  if (!wanted) return [text];
  const parts: string[] = [];
  const lower = text.toLowerCase();
  const word = wanted.toLowerCase();
  // Some letters change their length with their case; such a text is left whole.
  if (lower.length !== text.length) return [text];
  let from = 0;
  for (let at = lower.indexOf(word); at >= 0; at = lower.indexOf(word, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + word.length));
    from = at + word.length;
  }
  return [...parts, text.slice(from)];
}

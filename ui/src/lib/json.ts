/** A value as JSON for people. */
export function shownJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}

/** What a text says as JSON, or undefined. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

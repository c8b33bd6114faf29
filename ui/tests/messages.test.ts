import { describe, expect, it } from "vitest";
import { ENGLISH } from "@/i18n";

const sources = import.meta.glob<string>("../src/**/*.{vue,ts}", { query: "?raw", import: "default", eager: true });

function has(key: string): boolean {
  let place: unknown = ENGLISH;
  for (const part of key.split(".")) place = typeof place === "object" && place !== null ? (place as Record<string, unknown>)[part] : undefined;
  return typeof place === "string";
}

describe("messages", () => {
  it("exist for every key the sources name", () => {
    const used = Object.values(sources).flatMap((text) => [...text.matchAll(/(?:\bt\(|\$t\(|(?:key|label|title): )"([a-z][\w]*(?:\.[\w]+)+)"/g)].map((match) => match[1] ?? ""));
    expect(used.length).toBeGreaterThan(100);
    expect([...new Set(used)].filter((key) => !has(key))).toEqual([]);
  });
});

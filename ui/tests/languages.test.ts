import { describe, expect, it } from "vitest";
import { createMessages, ENGLISH, LANGUAGE_NAMES, speak } from "@/i18n";
import { LANGUAGES } from "@/lib/settings";

/** Every text by the keys that lead to it. */
function textsOf(value: unknown, above = ""): [string, string][] {
  if (typeof value === "string") return [[above, value]];
  return Object.entries(value as object).flatMap(([key, one]) => textsOf(one, above ? `${above}.${key}` : key));
}

const english = textsOf(ENGLISH);
const placeholders = (text: string): string[] => [...new Set(text.match(/\{[^}]*\}/g))].sort();

const others = import.meta.glob<object>(["../src/i18n/*.json", "!../src/i18n/en.json"], { import: "default", eager: true });

describe.each(LANGUAGES.filter((one) => one !== "en"))("the texts in %s (UI-023)", (language) => {
  const own = new Map(textsOf(others[`../src/i18n/${language}.json`] ?? {}));

  it("are there for every English one, and no others", () => {
    const keys = new Set(english.map(([key]) => key));
    expect({ missing: english.map(([key]) => key).filter((key) => !own.has(key)), unknown: [...own.keys()].filter((key) => !keys.has(key)) }).toEqual({ missing: [], unknown: [] });
  });

  it("name the same values, in as many forms", () => {
    const other = english.filter(([key, text]) => {
      const translated = own.get(key) ?? "";
      return placeholders(text).join() !== placeholders(translated).join() || text.split(" | ").length !== translated.split(" | ").length;
    });
    expect(other.map(([key]) => key)).toEqual([]);
  });
});

describe("the page", () => {
  it("speaks the language that was chosen, and says so to those who read it aloud", async () => {
    const messages = createMessages();
    await speak(messages, "de");
    expect([messages.global.t("flows.create"), document.documentElement.lang]).toEqual(["Neuer Flow", "de"]);
    await speak(messages, "en");
    expect([messages.global.t("flows.create"), document.documentElement.lang]).toEqual(["New flow", "en"]);
  });

  it("offers every language by its own name", () => expect(Object.keys(LANGUAGE_NAMES)).toEqual([...LANGUAGES]));
});

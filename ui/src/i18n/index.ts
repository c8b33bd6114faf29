import { createI18n } from "vue-i18n";
import type { Settings } from "@/lib/settings";
import main from "./en.json";

type Language = Settings["language"];
export type Messages = typeof main;

/** How each language calls itself. */
export const LANGUAGE_NAMES: Record<Language, string> = {
  en: "English", de: "Deutsch", es: "Español", fr: "Français", hi: "हिन्दी", it: "Italiano", ja: "日本語", ko: "한국어", pl: "Polski", pt: "Português", ru: "Русский", zh: "中文",
};

const parts = import.meta.glob<Record<string, unknown>>("./en/*.json", { import: "default", eager: true });

/** All texts in English: the common ones, and those of each part of the interface under the part's name. */
export const ENGLISH = {
  ...main,
  ...Object.fromEntries(Object.entries(parts).map(([path, texts]) => [path.replace(/^.*\/|\.json$/g, ""), texts])),
} as Messages;

/** The texts of every other language, each in one file of the same keys that is loaded when it is chosen. */
const OTHERS = import.meta.glob<Messages>(["./*.json", "!./en.json"], { import: "default" });

/** The texts of the interface, in English until another language is shown (UI-023). */
export function createMessages() {
  // The others come later, when they are chosen.
  const messages = { en: ENGLISH } as Record<Language, Messages>;
  return createI18n({ legacy: false, locale: "en" as Language, fallbackLocale: "en", messages });
}

/** Has the page speak a language; what cannot be loaded stays in English. */
export async function speak({ global }: ReturnType<typeof createMessages>, language: Language): Promise<void> {
  if (language !== "en" && !global.availableLocales.includes(language)) {
    const loaded = await OTHERS[`./${language}.json`]?.().catch(() => undefined);
    if (!loaded) return;
    global.setLocaleMessage(language, loaded);
  }
  global.locale.value = language;
  document.documentElement.lang = language;
}

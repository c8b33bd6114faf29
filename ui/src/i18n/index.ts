import { createI18n } from "vue-i18n";
import main from "./en.json";

const parts = import.meta.glob<Record<string, unknown>>("./en/*.json", { import: "default", eager: true });

/** All texts in English: the common ones, and those of each part of the interface under the part's name. */
export const ENGLISH = {
  ...main,
  ...Object.fromEntries(Object.entries(parts).map(([path, texts]) => [path.replace(/^.*\/|\.json$/g, ""), texts])),
} as typeof main;

/** The texts of the interface. A further language is one more file and folder of the same keys. */
export function createMessages() {
  return createI18n({ legacy: false, locale: "en", fallbackLocale: "en", messages: { en: ENGLISH } });
}

import { createI18n } from "vue-i18n";
import en from "./en.json";

/** The texts of the interface. A further language is one more file of the same keys. */
export function createMessages() {
  return createI18n({ legacy: false, locale: "en", fallbackLocale: "en", messages: { en } });
}

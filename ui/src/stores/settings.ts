import { defineStore } from "pinia";
import { reactive, toRefs, watch, watchEffect } from "vue";
import { readSettings, type Settings } from "@/lib/settings";

/** Where this browser keeps them, so that the first paint waits for nobody. */
export const SETTINGS_KEY = "penstock.settings";

/** The reader's own settings as this browser has them; `usePreferences` keeps them the same as on the server (UI-020). */
export const useSettings = defineStore("settings", () => {
  const values = reactive<Settings>(readSettings(localStorage.getItem(SETTINGS_KEY)));

  watchEffect(() => {
    if (values.theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = values.theme;
  });
  watchEffect(() => {
    document.documentElement.dataset.charts = values.chartColours;
  });
  watch(values, () => localStorage.setItem(SETTINGS_KEY, JSON.stringify(values)));

  function toggleSide(): void {
    values.sideOpen = !values.sideOpen;
  }

  /** Everything as it is for a new reader. */
  function reset(): void {
    Object.assign(values, readSettings(null));
  }

  return { ...toRefs(values), values, toggleSide, reset };
});

export type { Theme } from "@/lib/settings";

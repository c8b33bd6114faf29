import { defineStore } from "pinia";
import { reactive, toRefs, watch, watchEffect } from "vue";
import { readSettings, type Settings } from "@/lib/settings";

const KEY = "penstock.settings";

/** The reader's own settings, kept in this browser (UI-020). Nothing the server knows is copied here. */
export const useSettings = defineStore("settings", () => {
  const values = reactive<Settings>(readSettings(localStorage.getItem(KEY)));

  watchEffect(() => {
    if (values.theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = values.theme;
  });
  watchEffect(() => {
    document.documentElement.dataset.charts = values.chartColours;
  });
  watch(values, () => localStorage.setItem(KEY, JSON.stringify(values)));

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

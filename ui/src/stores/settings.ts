import { defineStore } from "pinia";
import { computed, reactive, toRefs, watch, watchEffect } from "vue";
import { useNarrow } from "@/composables/useNarrow";
import { readSettings, type Settings } from "@/lib/settings";

/** Where this browser keeps them, so that the first paint waits for nobody. */
export const SETTINGS_KEY = "penstock.settings";
/** Up to how many pixels the side bar is folded until the reader unfolds it. */
const NARROW = 1024;

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

  const isNarrow = useNarrow(NARROW);
  const sideKey = computed(() => (isNarrow.value ? "sideOpenNarrow" : "sideOpen"));
  const isSideOpen = computed(() => values[sideKey.value]);

  /** What one chose for narrow windows says nothing about wide ones. */
  function toggleSide(): void {
    values[sideKey.value] = !values[sideKey.value];
  }

  /** Everything as it is for a new reader. */
  function reset(): void {
    Object.assign(values, readSettings(null));
  }

  return { ...toRefs(values), values, isSideOpen, toggleSide, reset };
});

export type { Theme } from "@/lib/settings";

import { defineStore } from "pinia";
import { ref, watch, watchEffect } from "vue";

export type Theme = "system" | "light" | "dark";

const KEY = "penstock.settings";

interface Saved {
  theme: Theme;
  sideOpen: boolean;
  /** Columns of the list of executions that the reader left out. */
  hiddenColumns: string[];
}

/** The reader's own settings, kept in this browser. Nothing the server knows is copied here. */
export const useSettings = defineStore("settings", () => {
  const saved = read();
  const theme = ref<Theme>(saved.theme);
  const sideOpen = ref(saved.sideOpen);
  const hiddenColumns = ref(saved.hiddenColumns);

  watchEffect(() => {
    if (theme.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
  });
  watch([theme, sideOpen, hiddenColumns], () => {
    const next: Saved = { theme: theme.value, sideOpen: sideOpen.value, hiddenColumns: hiddenColumns.value };
    localStorage.setItem(KEY, JSON.stringify(next));
  });

  function toggleSide(): void {
    sideOpen.value = !sideOpen.value;
  }

  return { theme, sideOpen, hiddenColumns, toggleSide };
});

function read(): Saved {
  const fallback: Saved = { theme: "system", sideOpen: true, hiddenColumns: [] };
  try {
    return { ...fallback, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Saved>) };
  } catch {
    return fallback;
  }
}

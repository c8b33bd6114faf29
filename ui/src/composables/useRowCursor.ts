import { nextTick, ref, watch, type Ref } from "vue";
import { useShortcuts } from "./useShortcuts";

/** j, k and Enter in a list: the row under the cursor has the focus on its link, and is kept in sight. */
export function useRowCursor<T>(rows: Ref<readonly T[]>, open: (row: T) => void) {
  const cursor = ref(-1);

  function move(step: number): void {
    const last = rows.value.length - 1;
    if (last < 0) return;
    cursor.value = Math.min(last, Math.max(0, cursor.value + step));
    void nextTick(() => {
      const row = document.querySelector("tr.cursor");
      row?.querySelector<HTMLElement>("a:not([tabindex])")?.focus({ preventScroll: true });
      row?.scrollIntoView({ block: "nearest" });
    });
  }

  function openRow(): void {
    const row = rows.value[cursor.value];
    if (row !== undefined) open(row);
  }

  watch(rows, (now) => {
    if (cursor.value >= now.length) cursor.value = -1;
  });
  useShortcuts([
    { keys: "j", label: "shortcuts.down", run: () => move(1) },
    { keys: "k", label: "shortcuts.up", run: () => move(-1) },
    { keys: "enter", label: "shortcuts.open", run: openRow },
  ]);
  return { cursor };
}

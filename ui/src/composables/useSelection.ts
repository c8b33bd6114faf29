import { computed, ref, watch, type Ref } from "vue";

/** Rows chosen on a page of a list; or all rows that meet the filters, on whatever page. */
export function useSelection<T>(rows: Ref<readonly T[] | undefined>, keyOf: (row: T) => string, reset: () => unknown) {
  const chosen = ref<ReadonlySet<string>>(new Set());
  const everything = ref(false);
  const here = computed(() => (rows.value ?? []).map(keyOf));
  const allHere = computed(() => here.value.length > 0 && here.value.every((key) => chosen.value.has(key)));

  function toggle(key: string): void {
    const next = new Set(chosen.value);
    if (!next.delete(key)) next.add(key);
    everything.value = false;
    chosen.value = next;
  }

  function toggleHere(): void {
    everything.value = false;
    chosen.value = allHere.value ? new Set() : new Set([...chosen.value, ...here.value]);
  }

  function clear(): void {
    everything.value = false;
    chosen.value = new Set();
  }

  // What was chosen among other rows is not what the reader means now.
  watch(reset, clear);

  return { chosen, everything, allHere, toggle, toggleHere, clear, has: (key: string) => chosen.value.has(key), isSome: computed(() => chosen.value.size > 0) };
}

export type Selection = Pick<ReturnType<typeof useSelection>, "toggle" | "toggleHere" | "has"> & { readonly allHere: Ref<boolean>; readonly isSome: Ref<boolean> };

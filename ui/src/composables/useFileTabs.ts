import { computed, reactive, ref, toValue, watch, type MaybeRefOrGetter } from "vue";
import { useRoute, useRouter } from "vue-router";
import { afterMove, isWithin, movedTabs, withoutTab, withTab, type Tabs } from "@/lib/paths";

interface Kept {
  readonly open: readonly string[];
  readonly drafts: Readonly<Record<string, string>>;
}

/**
 * The files that are open in tabs, and what was typed into them and not saved: both outlive a reload.
 * Which tab is in front stands in the address.
 */
export function useFileTabs(namespace: MaybeRefOrGetter<string>) {
  const route = useRoute();
  const router = useRouter();
  const slot = `penstock.files.${toValue(namespace)}`;
  const kept = readKept(slot);
  const active = computed(() => (typeof route.query.file === "string" ? route.query.file : ""));
  const open = ref<readonly string[]>(kept.open);
  const drafts = reactive(new Map<string, string>(Object.entries(kept.drafts)));

  watch(active, (path) => path && !open.value.includes(path) && show(path), { immediate: true });
  watch([open, drafts], () => localStorage.setItem(slot, JSON.stringify({ open: open.value, drafts: Object.fromEntries(drafts) } satisfies Kept)), { deep: true });

  function put(tabs: Tabs): void {
    open.value = tabs.open;
    if (tabs.active !== active.value) void router.replace({ query: { ...route.query, file: tabs.active || undefined } });
  }

  function show(path: string): void {
    put(withTab({ open: open.value, active: active.value }, path));
  }

  /** Closes the tab of a path, and of all that lies in it. */
  function close(path: string): void {
    for (const one of [...drafts.keys()].filter((draft) => isWithin(draft, path))) drafts.delete(one);
    put(withoutTab({ open: open.value, active: active.value }, path));
  }

  function move(from: string, to: string): void {
    for (const [path, text] of [...drafts]) {
      if (!isWithin(path, from)) continue;
      drafts.delete(path);
      drafts.set(afterMove(path, from, to), text);
    }
    put(movedTabs({ open: open.value, active: active.value }, from, to));
  }

  function draft(path: string, text: string | undefined): void {
    if (text === undefined) drafts.delete(path);
    else drafts.set(path, text);
  }

  return { open, active, drafts, show, close, move, draft };
}

function readKept(slot: string): Kept {
  try {
    const kept = JSON.parse(localStorage.getItem(slot) ?? "{}") as Partial<Kept>;
    return { open: kept.open ?? [], drafts: kept.drafts ?? {} };
  } catch {
    return { open: [], drafts: {} };
  }
}

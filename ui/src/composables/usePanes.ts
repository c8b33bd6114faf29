import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { useRoute, useRouter } from "vue-router";
import { moved, panesOf, toggled } from "@/lib/panes";
import { useNarrow } from "./useNarrow";

/** Up to this width there is room for one pane alone. */
const ONE_PANE = 900;

/** The panes of an editor that are open, kept in the address; those it opens with when the address names none (UI-070). */
export function usePanes<P extends string>(all: readonly P[], first: MaybeRefOrGetter<readonly P[]>) {
  const route = useRoute();
  const router = useRouter();
  const narrow = useNarrow(ONE_PANE);
  const open = computed<readonly P[]>(() => panesOf(all, route.query.panes) ?? (narrow.value ? toValue(first).slice(0, 1) : toValue(first)));
  const shown = computed<readonly P[]>(() => (narrow.value ? open.value.slice(-1) : open.value));

  function put(panes: readonly P[]): void {
    void router.replace({ query: { ...route.query, panes: panes.join(",") } });
  }

  /** Opens or closes a pane; where there is room for one, it takes the place of what is there. */
  function toggle(pane: P): void {
    put(narrow.value ? [pane] : toggled(open.value, pane));
  }

  function move(pane: P, step: 1 | -1): void {
    put(moved(open.value, pane, step));
  }

  return { shown, toggle, move };
}

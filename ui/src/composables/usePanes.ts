import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { useRoute, useRouter } from "vue-router";
import { moved, panesOf, toggled, type Pane } from "@/lib/panes";
import { useSettings } from "@/stores/settings";
import { useNarrow } from "./useNarrow";

/** Up to this width there is room for one pane alone. */
const ONE_PANE = 900;

/** The panes of the editor that are open, kept in the address; a plain editor has its source alone (UI-021, UI-070). */
export function usePanes(plain: MaybeRefOrGetter<boolean>) {
  const route = useRoute();
  const router = useRouter();
  const settings = useSettings();
  const narrow = useNarrow(ONE_PANE);
  const open = computed<readonly Pane[]>(() => panesOf(route.query.panes) ?? (narrow.value ? [settings.editorPane] : [settings.editorPane, "topology"]));
  const shown = computed<readonly Pane[]>(() => (toValue(plain) ? ["source"] : narrow.value ? open.value.slice(-1) : open.value));

  function put(panes: readonly Pane[]): void {
    void router.replace({ query: { ...route.query, panes: panes.join(",") } });
  }

  /** Opens or closes a pane; where there is room for one, it takes the place of what is there. */
  function toggle(pane: Pane): void {
    put(narrow.value ? [pane] : toggled(open.value, pane));
  }

  function move(pane: Pane, step: 1 | -1): void {
    put(moved(open.value, pane, step));
  }

  return { shown, toggle, move };
}

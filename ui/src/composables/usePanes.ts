import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { useRoute, useRouter } from "vue-router";
import { panesOf, toggled, type Pane } from "@/lib/panes";

/** Where there is room for one pane alone. */
const NARROW = "(max-width: 900px)";

/** The panes of the editor that are open, kept in the address; a plain editor has its source alone. */
export function usePanes(plain: MaybeRefOrGetter<boolean>) {
  const route = useRoute();
  const router = useRouter();
  const shown = computed<readonly Pane[]>(() => (toValue(plain) || (!route.query.panes && matchMedia(NARROW).matches) ? ["source"] : panesOf(route.query.panes)));

  function toggle(pane: Pane): void {
    void router.replace({ query: { ...route.query, panes: toggled(shown.value, pane).join(",") } });
  }

  return { shown, toggle };
}

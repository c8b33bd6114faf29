import { useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { useRoute } from "vue-router";
import { sectionsOf } from "@/lib/docs";

/** All pages of the documentation and their sections, once they are wanted (UI-011). */
export function useDocs(enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: ["docs"],
    queryFn: async () => {
      const { PAGES } = await import("@/lib/docPages");
      return { pages: PAGES, known: new Set(PAGES.map(({ path }) => path)), sections: PAGES.flatMap(sectionsOf) };
    },
    enabled: computed(() => toValue(enabled)),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The documentation id of the area one is in: that of the side bar's section, and one for the editor of flows. */
export function useDocArea() {
  const route = useRoute();
  return computed(() => {
    const isEditor = route.name === "flow-new" || (route.name === "flow" && route.params.tab === "edit");
    return isEditor ? "flow-editor" : (route.meta.section ?? "start");
  });
}

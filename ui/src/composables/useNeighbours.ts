import { useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import type { Execution } from "@/api/types";
import { filterParams } from "@/lib/filters";

const EARLIER = 30;
const LATER = 10;

/** Executions of the same flow around one, newest first: those before it and those after it (UI-123). */
export function useNeighbours(execution: MaybeRefOrGetter<Execution | undefined>) {
  const asked = computed(() => {
    const one = toValue(execution);
    const start = one?.state.startDate;
    return one && start ? { namespace: one.namespace, flowId: one.flowId, start } : undefined;
  });
  return useQuery({
    queryKey: ["neighbours", asked] as const,
    queryFn: async ({ queryKey: [, of] }) => {
      const search = (operation: string, order: string, size: number) => {
        const query = { size, bodies: false, sort: [`state.startDate:${order}`], ...filterParams({ namespace: of?.namespace, flowId: of?.flowId }), [`filters[startDate][${operation}]`]: of?.start };
        return unwrap(api.GET("/api/v1/{tenant}/executions/search", { params: { path: inTenant(), query } }));
      };
      const [earlier, later] = await Promise.all([search("LESS_THAN", "desc", EARLIER), search("GREATER_THAN", "asc", LATER)]);
      return { earlier: earlier.results, later: later.results.reverse() };
    },
    enabled: computed(() => asked.value !== undefined),
    staleTime: 10_000,
  });
}

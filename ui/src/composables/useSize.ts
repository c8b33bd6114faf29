import { useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";

/** How much room an execution takes; asked once. */
export function useSize(executionId: MaybeRefOrGetter<string | undefined>) {
  return useQuery({
    queryKey: ["size", computed(() => toValue(executionId))] as const,
    queryFn: ({ queryKey: [, id] }) =>
      unwrap(api.GET("/api/v1/{tenant}/executions/{execution_id}/size", { params: { path: inTenant({ execution_id: id ?? "" }) } })),
    enabled: computed(() => toValue(executionId) !== undefined),
  });
}

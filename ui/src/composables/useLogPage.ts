import { keepPreviousData, useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import type { LogLevel } from "@/api/types";
import { filterParams } from "@/lib/filters";
import type { ListRequest } from "./useFlows";

/** One page of the log lines of all executions, newest first, asked again every few seconds while `live`. */
export function useLogPage(request: MaybeRefOrGetter<ListRequest & { readonly level: LogLevel }>, live: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: ["log-page", computed(() => toValue(request))] as const,
    queryFn: ({ queryKey: [, { filters, page, size, level }] }) => {
      const query = { page, size, sort: ["timestamp:desc"], minLevel: level, ...filterParams(filters) };
      return unwrap(api.GET("/api/v1/{tenant}/logs/search", { params: { path: inTenant(), query } }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: computed(() => (toValue(live) ? 5_000 : false)),
  });
}

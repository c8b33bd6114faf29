import { keepPreviousData, useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";

export interface Asked {
  readonly kind: "execution" | "trigger";
  /** A trigger is named `namespace/flow/trigger`. */
  readonly id: string;
}

/** Why something does not go on, and what removes it; asked again while it may change. */
export function useWhy(asked: MaybeRefOrGetter<Asked>, live: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: ["why", computed(() => toValue(asked))] as const,
    queryFn: ({ queryKey: [, { kind, id }] }) => unwrap(api.GET("/api/v1/{tenant}/why/{kind}/{id}", { params: { path: inTenant({ kind, id }) } })),
    enabled: computed(() => toValue(live)),
    placeholderData: keepPreviousData,
    refetchInterval: 3_000,
  });
}

import { useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, unwrap } from "@/api/client";

/** The plugins of this instance with their types; they stay the same while the page is open. */
export function usePlugins() {
  return useQuery({ queryKey: ["plugins"], queryFn: () => unwrap(api.GET("/api/v1/plugins", {})), staleTime: Number.POSITIVE_INFINITY });
}

/** The documentation of one type. */
export function useDocumentation(cls: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["documentation", computed(() => toValue(cls))] as const,
    queryFn: ({ queryKey }) => unwrap(api.GET("/api/v1/plugins/{cls}", { params: { path: { cls: queryKey[1] } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

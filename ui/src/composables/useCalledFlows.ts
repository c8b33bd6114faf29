import { useQueries } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import type { Called, CalledFlows } from "@/lib/topology";

/** The flows that the opened nodes of a topology call, each asked for once it is opened (UI-065). */
export function useCalledFlows(opened: MaybeRefOrGetter<ReadonlyMap<string, Called>>) {
  const wanted = computed(() => [...toValue(opened)]);
  const answers = useQueries({
    queries: computed(() =>
      wanted.value.map(([, path]) => ({
        queryKey: ["called-flow", path],
        queryFn: () => unwrap(api.GET("/api/v1/{tenant}/flows/{namespace}/{id}", { params: { path: inTenant({ ...path }) } })),
      })),
    ),
  });
  const called = computed<CalledFlows>(() => new Map(wanted.value.flatMap(([node], at) => {
    const flow = answers.value[at]?.data;
    return flow ? [[node, flow]] : [];
  })));
  return { called, error: computed(() => answers.value.find(({ error }) => error)?.error) };
}

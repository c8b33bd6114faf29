import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import { filterParams } from "@/lib/filters";
import type { FlowKey, ListRequest } from "./useFlows";

export const NEWEST_FIRST = "state.startDate:desc";

/** One page of executions (API-101 searchExecutions), asked again every few seconds while `live`. */
export function useExecutionList(request: MaybeRefOrGetter<ListRequest>, live: MaybeRefOrGetter<boolean> = true, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: ["executions", computed(() => toValue(request))] as const,
    queryFn: ({ queryKey }) => searchExecutions(queryKey[1]),
    placeholderData: keepPreviousData,
    enabled: computed(() => toValue(enabled)),
    refetchInterval: computed(() => (toValue(live) ? 5_000 : false)),
  });
}

export function searchExecutions({ filters, page, size, sort }: ListRequest) {
  const query = { page, size, sort: [sort ?? NEWEST_FIRST], bodies: false, ...filterParams(filters) };
  return unwrap(api.GET("/api/v1/{tenant}/executions/search", { params: { path: inTenant(), query } }));
}

/** An execution as it is now, for what does not change any more; an empty id asks for nothing. */
export function useExecutionOnce(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["execution", computed(() => toValue(id))] as const,
    queryFn: ({ queryKey }) => unwrap(api.GET("/api/v1/{tenant}/executions/{execution_id}", { params: { path: inTenant({ execution_id: queryKey[1] }) } })),
    enabled: computed(() => toValue(id) !== ""),
  });
}

/** The flow as this execution sees it: its own revision. */
export function useExecutionFlow(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["execution-flow", computed(() => toValue(id))] as const,
    queryFn: ({ queryKey }) => unwrap(api.GET("/api/v1/{tenant}/executions/{execution_id}/flow", { params: { path: inTenant({ execution_id: queryKey[1] }) } })),
    staleTime: Number.POSITIVE_INFINITY,
    enabled: computed(() => toValue(id) !== ""),
  });
}

/** Starts an execution with these input parts. */
export function useStartExecution() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ flow, form, labels }: { flow: FlowKey; form: FormData; labels: string[] }) =>
      unwrap(
        api.POST("/api/v1/{tenant}/executions/{namespace}/{id}", {
          params: { path: inTenant({ namespace: flow.namespace, id: flow.id }), query: { labels } },
          ...asForm(form),
        }),
      ),
    onSuccess: () => Promise.all(["executions", "latest"].map((name) => queries.invalidateQueries({ queryKey: [name] }))),
  });
}

/** Asks the server what it makes of these inputs: defaults, which are asked at all, errors, checks. */
export async function validateInputs(flow: FlowKey, form: FormData) {
  const answer = await unwrap(
    api.POST("/api/v1/{tenant}/executions/{namespace}/{id}/validate", {
      params: { path: inTenant({ namespace: flow.namespace, id: flow.id }) },
      ...asForm(form),
    }),
  );
  return Array.isArray(answer) ? answer[0] : answer;
}

/** A multipart body as the generated client takes it: passed through untouched. */
export function asForm(form: FormData) {
  return { body: form as unknown as Record<string, unknown>, bodySerializer: () => form };
}

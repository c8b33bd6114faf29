import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, send, unwrap } from "@/api/client";
import type { BulkAnswer, FlowPlan } from "@/api/types";
import { filterParams, type Filters } from "@/lib/filters";
import { groupedBy } from "@/lib/groups";

export interface ListRequest {
  readonly filters: Filters;
  readonly page: number;
  readonly size: number;
  readonly sort?: string;
}

export interface FlowKey {
  readonly namespace: string;
  readonly id: string;
}

const YAML = { "Content-Type": "application/x-yaml" };
const asText = { bodySerializer: (body: string) => body, headers: YAML };

// Every query reads what it asks for from its key: equal keys share one query, whoever asked first.

/** One page of flows (API-100 searchFlows). */
export function useFlowPage(request: MaybeRefOrGetter<ListRequest>) {
  return useQuery({
    queryKey: ["flows", computed(() => toValue(request))] as const,
    queryFn: ({ queryKey }) => searchFlows(queryKey[1]),
    placeholderData: keepPreviousData,
  });
}

export function searchFlows({ filters, page, size, sort }: ListRequest) {
  const query = { page, size, sort: [sort ?? "id:asc"], ...filterParams(filters) };
  return unwrap(api.GET("/api/v1/{tenant}/flows/search", { params: { path: inTenant(), query } }));
}

/** How many of a flow's last executions its row shows. */
const RUNS = 12;

/** The last executions of each of these flows, newest first, by `namespace/id`. */
export function useLatestExecutions(flows: MaybeRefOrGetter<readonly FlowKey[]>) {
  return useQuery({
    queryKey: ["latest", computed(() => toValue(flows).map((flow) => ({ namespace: flow.namespace, id: flow.id })))] as const,
    queryFn: async ({ queryKey }) => {
      const body = queryKey[1];
      const found = await unwrap(api.POST("/api/v1/{tenant}/executions/latest", { params: { path: inTenant(), query: { count: RUNS } }, body }));
      return groupedBy(found, (last) => `${last.namespace}/${last.flowId}`);
    },
    enabled: computed(() => toValue(flows).length > 0),
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
  });
}

export function useNamespaces() {
  return useQuery({
    queryKey: ["namespaces"],
    queryFn: () => unwrap(api.GET("/api/v1/{tenant}/flows/distinct-namespaces", { params: { path: inTenant() } })),
    staleTime: 30_000,
  });
}

/** All flows of a namespace, without their sources. */
export function useNamespaceFlows(namespace: MaybeRefOrGetter<string>, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: ["flows", "of", computed(() => toValue(namespace))] as const,
    queryFn: ({ queryKey }) => unwrap(api.GET("/api/v1/{tenant}/flows/{namespace}", { params: { path: inTenant({ namespace: queryKey[2] }) } })),
    enabled,
  });
}

/** One flow with its source, of the latest or a given revision. */
export function useFlow(key: MaybeRefOrGetter<FlowKey>, revision?: MaybeRefOrGetter<number | undefined>, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: ["flow", computed(() => toValue(key)), computed(() => toValue(revision))] as const,
    queryFn: ({ queryKey: [, path, wanted] }) => {
      const query = { source: true, revision: wanted };
      return unwrap(api.GET("/api/v1/{tenant}/flows/{namespace}/{id}", { params: { path: inTenant(path), query } }));
    },
    enabled,
  });
}

/** Which flows start which: around one flow, or in a namespace (UI-064). */
export function useDependencies(of: MaybeRefOrGetter<{ readonly namespace: string; readonly id?: string; readonly all?: boolean }>) {
  return useQuery({
    queryKey: ["dependencies", computed(() => toValue(of))] as const,
    queryFn: ({ queryKey: [, { namespace, id, all }] }) =>
      id === undefined
        ? unwrap(api.GET("/api/v1/{tenant}/namespaces/{namespace}/dependencies", { params: { path: inTenant({ namespace }) } }))
        : unwrap(api.GET("/api/v1/{tenant}/flows/{namespace}/{id}/dependencies", { params: { path: inTenant({ namespace, id }), query: { expandAll: all } } })),
    placeholderData: keepPreviousData,
  });
}

/** How full the slots of a flow are; undefined for one without a limit. */
export function useConcurrency(key: MaybeRefOrGetter<FlowKey>) {
  return useQuery({
    queryKey: ["concurrency", computed(() => toValue(key))] as const,
    queryFn: async ({ queryKey: [, { namespace, id }] }) => {
      const { results } = await unwrap(api.GET("/api/v1/{tenant}/concurrency-limit/search", { params: { path: inTenant(), query: { size: 1_000 } } }));
      return results.find((one) => one.namespace === namespace && one.flowId === id) ?? null;
    },
    refetchInterval: 5_000,
  });
}

export function useRevisions(key: MaybeRefOrGetter<FlowKey>, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    enabled,
    queryKey: ["revisions", computed(() => toValue(key))] as const,
    queryFn: ({ queryKey }) => unwrap(api.GET("/api/v1/{tenant}/flows/{namespace}/{id}/revisions", { params: { path: inTenant(queryKey[1]) } })),
  });
}

/** Checks a source without saving it (API-039). */
export function validateFlow(source: string) {
  return unwrap(api.POST("/api/v1/{tenant}/flows/validate", { params: { path: inTenant() }, body: source, ...asText }));
}

/** What saving a source would change; undefined where that cannot be told, as of a source that will be refused (BEY-040). */
export async function planFlow(source: string): Promise<FlowPlan | undefined> {
  const plans = await unwrap(api.POST("/api/v1/{tenant}/flows/validate/plan", { params: { path: inTenant() }, body: source, ...asText })).catch(() => undefined);
  return plans?.[0];
}

export interface Edited {
  readonly source: string;
  /** The revision the edit began with: a newer one on the server is not overwritten unseen. */
  readonly revision?: number;
}

/** Creates a flow, or updates the one named by `key`. */
export function useSaveFlow(key?: MaybeRefOrGetter<FlowKey>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ source, revision }: Edited) => {
      const existing = toValue(key);
      if (!existing) return unwrap(api.POST("/api/v1/{tenant}/flows", { params: { path: inTenant() }, body: source, ...asText }));
      const headers = revision === undefined ? YAML : { ...YAML, "If-Match": String(revision) };
      return unwrap(api.PUT("/api/v1/{tenant}/flows/{namespace}/{id}", { params: { path: inTenant(existing) }, body: source, ...asText, headers }));
    },
    onSuccess: () => Promise.all(["flow", "flows", "revisions", "namespaces"].map((name) => queries.invalidateQueries({ queryKey: [name] }))),
  });
}

/** Several flows: those named, or all that meet filters. */
export type FlowTarget = { readonly keys: readonly FlowKey[] } | { readonly filters: Readonly<Record<string, string>> };
export const FLOW_BULK = ["enable", "disable", "delete"] as const;
export type FlowBulk = (typeof FLOW_BULK)[number];

/** Switches several flows on or off, or deletes them; answers how many. */
export function useFlowBulk() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ action, target }: { action: FlowBulk; target: FlowTarget }) => {
      const named = "keys" in target;
      const path = `/flows/${action}/${named ? "by-ids" : "by-query"}`;
      return send<BulkAnswer>(action === "delete" ? "delete" : "post", path, named ? {} : target.filters, named ? target.keys : undefined);
    },
    onSuccess: () => Promise.all(["flow", "flows", "namespaces", "triggers"].map((name) => queries.invalidateQueries({ queryKey: [name] }))),
  });
}

export function useDeleteFlow() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (key: FlowKey) => unwrap(api.DELETE("/api/v1/{tenant}/flows/{namespace}/{id}", { params: { path: inTenant(key) } })),
    onSuccess: () => {
      queries.removeQueries({ queryKey: ["flow"] });
      return Promise.all(["flows", "namespaces"].map((name) => queries.invalidateQueries({ queryKey: [name] })));
    },
  });
}

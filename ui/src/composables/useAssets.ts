import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import { filterParams } from "@/lib/filters";
import type { ListRequest } from "./useFlows";

const YAML = { bodySerializer: (body: string) => body, headers: { "Content-Type": "application/x-yaml" } };

/** One page of assets (API-121). */
export function useAssetPage(request: MaybeRefOrGetter<ListRequest>) {
  return useQuery({
    queryKey: ["assets", computed(() => toValue(request))] as const,
    queryFn: ({ queryKey: [, { filters, page, size, sort }] }) => unwrap(api.GET("/api/v1/{tenant}/assets/search", { params: { path: inTenant(), query: { page, size, sort: [sort ?? "id:asc"], ...filterParams(filters) } } })),
    placeholderData: keepPreviousData,
  });
}

export function useAsset(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["asset", computed(() => toValue(id))] as const,
    queryFn: ({ queryKey }) => unwrap(api.GET("/api/v1/{tenant}/assets/{id}", { params: { path: inTenant({ id: queryKey[1] }), query: { allowDeleted: true } } })),
  });
}

/** What an asset is made of, and what is made of it: one step each way, or as far as it goes (GOV-339). */
export function useLineage(of: MaybeRefOrGetter<{ readonly id: string; readonly all: boolean }>) {
  return useQuery({
    queryKey: ["lineage", computed(() => toValue(of))] as const,
    queryFn: ({ queryKey: [, { id, all }] }) => unwrap(api.GET("/api/v1/{tenant}/assets/{id}/dependencies", { params: { path: inTenant({ id }), query: { expandAll: all } } })),
    placeholderData: keepPreviousData,
  });
}

/** The task runs that used or made an asset, the latest first, with what else they used and made. */
export function useAssetRuns(request: MaybeRefOrGetter<{ readonly id: string; readonly page: number; readonly size: number }>) {
  return useQuery({
    queryKey: ["asset-runs", computed(() => toValue(request))] as const,
    queryFn: async ({ queryKey: [, { id, page, size }] }) => {
      const of = { "filters[assetId][EQUALS]": id };
      const uses = await unwrap(api.GET("/api/v1/{tenant}/assets/usages/search", { params: { path: inTenant(), query: { page, size, ...of } } }));
      const runs = [...new Set(uses.results.map((one) => one.taskRunId))];
      if (runs.length === 0) return { results: [], total: uses.total };
      const which = { "filters[taskRunId][IN]": runs.join(",") };
      const events = await unwrap(api.GET("/api/v1/{tenant}/assets/lineage-events/search", { params: { path: inTenant(), query: { page: 1, size, ...which } } }));
      return { results: events.results, total: uses.total };
    },
    placeholderData: keepPreviousData,
  });
}

/** Creates an asset, or replaces it. */
export function useSaveAsset() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: string) => unwrap(api.POST("/api/v1/{tenant}/assets", { params: { path: inTenant() }, body, ...YAML })),
    onSuccess: () => Promise.all(["assets", "asset"].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

export function useDeleteAsset() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE("/api/v1/{tenant}/assets/{id}", { params: { path: inTenant({ id }) } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["assets"] }),
  });
}

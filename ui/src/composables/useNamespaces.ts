import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import type { Namespace } from "@/api/types";
import { filterParams } from "@/lib/filters";
import type { ListRequest } from "./useFlows";

/** One page of namespaces whose name contains a text. */
export function useNamespacePage(request: MaybeRefOrGetter<{ readonly q?: string; readonly page: number; readonly size: number }>) {
  return useQuery({
    queryKey: ["namespace-page", computed(() => toValue(request))] as const,
    queryFn: ({ queryKey: [, query] }) => unwrap(api.GET("/api/v1/{tenant}/namespaces/search", { params: { path: inTenant(), query: { ...query, sort: ["id:asc"] } } })),
    placeholderData: keepPreviousData,
  });
}

/** A namespace with its own settings, and what it has from those above it. */
export function useNamespace(namespace: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["namespace", computed(() => toValue(namespace))] as const,
    queryFn: async ({ queryKey }) => {
      const params = { path: inTenant({ namespace: queryKey[1] }) };
      const [own, variables, defaults] = await Promise.all([
        unwrap(api.GET("/api/v1/{tenant}/namespaces/{namespace}", { params })),
        unwrap(api.GET("/api/v1/{tenant}/namespaces/{namespace}/inherited-variables", { params })),
        unwrap(api.GET("/api/v1/{tenant}/namespaces/{namespace}/inherited-plugindefaults", { params })),
      ]);
      return { own, variables, defaults };
    },
  });
}

export function useSaveNamespace() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (namespace: Namespace) =>
      unwrap(api.PUT("/api/v1/{tenant}/namespaces/{namespace}", { params: { path: inTenant({ namespace: namespace.id }) }, body: namespace })),
    onSuccess: () => Promise.all(["namespace", "namespace-page"].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

/** The names of the secrets that flows of a namespace may read. */
export function useSecretNames(namespace: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["secrets", computed(() => toValue(namespace))] as const,
    queryFn: ({ queryKey }) =>
      unwrap(api.GET("/api/v1/{tenant}/namespaces/{namespace}/secrets", { params: { path: inTenant({ namespace: queryKey[1] }), query: { size: 1_000 } } })),
  });
}

export interface Secret {
  readonly key: string;
  /** Absent when it stays as it is. */
  readonly value?: string;
  readonly description?: string;
  readonly tags: { key: string; value: string }[];
}

/** Sets a secret of a namespace; without a value only what is told of it. */
export function useSetSecret(namespace: MaybeRefOrGetter<string>) {
  const refresh = useRefresh(["secrets"]);
  return useMutation({
    mutationFn: ({ key, value, description, tags }: Secret) => {
      const about = { description: description ?? null, tags };
      if (value === undefined) return unwrap(api.PATCH("/api/v1/{tenant}/namespaces/{namespace}/secrets/{key}", { params: { path: inTenant({ namespace: toValue(namespace), key }) }, body: about }));
      return unwrap(api.PUT("/api/v1/{tenant}/namespaces/{namespace}/secrets", { params: { path: inTenant({ namespace: toValue(namespace) }) }, body: { key, value, ...about } }));
    },
    onSuccess: refresh,
  });
}

export function useDeleteSecret(namespace: MaybeRefOrGetter<string>) {
  const refresh = useRefresh(["secrets"]);
  return useMutation({
    mutationFn: (key: string) => unwrap(api.DELETE("/api/v1/{tenant}/namespaces/{namespace}/secrets/{key}", { params: { path: inTenant({ namespace: toValue(namespace), key }) } })),
    onSuccess: refresh,
  });
}

/** The keys of a namespace, without their values. */
export function useKeys(namespace: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["kv", computed(() => toValue(namespace))] as const,
    queryFn: ({ queryKey }) => unwrap(api.GET("/api/v1/{tenant}/namespaces/{namespace}/kv", { params: { path: inTenant({ namespace: queryKey[1] }) } })),
  });
}

/** One page of the keys of all namespaces, without their values. */
export function useKeyPage(request: MaybeRefOrGetter<ListRequest>) {
  return useQuery({
    queryKey: ["kv", "all", computed(() => toValue(request))] as const,
    queryFn: ({ queryKey: [, , { filters, page, size }] }) =>
      unwrap(api.GET("/api/v1/{tenant}/kv", { params: { path: inTenant(), query: { page, size, sort: ["namespace:asc", "key:asc"], ...filterParams(filters) } } })),
    placeholderData: keepPreviousData,
  });
}

/** The value of a key; an empty key asks for nothing. */
export function useKeyValue(namespace: MaybeRefOrGetter<string>, key: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["kv-value", computed(() => toValue(namespace)), computed(() => toValue(key))] as const,
    queryFn: ({ queryKey }) =>
      unwrap(api.GET("/api/v1/{tenant}/namespaces/{namespace}/kv/{key}/detail", { params: { path: inTenant({ namespace: queryKey[1], key: queryKey[2] }) } })),
    enabled: computed(() => toValue(key) !== ""),
    staleTime: 0,
  });
}

export interface Pair {
  readonly key: string;
  readonly value: string;
  readonly type: string;
  readonly description?: string;
  readonly ttl?: string;
}

export function useSetKey(namespace: MaybeRefOrGetter<string>) {
  const refresh = useRefresh(["kv", "kv-value"]);
  return useMutation({
    mutationFn: ({ key, value, type, description, ttl }: Pair) =>
      unwrap(
        api.PUT("/api/v1/{tenant}/namespaces/{namespace}/kv/{key}", {
          params: { path: inTenant({ namespace: toValue(namespace), key }), query: { type, description, ttl } },
          body: value,
          bodySerializer: (body: string) => body,
          headers: { "Content-Type": "text/plain" },
          parseAs: "text",
        }),
      ),
    onSuccess: refresh,
  });
}

export function useDeleteKeys(namespace: MaybeRefOrGetter<string>) {
  const refresh = useRefresh(["kv", "kv-value"]);
  return useMutation({
    mutationFn: (keys: string[]) => unwrap(api.DELETE("/api/v1/{tenant}/namespaces/{namespace}/kv", { params: { path: inTenant({ namespace: toValue(namespace) }) }, body: { keys } })),
    onSuccess: refresh,
  });
}

/** Has everything under these keys asked again. */
function useRefresh(keys: readonly string[]) {
  const queries = useQueryClient();
  return () => Promise.all(keys.map((key) => queries.invalidateQueries({ queryKey: [key] })));
}

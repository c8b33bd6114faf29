import { keepPreviousData, useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import type { Filters } from "@/lib/filters";
import { suiteKeyOf, type SuiteName } from "@/lib/suites";

const YAML = { bodySerializer: (body: string) => body, headers: { "Content-Type": "application/x-yaml" } };

export interface SuiteRequest {
  readonly filters: Filters;
  readonly page: number;
  readonly size: number;
}

/** One page of test suites (API-122). */
export function useSuitePage(request: MaybeRefOrGetter<SuiteRequest>) {
  return useQuery({
    queryKey: ["suites", computed(() => toValue(request))] as const,
    queryFn: ({ queryKey: [, { filters, page, size }] }) => unwrap(api.GET("/api/v1/{tenant}/tests/search", { params: { path: inTenant(), query: { page, size, q: filters.q, namespace: filters.namespace, flowId: filters.flowId } } })),
    placeholderData: keepPreviousData,
  });
}

/** How each of these suites went the last time, by `namespace/id`. */
export function useLastRuns(suites: MaybeRefOrGetter<readonly SuiteName[]>) {
  return useQuery({
    queryKey: ["suite-runs", "last", computed(() => toValue(suites).map(({ namespace, id }) => ({ namespace, id })))] as const,
    queryFn: async ({ queryKey: [, , testSuiteIds] }) => {
      const { results } = await unwrap(api.POST("/api/v1/{tenant}/tests/results/search/last", { params: { path: inTenant() }, body: { testSuiteIds } }));
      return new Map(results.map((run) => [suiteKeyOf({ namespace: run.namespace, id: run.testSuiteId }), run]));
    },
    enabled: computed(() => toValue(suites).length > 0),
    placeholderData: keepPreviousData,
  });
}

/** One suite with its source; undefined asks for nothing. */
export function useSuite(name: MaybeRefOrGetter<SuiteName | undefined>) {
  return useQuery({
    queryKey: ["suite", computed(() => toValue(name))] as const,
    queryFn: ({ queryKey }) => unwrap(api.GET("/api/v1/{tenant}/tests/{namespace}/{id}", { params: { path: inTenant(queryKey[1] as SuiteName) } })),
    enabled: computed(() => toValue(name) !== undefined),
  });
}

/** How a suite went, the latest first. */
export function useSuiteRuns(name: MaybeRefOrGetter<SuiteName>, size: number) {
  return useQuery({
    queryKey: ["suite-runs", computed(() => toValue(name))] as const,
    queryFn: ({ queryKey: [, { namespace, id }] }) =>
      unwrap(api.GET("/api/v1/{tenant}/tests/results/search", { params: { path: inTenant(), query: { size, testSuiteId: id, namespace } } })),
  });
}

/** Runs a suite, or some of its cases, and answers how it went. */
export function useRunSuite() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, cases }: { name: SuiteName; cases?: readonly string[] }) =>
      unwrap(api.POST("/api/v1/{tenant}/tests/{namespace}/{id}/run", { params: { path: inTenant(name) }, body: { testCases: cases ? [...cases] : null } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["suite-runs"] }),
  });
}

/** Runs all suites of a namespace or a flow, or all there are. */
export function useRunSuites() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ namespace, flowId }: Pick<Filters, "namespace" | "flowId">) =>
      unwrap(api.POST("/api/v1/{tenant}/tests/run", { params: { path: inTenant() }, body: { namespace: namespace ?? null, flowId: flowId ?? null, includeChildNamespaces: true } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["suite-runs"] }),
  });
}

/** Keeps a new suite, or replaces the one that is named. */
export function useSaveSuite(name: MaybeRefOrGetter<SuiteName | undefined>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: string) => {
      const known = toValue(name);
      return known
        ? unwrap(api.PUT("/api/v1/{tenant}/tests/{namespace}/{id}", { params: { path: inTenant(known) }, body, ...YAML }))
        : unwrap(api.POST("/api/v1/{tenant}/tests", { params: { path: inTenant() }, body, ...YAML }));
    },
    onSuccess: () => forget(queries),
  });
}

/** Switches a suite on or off. */
export function useSwitchSuite() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, disabled }: { name: SuiteName; disabled: boolean }) => {
      const call = { params: { path: inTenant() }, body: { ids: [name] } };
      return unwrap(disabled ? api.POST("/api/v1/{tenant}/tests/disable/by-ids", call) : api.POST("/api/v1/{tenant}/tests/enable/by-ids", call));
    },
    onSuccess: () => forget(queries),
  });
}

export function useDeleteSuite() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (name: SuiteName) => unwrap(api.DELETE("/api/v1/{tenant}/tests/{namespace}/{id}", { params: { path: inTenant(name) } })),
    onSuccess: () => forget(queries),
  });
}

/** Makes a suite of an execution that has it happen again (BEY-032). */
export function useRecordSuite() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.POST("/api/v1/{tenant}/tests/executions/{id}", { params: { path: inTenant({ id }) } })),
    onSuccess: () => forget(queries),
  });
}

/** Checks a source without keeping it. */
export function validateSuite(source: string) {
  return unwrap(api.POST("/api/v1/{tenant}/tests/validate", { params: { path: inTenant() }, body: source, ...YAML }));
}

function forget(queries: QueryClient): Promise<unknown> {
  return Promise.all(["suites", "suite"].map((key) => queries.invalidateQueries({ queryKey: [key] })));
}

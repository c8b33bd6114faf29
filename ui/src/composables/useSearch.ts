import { keepPreviousData, useQuery } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import type { Found } from "@/lib/palette";
import { filterParams } from "@/lib/filters";
import { searchExecutions } from "./useExecutions";
import { searchFlows } from "./useFlows";

/** So many of each kind are offered. */
const MOST = 5;

/** What of every kind contains a text; flows and recent executions when there is none. */
export function useSearch(text: Ref<string>, enabled: Ref<boolean>) {
  return useQuery({ queryKey: ["palette", text] as const, queryFn: ({ queryKey }) => search(queryKey[1]), enabled, placeholderData: keepPreviousData });
}

async function search(q: string): Promise<Found> {
  const request = { filters: q ? { q } : {}, page: 1, size: MOST };
  const [flows, executions, ...others] = await Promise.all([searchFlows(request), searchExecutions(request), ...(q ? more(q) : [])]);
  return Object.assign({ flows: flows.results, executions: executions.results }, ...others) as Found;
}

/** What is looked for only once something is typed. One kind that cannot be asked for hides none of the others. */
function more(q: string): Promise<Partial<Found>>[] {
  const path = inTenant();
  const page = { page: 1, size: MOST };
  const filtered = { ...page, ...filterParams({ q }) };
  const asked: Promise<Partial<Found>>[] = [
    unwrap(api.GET("/api/v1/{tenant}/namespaces/search", { params: { path, query: { ...page, q } } })).then(({ results }) => ({ namespaces: results })),
    unwrap(api.GET("/api/v1/{tenant}/triggers/search", { params: { path, query: filtered } })).then(({ results }) => ({ triggers: results.map(({ triggerContext }) => triggerContext) })),
    unwrap(api.GET("/api/v1/{tenant}/kv", { params: { path, query: filtered } })).then(({ results }) => ({ pairs: results })),
    unwrap(api.GET("/api/v1/{tenant}/dashboards", { params: { path, query: { ...page, q } } })).then(({ results }) => ({ dashboards: results })),
    unwrap(api.GET("/api/v1/{tenant}/blueprints/community/{kind}", { params: { path: inTenant({ kind: "flow" }), query: { ...page, q } } })).then(({ results }) => ({ blueprints: results })),
  ];
  return asked.map((one) => one.catch(() => ({})));
}

import { keepPreviousData, useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import type { StateType } from "@/api/types";
import { filterParams, type Filters } from "@/lib/filters";

const SLOWLY = 15_000;

/** What the auditor saw last (BEY-001). */
export function useAudit() {
  return useQuery({
    queryKey: ["audit"],
    queryFn: () => unwrap(api.GET("/api/v1/{tenant}/audit", { params: { path: inTenant() } })),
    refetchInterval: SLOWLY,
  });
}

/** A page of the flows with a concurrency limit, and how many executions run and wait. */
export function useConcurrencyLimits(request: MaybeRefOrGetter<{ readonly page: number; readonly size: number }>) {
  return useQuery({
    queryKey: ["concurrency-limits", computed(() => toValue(request))] as const,
    queryFn: ({ queryKey: [, query] }) => unwrap(api.GET("/api/v1/{tenant}/concurrency-limit/search", { params: { path: inTenant(), query } })),
    placeholderData: keepPreviousData,
    refetchInterval: SLOWLY,
  });
}

async function count(filters: Filters): Promise<number> {
  const query = { page: 1, size: 1, bodies: false, ...filterParams(filters) };
  return (await unwrap(api.GET("/api/v1/{tenant}/executions/search", { params: { path: inTenant(), query } }))).total;
}

/** The numbers an instance is known by: each leads to the list it counts. */
export function useNumbers() {
  const open = (...states: StateType[]): Filters => ({ state: states.join(",") });
  return useQuery({
    queryKey: ["numbers"],
    queryFn: async () => {
      const query = { page: 1, size: 1, bodies: false };
      const [flows, triggers, running, waiting, paused, failed] = await Promise.all([
        unwrap(api.GET("/api/v1/{tenant}/flows/search", { params: { path: inTenant(), query } })),
        unwrap(api.GET("/api/v1/{tenant}/triggers/search", { params: { path: inTenant(), query } })),
        count(open("RUNNING", "RESTARTED", "RETRYING", "KILLING")), count(open("CREATED", "QUEUED")), count(open("PAUSED", "BREAKPOINT")),
        count({ ...open("FAILED"), timeRange: "PT24H" }),
      ]);
      return { flows: flows.total, triggers: triggers.total, running, waiting, paused, failed };
    },
    refetchInterval: SLOWLY,
  });
}

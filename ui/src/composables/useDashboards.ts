import { keepPreviousData, queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, openBody, unwrap } from "@/api/client";
import type { Chart } from "@/lib/charts";
import { labelsOf, type Filters } from "@/lib/filters";
import type { Schema } from "@/lib/schema";
import { download } from "./useDownload";

const YAML = { "Content-Type": "application/x-yaml" };
const asText = { bodySerializer: (body: string) => body, headers: YAML };

/** The dashboards people wrote whose title contains a text. */
export function useDashboardList(q: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["dashboards", computed(() => toValue(q))] as const,
    queryFn: ({ queryKey: [, text] }) => unwrap(api.GET("/api/v1/{tenant}/dashboards", { params: { path: inTenant(), query: { page: 1, size: 100, q: text || undefined } } })),
    placeholderData: keepPreviousData,
  });
}

export function useDashboard(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["dashboard", computed(() => toValue(id))] as const,
    queryFn: ({ queryKey: [, one] }) => unwrap(api.GET("/api/v1/{tenant}/dashboards/{id}", { params: { path: inTenant({ id: one }) } })),
    enabled: computed(() => toValue(id) !== ""),
  });
}

/** The JSON Schema of dashboards. */
export const dashboardSchemaQuery = queryOptions({
  queryKey: ["dashboard-schema"],
  queryFn: () => unwrap(api.GET("/api/v1/plugins/schemas/{type}", { params: { path: { type: "DASHBOARD" } } })) as Promise<Schema>,
  staleTime: Number.POSITIVE_INFINITY,
});

export function useDashboardSchema() {
  return useQuery(dashboardSchemaQuery);
}

/** What a dashboard is narrowed to, in the words of the API. */
export interface Narrowing {
  readonly filters: Filters;
  readonly page?: number;
  readonly size?: number;
}

export function narrowingBody({ filters, page, size }: Narrowing) {
  const plain = Object.entries(filters).flatMap(([name, value]) =>
    name === "labels" || !value ? [] : [{ field: name, operation: value.includes(",") || name === "state" ? "IN" : "EQUALS", value: value.includes(",") ? value.split(",") : value }],
  );
  return { filters: plain, labels: Object.fromEntries(labelsOf(filters)), pageNumber: page, pageSize: size };
}

/** A saved chart is named by its dashboard; one that is being written is sent along. */
export interface ChartPlace {
  readonly chart: Chart;
  readonly dashboard?: string;
}

/** A page of what a chart shows, asked again every minute while `live`. */
export function useChartRows(place: MaybeRefOrGetter<ChartPlace>, narrowing: MaybeRefOrGetter<Narrowing>, live: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: ["chart", computed(() => toValue(place)), computed(() => toValue(narrowing))] as const,
    queryFn: ({ queryKey: [, { chart, dashboard }, narrowed] }) => {
      const body = narrowingBody(narrowed);
      if (dashboard) return unwrap(api.POST("/api/v1/{tenant}/dashboards/{id}/charts/{chart_id}", { params: { path: inTenant({ id: dashboard, chart_id: chart.id }) }, ...openBody(body) }));
      // JSON is YAML, which is what the preview reads.
      return unwrap(api.POST("/api/v1/{tenant}/dashboards/charts/preview", { params: { path: inTenant() }, ...openBody({ chart: JSON.stringify(chart), globalFilter: body }) }));
    },
    placeholderData: keepPreviousData,
    retry: false,
    refetchInterval: computed(() => (toValue(live) ? 60_000 : false)),
  });
}

/** All that a chart shows, as a file (UI-033). */
export function downloadChart({ chart, dashboard }: ChartPlace, narrowing: Narrowing): Promise<void> {
  const body = narrowingBody(narrowing);
  const name = `${dashboard ?? "chart"}-${chart.id}.csv`;
  if (dashboard) return download(name, { method: "post", path: `/dashboards/${dashboard}/charts/${chart.id}/export/to-csv`, body });
  return download(name, { method: "post", path: "/dashboards/charts/export/to-csv", body: { chart: JSON.stringify(chart), globalFilter: body } });
}

export function validateDashboard(source: string) {
  return unwrap(api.POST("/api/v1/{tenant}/dashboards/validate", { params: { path: inTenant() }, body: source, ...asText }));
}

/** Creates a dashboard, or replaces the one of this id. */
export function useSaveDashboard(id: MaybeRefOrGetter<string | undefined>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (source: string) => {
      const existing = toValue(id);
      if (!existing) return unwrap(api.POST("/api/v1/{tenant}/dashboards", { params: { path: inTenant() }, body: source, ...asText }));
      return unwrap(api.PUT("/api/v1/{tenant}/dashboards/{id}", { params: { path: inTenant({ id: existing }) }, body: source, ...asText }));
    },
    onSuccess: () => Promise.all(["dashboards", "dashboard", "chart"].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

export function useDeleteDashboard() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE("/api/v1/{tenant}/dashboards/{id}", { params: { path: inTenant({ id }) }, parseAs: "text" })),
    onSuccess: () => {
      queries.removeQueries({ queryKey: ["dashboard"] });
      return queries.invalidateQueries({ queryKey: ["dashboards"] });
    },
  });
}

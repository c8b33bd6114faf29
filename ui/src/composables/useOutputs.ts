import { keepPreviousData, useMutation, useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import type { FlowKey } from "./useFlows";

/** The beginning of a file of an execution. */
export function useFilePreview(file: MaybeRefOrGetter<{ executionId: string; path: string }>) {
  return useQuery({
    queryKey: ["file-preview", computed(() => toValue(file))] as const,
    queryFn: ({ queryKey: [, { executionId, path }] }) => {
      const params = { path: inTenant({ execution_id: executionId }), query: { path } };
      return unwrap(api.GET("/api/v1/{tenant}/executions/{execution_id}/file/preview", { params }));
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Evaluates an expression as a task run sees it. */
export function useEvaluation() {
  return useMutation({
    mutationFn: ({ executionId, taskRunId, expression }: { executionId: string; taskRunId: string; expression: string }) =>
      unwrap(
        api.POST("/api/v1/{tenant}/executions/{execution_id}/eval/{task_run_id}", {
          params: { path: inTenant({ execution_id: executionId, task_run_id: taskRunId }) },
          ...plainText(expression),
        }),
      ),
  });
}

/** Evaluates an expression over what a namespace gives its flows. */
export function useNamespaceEvaluation() {
  return useMutation({
    mutationFn: ({ namespace, expression }: { namespace: string; expression: string }) =>
      unwrap(api.POST("/api/v1/{tenant}/namespaces/{namespace}/eval", { params: { path: inTenant({ namespace }) }, ...plainText(expression) })),
  });
}

function plainText(body: string) {
  return { body, bodySerializer: (text: string) => text, headers: { "Content-Type": "text/plain" } };
}

export interface MetricsRequest {
  readonly executionId: string;
  readonly taskId?: string;
  readonly page: number;
  readonly size: number;
}

/** One page of the metrics of an execution, asked again while it runs. */
export function useMetrics(request: MaybeRefOrGetter<MetricsRequest>, running: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: ["metrics", computed(() => toValue(request))] as const,
    queryFn: ({ queryKey: [, { executionId, taskId, page, size }] }) => {
      const params = { path: inTenant({ execution_id: executionId }), query: { page, size, taskId, sort: ["timestamp:asc"] } };
      return unwrap(api.GET("/api/v1/{tenant}/metrics/{execution_id}", { params }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: computed(() => (toValue(running) ? 3_000 : false)),
  });
}

/** The tasks of a flow that measured something, and the names of what they measured. */
export function useMetricNames(flow: MaybeRefOrGetter<FlowKey>, taskId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["metric-names", computed(() => toValue(flow)), computed(() => toValue(taskId))] as const,
    queryFn: async ({ queryKey: [, { namespace, id }, task] }) => {
      const path = inTenant({ namespace, flow_id: id });
      const [tasks, names] = await Promise.all([
        unwrap(api.GET("/api/v1/{tenant}/metrics/tasks/{namespace}/{flow_id}", { params: { path } })),
        task
          ? unwrap(api.GET("/api/v1/{tenant}/metrics/names/{namespace}/{flow_id}/{task_id}", { params: { path: { ...path, task_id: task } } }))
          : unwrap(api.GET("/api/v1/{tenant}/metrics/names/{namespace}/{flow_id}", { params: { path } })),
      ]);
      return { tasks, names };
    },
    placeholderData: keepPreviousData,
  });
}

export interface MetricChoice extends FlowKey {
  readonly taskId?: string;
  readonly metric: string;
  readonly aggregation: "sum" | "avg" | "min" | "max";
  readonly from: number;
  readonly to: number;
}

/** One metric of a flow, or of one of its tasks, over time. */
export function useMetricSeries(choice: MaybeRefOrGetter<MetricChoice>) {
  return useQuery({
    queryKey: ["metric-series", computed(() => toValue(choice))] as const,
    queryFn: ({ queryKey: [, { namespace, id, taskId, metric, aggregation, from, to }] }) => {
      const path = inTenant({ namespace, flow_id: id, metric });
      const query = { aggregation, startDate: new Date(from).toISOString(), endDate: new Date(to).toISOString() };
      return taskId
        ? unwrap(api.GET("/api/v1/{tenant}/metrics/aggregates/{namespace}/{flow_id}/{task_id}/{metric}", { params: { path: { ...path, task_id: taskId }, query } }))
        : unwrap(api.GET("/api/v1/{tenant}/metrics/aggregates/{namespace}/{flow_id}/{metric}", { params: { path, query } }));
    },
    placeholderData: keepPreviousData,
  });
}

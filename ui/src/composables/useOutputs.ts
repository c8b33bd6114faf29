import { keepPreviousData, useMutation, useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";

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
          body: expression,
          bodySerializer: (body: string) => body,
          headers: { "Content-Type": "text/plain" },
        }),
      ),
  });
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

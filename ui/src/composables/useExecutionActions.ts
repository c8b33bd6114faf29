import { useMutation, useQueryClient } from "@tanstack/vue-query";
import { api, inTenant, openBody, send, unwrap } from "@/api/client";
import type { BulkAnswer, Execution, StateType } from "@/api/types";
import { bulkCall, deletion, namedLabels, type Action, type Options, type Target } from "@/lib/actions";
import { isEdited, NO_EDITS, replayBody, type Edits } from "@/lib/replays";
import { asForm } from "./useExecutions";

export interface ActionRequest {
  readonly action: Exclude<Action, "replay">;
  readonly executionId: string;
  readonly options: Options;
  /** Inputs of a resumed pause. */
  readonly form?: FormData;
}

/** Carries out an action on one execution. */
export function useExecutionAction() {
  const refresh = useRefresh();
  return useMutation({ mutationFn: act, onSuccess: (_, { action, executionId }) => refresh(action === "delete" ? undefined : executionId) });
}

export interface ReplayRequest {
  readonly executionId: string;
  /** Where to begin; from the start without it. */
  readonly taskRunId?: string;
  readonly revision?: number;
  /** Other inputs; the same without it. */
  readonly form?: FormData;
  readonly edits?: Edits;
}

/** Runs an execution again as a new one, and answers it. */
export function useReplay() {
  const refresh = useRefresh();
  return useMutation({ mutationFn: replay, onSuccess: () => refresh() });
}

/** Sets the state of a task run by hand. */
export function useTaskState() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ executionId, taskRunId, state }: { executionId: string; taskRunId: string; state: StateType }) => {
      const path = inTenant({ execution_id: executionId });
      return unwrap(api.POST("/api/v1/{tenant}/executions/{execution_id}/state", { params: { path }, ...openBody({ taskRunId, state }) }));
    },
    onSuccess: (_, { executionId }) => refresh(executionId),
  });
}

export interface BulkRequest {
  readonly action: Action;
  readonly target: Target;
  readonly options: Options;
}

/** Carries out an action on several executions; the answer counts them, and names those that refused. */
export function useBulkAction() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ action, target, options }: BulkRequest) => {
      const { method, path, query, body } = bulkCall(action, target, options);
      return send<BulkAnswer>(method, path, query, body);
    },
    onSuccess: () => refresh(),
  });
}

function useRefresh() {
  const queries = useQueryClient();
  return (executionId?: string) =>
    Promise.all([
      queries.invalidateQueries({ queryKey: ["executions"] }),
      queries.invalidateQueries({ queryKey: ["latest"] }),
      ...(executionId ? [queries.invalidateQueries({ queryKey: ["execution", executionId] })] : []),
    ]);
}

async function act({ action, executionId, options, form }: ActionRequest): Promise<void> {
  const path = inTenant({ execution_id: executionId });
  switch (action) {
    case "kill":
      return void (await unwrap(api.DELETE("/api/v1/{tenant}/executions/{execution_id}/kill", { params: { path }, parseAs: "text" })));
    case "pause":
      return void (await unwrap(api.POST("/api/v1/{tenant}/executions/{execution_id}/pause", { params: { path }, parseAs: "text" })));
    case "resume":
      return void (await unwrap(
        api.POST("/api/v1/{tenant}/executions/{execution_id}/resume", { params: { path }, parseAs: "text", ...asForm(form ?? new FormData()) }),
      ));
    case "goOn":
      return void (await unwrap(api.POST("/api/v1/{tenant}/executions/{execution_id}/resume-from-breakpoint", { params: { path }, parseAs: "text" })));
    case "restart":
      return void (await unwrap(api.POST("/api/v1/{tenant}/executions/{execution_id}/restart", { params: { path } })));
    case "forceRun":
      return void (await unwrap(api.POST("/api/v1/{tenant}/executions/{execution_id}/force-run", { params: { path } })));
    case "unqueue":
      return void (await unwrap(api.POST("/api/v1/{tenant}/executions/{execution_id}/unqueue", { params: { path, query: { state: options.leaving } } })));
    case "changeState":
      return void (await unwrap(
        api.POST("/api/v1/{tenant}/executions/{execution_id}/change-status", { params: { path, query: { status: options.end } } }),
      ));
    case "setLabels":
      return void (await unwrap(
        api.POST("/api/v1/{tenant}/executions/{execution_id}/labels", { params: { path }, ...openBody(namedLabels(options.labels)) }),
      ));
    case "delete":
      return void (await send("delete", `/executions/${executionId}`, deletion(options)));
  }
}

function replay({ executionId, taskRunId, revision, form, edits = NO_EDITS }: ReplayRequest): Promise<Execution> {
  const params = { path: inTenant({ execution_id: executionId }), query: { taskRunId, revision } };
  if (isEdited(edits)) return unwrap(api.POST("/api/v1/{tenant}/executions/{execution_id}/replay", { params, ...openBody(replayBody(edits, form)) }));
  if (form) return unwrap(api.POST("/api/v1/{tenant}/executions/{execution_id}/replay-with-inputs", { params, ...asForm(form) }));
  return unwrap(api.POST("/api/v1/{tenant}/executions/{execution_id}/replay", { params }));
}

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, openBody, unwrap } from "@/api/client";
import type { Trigger } from "@/api/types";
import { filterParams } from "@/lib/filters";
import type { BackfillOrder } from "@/lib/triggers";
import type { ListRequest } from "./useFlows";

/** One page of triggers with their definitions, asked again while their dates pass. */
export function useTriggerPage(request: MaybeRefOrGetter<ListRequest>) {
  return useQuery({
    queryKey: ["triggers", computed(() => toValue(request))] as const,
    queryFn: ({ queryKey: [, { filters, page, size, sort }] }) => {
      const query = { page, size, sort: sort ? [sort] : undefined, ...filterParams(filters) };
      return unwrap(api.GET("/api/v1/{tenant}/triggers/search", { params: { path: inTenant(), query } }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
  });
}

/** What a trigger on other flows waits for. */
export function usePreconditions(trigger: MaybeRefOrGetter<{ readonly namespace: string; readonly id: string; readonly triggerId: string }>) {
  return useQuery({
    queryKey: ["preconditions", computed(() => toValue(trigger))] as const,
    queryFn: ({ queryKey: [, { namespace, id, triggerId }] }) => {
      const path = inTenant({ namespace, flow_id: id, trigger_id: triggerId });
      return unwrap(api.GET("/api/v1/{tenant}/triggers/{namespace}/{flow_id}/{trigger_id}/preconditions", { params: { path } }));
    },
    refetchInterval: 3_000,
  });
}

export type TriggerName = Pick<Trigger, "namespace" | "flowId" | "triggerId">;

export type TriggerChange =
  | { readonly kind: "enable" | "disable" | "unlock" | "pauseBackfill" | "resumeBackfill" | "deleteBackfill" | "forget" }
  | { readonly kind: "backfill"; readonly order: BackfillOrder };

/** Changes one trigger. */
export function useTriggerChange() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, change }: { name: TriggerName; change: TriggerChange }) => apply(name, change),
    onSuccess: () => Promise.all(["triggers", "flow", "flows", "executions"].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

async function apply({ namespace, flowId, triggerId }: TriggerName, change: TriggerChange): Promise<void> {
  const name = { namespace, flowId, triggerId };
  const params = { path: inTenant() };
  const one = { path: inTenant({ namespace, flow_id: flowId, trigger_id: triggerId }) };
  switch (change.kind) {
    case "enable":
    case "disable":
      return void (await unwrap(api.PUT("/api/v1/{tenant}/triggers", { params, ...openBody({ ...name, disabled: change.kind === "disable" }) })));
    case "backfill":
      return void (await unwrap(api.PUT("/api/v1/{tenant}/triggers", { params, ...openBody({ ...name, backfill: change.order }) })));
    case "pauseBackfill":
      return void (await unwrap(api.PUT("/api/v1/{tenant}/triggers/backfill/pause", { params, ...openBody(name) })));
    case "resumeBackfill":
      return void (await unwrap(api.PUT("/api/v1/{tenant}/triggers/backfill/unpause", { params, ...openBody(name) })));
    case "deleteBackfill":
      return void (await unwrap(api.POST("/api/v1/{tenant}/triggers/backfill/delete", { params, ...openBody(name) })));
    case "unlock":
      return void (await unwrap(api.POST("/api/v1/{tenant}/triggers/{namespace}/{flow_id}/{trigger_id}/unlock", { params: one })));
    case "forget":
      return void (await unwrap(api.DELETE("/api/v1/{tenant}/triggers/{namespace}/{flow_id}/{trigger_id}", { params: one, parseAs: "text" })));
  }
}

import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, openBody, send, unwrap } from "@/api/client";
import type { FlowPlan } from "@/api/types";
import { planFlow, type FlowBulk, type FlowTarget } from "./useFlows";

// A plan holds for the moment it is shown at: none is kept.
const FRESH = { gcTime: 0, staleTime: 0 };

/** What switching or deleting flows would do; asked while there is an action (BEY-040). */
export function useBulkPlan(action: MaybeRefOrGetter<FlowBulk | undefined>, target: MaybeRefOrGetter<FlowTarget>) {
  return useQuery({
    queryKey: ["plan", computed(() => toValue(action)), computed(() => toValue(target))] as const,
    queryFn: ({ queryKey: [, wanted, of] }) => {
      const named = "keys" in of;
      return send<FlowPlan[]>("post", `/flows/${wanted ?? ""}/plan/${named ? "by-ids" : "by-query"}`, named ? {} : of.filters, named ? of.keys : undefined);
    },
    enabled: computed(() => toValue(action) !== undefined),
    ...FRESH,
  });
}

/** What saving a source would do; asked while it is wanted. */
export function useSourcePlan(source: MaybeRefOrGetter<string>, wanted: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: ["plan", "source", computed(() => toValue(source))] as const,
    queryFn: async ({ queryKey: [, , text] }) => {
      const plan = await planFlow(text);
      return plan ? [plan] : [];
    },
    enabled: wanted,
    ...FRESH,
  });
}

/** What importing a file would do. */
export function useImportPlan() {
  return useMutation({ mutationFn: (file: File) => unwrap(api.POST("/api/v1/{tenant}/flows/import/plan", { params: { path: inTenant() }, ...upload(file) })) });
}

/** Imports the flows of a file; answers which are wrong. */
export function useImport() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (file: File) => unwrap(api.POST("/api/v1/{tenant}/flows/import", { params: { path: inTenant() }, ...upload(file) })),
    onSuccess: () => Promise.all(["flow", "flows", "revisions", "namespaces", "triggers"].map((name) => queries.invalidateQueries({ queryKey: [name] }))),
  });
}

function upload(file: File) {
  const form = new FormData();
  form.append("fileUpload", file);
  return { ...openBody(form), bodySerializer: (body: unknown) => body as FormData };
}

import { useMutation, useQueryClient } from "@tanstack/vue-query";
import { send } from "@/api/client";
import type { BulkAnswer, SwitchName, SwitchOrder } from "@/api/types";

/** Flows and triggers by name, or all of a list that meet filters. */
export type SwitchTarget = { readonly names: readonly SwitchName[] } | { readonly list: "flows" | "triggers"; readonly filters: Readonly<Record<string, string>> };

/** What lets the source count again. */
export const RESUME: SwitchOrder = { state: null };

/** Says of flows and triggers what they do here, whatever their sources say; answers of how many. */
export function useSwitches() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ target, order }: { target: SwitchTarget; order: SwitchOrder }) =>
      "names" in target
        ? send<BulkAnswer>("post", "/switches/by-names", {}, { ...order, names: target.names })
        : send<BulkAnswer>("post", `/${target.list}/switch/by-query`, target.filters, order),
    onSuccess: () => Promise.all(["flow", "flows", "triggers"].map((name) => queries.invalidateQueries({ queryKey: [name] }))),
  });
}

import { useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import type { Flow } from "@/api/types";
import { mayHaveDates, nextDates } from "@/lib/plans";
import { isStopped } from "@/lib/switches";
import { planFlow, type FlowKey } from "./useFlows";
import { useTriggerPage } from "./useTriggers";

const AGAIN = 60_000;
const MOST_TRIGGERS = 100;

/** When a flow's dates start it next: those of its triggers that are switched on, in their order (UI-062). */
export function useNextDates(key: MaybeRefOrGetter<FlowKey>, flow: MaybeRefOrGetter<Flow | undefined>) {
  const source = computed(() => toValue(flow)?.source ?? "");
  const isDated = computed(() => mayHaveDates(source.value) && !isStopped(toValue(flow)));
  const triggers = useTriggerPage(() => ({ filters: { namespace: toValue(key).namespace, flowId: toValue(key).id }, page: 1, size: MOST_TRIGGERS }));
  const plan = useQuery({
    queryKey: ["next-dates", source] as const,
    queryFn: async ({ queryKey: [, text] }) => (await planFlow(text)) ?? null,
    enabled: isDated,
    refetchInterval: AGAIN,
  });
  const off = computed(() => new Set((triggers.data.value?.results ?? []).filter(({ triggerContext }) => triggerContext.disabled).map(({ triggerContext }) => triggerContext.triggerId)));
  const dates = computed(() => (isDated.value && plan.data.value ? nextDates(plan.data.value, off.value) : []));
  const settled = computed(() => toValue(flow) !== undefined && (!isDated.value || !(plan.isPending.value || triggers.isPending.value)));
  return { dates, settled };
}

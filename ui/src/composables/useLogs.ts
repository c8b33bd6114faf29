import { useQuery } from "@tanstack/vue-query";
import { computed, onScopeDispose, ref, shallowRef, toValue, watch, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import { TENANT, type LogEntry } from "@/api/types";
import { follow } from "@/lib/live";
import { LogMerger } from "@/lib/logs";

const DRAW_EVERY = 120;

/** All log lines of an execution: listed once, then followed while it runs. */
export function useLogs(id: MaybeRefOrGetter<string>, running: MaybeRefOrGetter<boolean>) {
  const merger = new LogMerger();
  const entries = shallowRef<readonly LogEntry[]>([]);
  const stale = ref(false);
  const query = useQuery({
    queryKey: ["logs", computed(() => toValue(id))] as const,
    queryFn: ({ queryKey }) => {
      const params = { path: inTenant({ execution_id: queryKey[1] }), query: { minLevel: "TRACE" as const } };
      return unwrap(api.GET("/api/v1/{tenant}/logs/{execution_id}", { params }));
    },
    staleTime: 0,
  });

  watch(
    query.data,
    (listed) => {
      merger.reset(listed ?? []);
      entries.value = merger.entries;
    },
    { immediate: true },
  );
  const ready = computed(() => query.isSuccess.value);
  watch(
    [() => toValue(id), () => toValue(running), ready],
    ([executionId, isRunning, isReady], [, wasRunning], onCleanup) => {
      stale.value = false;
      if (isRunning && isReady) onCleanup(followLogs(executionId));
      // The last lines may be written after the last state: one more listing makes it whole.
      else if (wasRunning && !isRunning) void query.refetch();
    },
    { immediate: true },
  );
  onScopeDispose(() => (stale.value = false));

  function followLogs(executionId: string): () => void {
    let burst: LogEntry[] = [];
    const timer = setInterval(() => {
      if (burst.length > 0 && merger.addAll(burst)) entries.value = merger.entries;
      burst = [];
    }, DRAW_EVERY);
    const stop = follow<LogEntry>({
      url: `/api/v1/${TENANT}/logs/${executionId}/follow?minLevel=TRACE`,
      onOpen: () => merger.startStream(),
      onStale: (lost) => (stale.value = lost),
      onItem: (entry) => {
        burst.push(entry);
        return false;
      },
    });
    return () => {
      clearInterval(timer);
      stop();
    };
  }

  return { entries, stale, isPending: query.isPending, error: query.error };
}

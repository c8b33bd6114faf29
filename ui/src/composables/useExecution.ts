import { useQueryClient } from "@tanstack/vue-query";
import { computed, onScopeDispose, ref, toValue, watch, type MaybeRefOrGetter } from "vue";
import { TENANT, type Execution } from "@/api/types";
import { follow } from "@/lib/live";
import { hasEnded } from "@/lib/states";
import { useExecutionOnce } from "./useExecutions";

const AT_MOST_EVERY = 100;

/** One execution, followed live until it ends; `stale` while the connection is lost. */
export function useExecution(id: MaybeRefOrGetter<string>) {
  const queries = useQueryClient();
  const stale = ref(false);
  const query = useExecutionOnce(id);
  const running = computed(() => query.data.value !== undefined && !hasEnded(query.data.value.state.current));

  watch(
    [() => toValue(id), running],
    ([executionId, isRunning], _, onCleanup) => {
      stale.value = false;
      if (isRunning) onCleanup(followExecution(executionId));
    },
    { immediate: true },
  );
  onScopeDispose(() => (stale.value = false));

  function followExecution(executionId: string): () => void {
    let latest: Execution | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    // A busy execution changes faster than anyone reads: the newest state is drawn ten times a second.
    const draw = (): void => {
      timer = undefined;
      if (latest) queries.setQueryData(["execution", executionId], latest);
    };
    const stop = follow<Execution>({
      url: `/api/v1/${TENANT}/executions/${executionId}/follow`,
      onStale: (lost) => {
        stale.value = lost;
        // Also tells a lost connection from a lost session: the call is answered with 401 then.
        if (lost) void query.refetch();
      },
      onItem: (execution) => {
        latest = execution;
        const ended = hasEnded(execution.state.current);
        if (ended) draw();
        else timer ??= setTimeout(draw, AT_MOST_EVERY);
        return ended;
      },
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }

  return { ...query, running, stale };
}

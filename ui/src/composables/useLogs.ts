import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, onScopeDispose, ref, shallowRef, toValue, triggerRef, watch, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import { TENANT, type LogEntry, type LogLevel, type LogOutline } from "@/api/types";
import { follow } from "@/lib/live";
import { LogBook, WINDOW, type Gap } from "@/lib/logBook";

/** Which lines of an execution are read. */
export interface LogSelection {
  readonly minLevel?: LogLevel;
  readonly taskRunId?: string;
  readonly taskId?: string;
  /** Only what no task run wrote. */
  readonly ofExecution?: boolean;
  /** A part of the message. */
  readonly q?: string;
}

const PATH = "/api/v1/{tenant}/logs/{execution_id}";

function outline(id: string, selection: LogSelection, after?: string, step = WINDOW): Promise<LogOutline> {
  return unwrap(api.GET(`${PATH}/marks`, { params: { path: inTenant({ execution_id: id }), query: { ...selection, after, step } } }));
}

function lines(id: string, query: LogSelection & { after?: string; limit: number; last?: boolean }): Promise<LogEntry[]> {
  return unwrap(api.GET(`${PATH}/window`, { params: { path: inTenant({ execution_id: id }), query } }));
}

/** The address of a selection of lines, for what reads it by itself: followers and downloads. */
export function logAddress(id: string, door: "follow-marks" | "download", asked: LogSelection & { step?: number; lastEventId?: string }): string {
  const query = new URLSearchParams(Object.entries(asked).flatMap(([name, value]) => (value ? [[name, String(value)]] : [])));
  return `/api/v1/${TENANT}/logs/${id}/${door}?${query.toString()}`;
}

/** The lines of an execution: counted, read in windows where one looks, and followed while it runs (UI-125). */
export function useLogs(id: MaybeRefOrGetter<string>, selection: MaybeRefOrGetter<LogSelection>, running: MaybeRefOrGetter<boolean>) {
  const book = shallowRef<LogBook>();
  const stale = ref(false);
  const wanted = computed(() => ({ id: toValue(id), selection: toValue(selection) }));
  const query = useQuery({
    queryKey: ["log-outline", wanted] as const,
    queryFn: async ({ queryKey: [, asked] }) => ({ asked, outline: await outline(asked.id, asked.selection) }),
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 0,
    // Another outline would not know what was followed since.
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  /** The selection whose lines are shown: the last one answered. */
  const shown = computed(() => query.data.value?.asked);
  const reading = new Set<string>();

  watch(() => query.data.value, (found) => (book.value = found && new LogBook(found.outline)), { immediate: true });
  watch(
    [shown, () => toValue(running)],
    ([asked, isRunning], [before, wasRunning], onCleanup) => {
      stale.value = false;
      if (asked && isRunning) onCleanup(followLines(asked.id, asked.selection));
      // The last lines may be written after the last state: one more outline makes it whole.
      else if (wasRunning && asked?.id === before?.id) void query.refetch();
    },
    { immediate: true },
  );
  onScopeDispose(() => (stale.value = false));

  function followLines(executionId: string, which: LogSelection): () => void {
    return follow<LogOutline>({
      url: () => logAddress(executionId, "follow-marks", { ...which, step: WINDOW, lastEventId: book.value?.end }),
      onStale: (lost) => (stale.value = lost),
      onItem: (grown) => {
        book.value?.extend(grown);
        triggerRef(book);
        return false;
      },
    });
  }

  /** Reads what lies between two lines and has not been read. */
  function read(first: number, last: number): void {
    const from = book.value;
    const asked = shown.value;
    if (!from || !asked || last < first) return;
    for (const gap of from.missing(first, last)) void fill(from, asked, gap);
  }

  async function fill(into: LogBook, asked: { id: string; selection: LogSelection }, gap: Gap): Promise<void> {
    const key = `${JSON.stringify(asked)} ${gap.after}`;
    if (reading.has(key)) return;
    reading.add(key);
    try {
      into.put(gap, await lines(asked.id, { ...asked.selection, after: gap.after, limit: gap.size }));
    } catch {
      // Asked for again when it is next looked at; a lost connection is told of by the page.
      return;
    } finally {
      reading.delete(key);
    }
    if (book.value === into) triggerRef(book);
  }

  return { book, shown, stale, read, isPending: query.isPending, isFetching: query.isFetching, error: query.error };
}

/** How many lines an execution has, counted on while it runs. */
export function useLogTotal(id: MaybeRefOrGetter<string>, running: MaybeRefOrGetter<boolean>) {
  const queries = useQueryClient();
  return useQuery({
    queryKey: ["log-total", computed(() => toValue(id)), computed(() => toValue(running))] as const,
    queryFn: async ({ queryKey }) => {
      const known = queries.getQueryData<{ total: number; end: string }>(queryKey);
      const found = await outline(queryKey[1], {}, known?.end, 5_000);
      return { total: (known?.total ?? 0) + found.total, end: found.end };
    },
    refetchInterval: computed(() => (toValue(running) ? 2_000 : false)),
    placeholderData: keepPreviousData,
  });
}

/** How many lines each task run wrote. */
export function useLogCounts(id: MaybeRefOrGetter<string>, selection: MaybeRefOrGetter<LogSelection>, running: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: ["log-counts", computed(() => toValue(id)), computed(() => toValue(selection)), computed(() => toValue(running))] as const,
    queryFn: ({ queryKey: [, executionId, query] }) =>
      unwrap(api.GET(`${PATH}/counts`, { params: { path: inTenant({ execution_id: executionId }), query } })),
    refetchInterval: computed(() => (toValue(running) ? 2_000 : false)),
    placeholderData: keepPreviousData,
  });
}

/** The line that tells why a task run failed: its last error, or its last line of all; an empty id asks for nothing. */
export function useCauseLine(id: MaybeRefOrGetter<string>, taskRunId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["cause-line", computed(() => toValue(id)), computed(() => toValue(taskRunId))] as const,
    queryFn: async ({ queryKey: [, executionId, run] }) => {
      const last = { taskRunId: run, limit: 1, last: true };
      const [line] = await lines(executionId, { ...last, minLevel: "ERROR" });
      return line ?? (await lines(executionId, last))[0] ?? null;
    },
    enabled: computed(() => toValue(taskRunId) !== ""),
  });
}

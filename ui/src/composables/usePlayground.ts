import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, openBody, send, unwrap } from "@/api/client";
import type { Execution } from "@/api/types";
import { KEPT, type Play } from "@/lib/playground";
import { hasEnded } from "@/lib/states";
import { asForm } from "./useExecutions";
import type { FlowKey } from "./useFlows";
import { meQuery } from "./useInstance";

/** One's own playground runs of a flow, newest first, each with its task runs as far as it is the newest. */
export function usePlaygroundRuns(key: MaybeRefOrGetter<FlowKey>) {
  const queries = useQueryClient();
  return useQuery({
    queryKey: ["playground", computed(() => toValue(key))] as const,
    queryFn: async ({ queryKey: [, { namespace, id }] }) => {
      const me = await queries.fetchQuery(meQuery);
      const query = {
        size: 50, sort: ["state.startDate:desc"], "filters[namespace][EQUALS]": namespace, "filters[flowId][EQUALS]": id,
        "filters[kind][EQUALS]": "PLAYGROUND", "filters[labels][EQUALS][system.username]": me.id,
      };
      const { results } = await unwrap(api.GET("/api/v1/{tenant}/executions/search", { params: { path: inTenant(), query } }));
      const newest = results[0] && (await read(results[0].id));
      return newest ? [newest, ...results.slice(1)] : [];
    },
    // While the newest goes on it is asked for again.
    refetchInterval: ({ state }) => (state.data?.[0] && isMoving(state.data[0]) ? 700 : false),
  });
}

export interface PlayRequest {
  readonly play: Play;
  readonly form: FormData;
  /** The runs there are; the last one makes room for the new one. */
  readonly before: readonly Execution[];
}

/** Plays a part of the flow as it is saved. */
export function usePlay(key: MaybeRefOrGetter<FlowKey>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ play, form, before }: PlayRequest) => {
      const made = await start(toValue(key), play, form);
      await makeRoom(before);
      return made;
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["playground"] }),
  });
}

export function isMoving({ state }: Execution): boolean {
  return !hasEnded(state.current) && state.current !== "BREAKPOINT" && state.current !== "PAUSED";
}

function read(executionId: string): Promise<Execution> {
  return unwrap(api.GET("/api/v1/{tenant}/executions/{execution_id}", { params: { path: inTenant({ execution_id: executionId }) } }));
}

function start({ namespace, id }: FlowKey, { from, breakpoints }: Play, form: FormData): Promise<Execution> {
  const stops = breakpoints.join(",");
  if (from) {
    const path = inTenant({ execution_id: from.executionId });
    return unwrap(api.POST("/api/v1/{tenant}/executions/{execution_id}/replay", { params: { path, query: { breakpoints: stops } }, ...openBody({ taskId: from.taskId, latestRevision: true }) }));
  }
  const query = { kind: "PLAYGROUND" as const, breakpoints: stops };
  return unwrap(api.POST("/api/v1/{tenant}/executions/{namespace}/{id}", { params: { path: inTenant({ namespace, id }), query }, ...asForm(form) }));
}

/** A run that stopped before a task holds a slot for nothing once another takes over; old ones are deleted. */
async function makeRoom(before: readonly Execution[]): Promise<void> {
  const stopped = before[0] && !hasEnded(before[0].state.current) ? [before[0]] : [];
  const steps = [
    ...stopped.map(({ id }) => () => send("delete", `/executions/${id}/kill`, {})),
    ...before.slice(KEPT - 1).map(({ id }) => () => send("delete", `/executions/${id}`, {})),
  ];
  // What cannot be tidied up now is so at the next play.
  for (const step of steps) await step().catch(() => undefined);
}

import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, ref, toValue, watch, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import { draftName, draftSlot, subjectOf, type Draft } from "@/lib/drafts";
import type { FlowKey } from "./useFlows";

const PLACE = "/api/v1/me/drafts";

/** The reader's unsaved flows, the latest first (BEY-043). */
export function useDrafts(enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: ["drafts"],
    queryFn: async () => {
      const { results } = await unwrap(api.GET(PLACE, {}));
      return results.sort((one, other) => other.updated.localeCompare(one.updated));
    },
    enabled: computed(() => toValue(enabled)),
  });
}

/** The names of those drafts whose flow was deleted. */
export function useGoneFlows(drafts: MaybeRefOrGetter<readonly Draft[]>, enabled: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: ["drafts-gone", computed(() => toValue(drafts).map(({ name, revision }) => ({ name, revision })))] as const,
    queryFn: async ({ queryKey: [, named] }) => new Set((await Promise.all(named.map(goneName))).flat()),
    enabled: computed(() => toValue(enabled)),
  });
}

async function goneName(draft: Pick<Draft, "name" | "revision">): Promise<string[]> {
  const subject = subjectOf(draft);
  if (!("flow" in subject)) return [];
  const path = inTenant({ namespace: subject.flow.namespace, id: subject.flow.id });
  try {
    await unwrap(api.GET("/api/v1/{tenant}/flows/{namespace}/{id}", { params: { path } }));
    return [];
  } catch (error) {
    return error instanceof ApiError && error.status === 404 ? [draft.name] : [];
  }
}

/** Forgets a draft, on the server and in this browser. */
export function useDiscardDraft() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (draft: Draft) => {
      await unwrap(api.DELETE(`${PLACE}/{name}`, { params: { path: { name: draft.name }, query: { seen: draft.version } } }));
      localStorage.removeItem(draftSlot(subjectOf(draft)));
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["drafts"] }),
  });
}

/** The drafts of flows that are about to be deleted: they go with their flows when their writer says so. */
export function useDraftsOf(flows: MaybeRefOrGetter<readonly FlowKey[]>, asked: MaybeRefOrGetter<boolean>) {
  const { data } = useDrafts(asked);
  const discard = useDiscardDraft();
  const tooWanted = ref(false);
  const found = computed(() => {
    const names = new Set(toValue(flows).map((flow) => draftName({ flow })));
    return (data.value ?? []).filter(({ name }) => names.has(name));
  });
  watch(() => toValue(asked), (isAsked) => isAsked && (tooWanted.value = false));

  /** Deletes flows, and their drafts with them if that is wanted. */
  async function withDrafts<T>(deletion: Promise<T>): Promise<T> {
    const lost = tooWanted.value ? found.value : [];
    const answer = await deletion;
    await Promise.all(lost.map((draft) => discard.mutateAsync(draft).catch(() => undefined)));
    return answer;
  }

  return { found, tooWanted, withDrafts };
}

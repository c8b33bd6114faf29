import { computed, onScopeDispose, ref, toValue, watch, type MaybeRefOrGetter } from "vue";
import { ApiError } from "@/api/errors";
import { problem, problemsOf, problemsOfError, type Problem } from "@/lib/problems";
import { useSaveFlow, validateFlow, type FlowKey } from "./useFlows";

const CHECK_AFTER = 400;

/**
 * The source being edited: checked by the server as one types, kept in this browser until it is
 * saved, so that neither a reload nor a visit elsewhere loses it.
 */
export function useFlowDraft(saved: MaybeRefOrGetter<string | undefined>, key?: MaybeRefOrGetter<FlowKey>) {
  const slot = computed(() => {
    const flow = toValue(key);
    return `penstock.draft.${flow ? `${flow.namespace}/${flow.id}` : "new"}`;
  });
  const source = ref(localStorage.getItem(slot.value) ?? toValue(saved) ?? "");
  const problems = ref<Problem[]>([]);
  const checking = ref(false);
  const unsaved = computed(() => toValue(saved) !== undefined && source.value !== toValue(saved));
  const save = useSaveFlow(key);

  watch(
    () => toValue(saved),
    (now, before) => {
      const untouched = before === undefined ? localStorage.getItem(slot.value) === null : source.value === before;
      if (now !== undefined && untouched) source.value = now;
    },
  );

  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0;
  watch(
    source,
    (text) => {
      if (unsaved.value) localStorage.setItem(slot.value, text);
      else localStorage.removeItem(slot.value);
      clearTimeout(timer);
      if (!text.trim()) return;
      checking.value = true;
      timer = setTimeout(() => void check(text), CHECK_AFTER);
    },
    { immediate: true },
  );
  onScopeDispose(() => clearTimeout(timer));

  async function check(text: string): Promise<void> {
    turn += 1;
    const mine = turn;
    const found = await validateFlow(text).then(problemsOf, problemsFrom);
    // Answers may overtake each other; only the newest question's counts.
    if (mine !== turn) return;
    problems.value = found;
    checking.value = false;
  }

  /** Saves, and answers with the saved flow; a refusal shows as problems. */
  async function store() {
    try {
      const flow = await save.mutateAsync(source.value);
      localStorage.removeItem(slot.value);
      return flow;
    } catch (error) {
      if (error instanceof ApiError && error.status === 422) problems.value = problemsFrom(error);
      return undefined;
    }
  }

  function discard(): void {
    source.value = toValue(saved) ?? "";
  }

  return { source, problems, checking, unsaved, store, discard, saving: save.isPending, error: save.error };
}

function problemsFrom(error: unknown): Problem[] {
  if (error instanceof ApiError && error.problems.length > 0) return problemsOfError(error.problems);
  return [problem("error", error instanceof Error ? error.message : String(error))];
}

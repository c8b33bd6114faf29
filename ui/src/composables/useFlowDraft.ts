import { computed, onScopeDispose, ref, toValue, watch, type MaybeRefOrGetter } from "vue";
import { ApiError } from "@/api/errors";
import { problem, problemsOf, problemsOfError, type Problem } from "@/lib/problems";
import { draftName, draftSlot, type Subject } from "@/lib/drafts";
import { useDraftSync, type Kept } from "./useDraftSync";
import { useSaveFlow, validateFlow, type FlowKey } from "./useFlows";

const CHECK_AFTER = 400;

export interface Saved {
  readonly source: string;
  /** Missing for a flow that does not exist yet. */
  readonly revision?: number;
}

/**
 * The source being edited: checked by the server as one types, and kept there until it is saved, so
 * that neither a reload nor another device loses it; this browser has a copy for when the server is away. It remembers the revision it began
 * with, so that somebody else's newer one is not overwritten unseen. New flows are kept apart by what
 * they began with.
 */
export function useFlowDraft(saved: MaybeRefOrGetter<Saved>, key?: MaybeRefOrGetter<FlowKey>, origin?: string) {
  const flow = toValue(key);
  const subject: Subject = flow ? { flow } : { origin: origin ?? "" };
  const [slot, name] = [draftSlot(subject), draftName(subject)];
  const kept = readKept(slot);
  const source = ref(kept?.text ?? toValue(saved).source);
  const base = ref(kept?.revision ?? toValue(saved).revision);
  const problems = ref<Problem[]>([]);
  const checking = ref(false);
  const unsaved = computed(() => source.value !== toValue(saved).source);
  const save = useSaveFlow(key);
  const overtaken = computed(() => save.error.value instanceof ApiError && save.error.value.status === 409 && base.value !== undefined);

  const sync = useDraftSync(name, kept, {
    mine: () => (unsaved.value ? { text: source.value, revision: base.value } : undefined),
    keep: (now) => (now ? localStorage.setItem(slot, JSON.stringify(now)) : localStorage.removeItem(slot)),
    gone: discard,
  });

  watch(
    () => toValue(saved),
    (now, before) => {
      if (source.value !== before.source && source.value !== now.source) return;
      source.value = now.source;
      base.value = now.revision;
    },
  );

  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0;
  watch(
    source,
    (text) => {
      sync.changed();
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
      const stored = await save.mutateAsync({ source: source.value, revision: base.value });
      sync.saved(source.value);
      base.value = stored.revision ?? undefined;
      return stored;
    } catch (error) {
      if (error instanceof ApiError && error.status === 422) problems.value = problemsFrom(error);
      return undefined;
    }
  }

  /** Saves over a revision that came in between, once the reader has decided so. */
  function overwrite() {
    base.value = toValue(saved).revision;
    return store();
  }

  function discard(): void {
    source.value = toValue(saved).source;
    base.value = toValue(saved).revision;
    save.reset();
    void sync.tell();
  }

  /** Goes on with what was written elsewhere. */
  function take(): void {
    const draft = sync.take();
    if (!draft) return;
    source.value = draft.source;
    base.value = draft.revision ?? undefined;
  }

  return { source, base, problems, checking, unsaved, overtaken, store, overwrite, discard, other: sync.other, take, stay: sync.stay, saving: save.isPending, error: save.error };
}

function readKept(slot: string): Kept | undefined {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(slot) ?? "null");
    return typeof kept === "object" && kept !== null && "text" in kept ? (kept as Kept) : undefined;
  } catch {
    return undefined;
  }
}

function problemsFrom(error: unknown): Problem[] {
  if (error instanceof ApiError && error.problems.length > 0) return problemsOfError(error.problems);
  return [problem("error", error instanceof Error ? error.message : String(error))];
}

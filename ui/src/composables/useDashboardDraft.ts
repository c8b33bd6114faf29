import { computed, onScopeDispose, ref, toValue, watch, type MaybeRefOrGetter } from "vue";
import { ApiError } from "@/api/errors";
import { FIRST_DASHBOARD, sketchOf, type Sketch } from "@/lib/dashboards";
import { problemsOf, type Problem } from "@/lib/problems";
import { useDashboard, useSaveDashboard, validateDashboard } from "./useDashboards";

const LOOK_AFTER = 600;

/** The source of a dashboard being edited, what of it can be drawn, and what is wrong with it; without an id a new one. */
export function useDashboardDraft(id: MaybeRefOrGetter<string | undefined>) {
  const { data: stored, error } = useDashboard(() => toValue(id) ?? "");
  const saving = useSaveDashboard(() => toValue(id));
  const source = ref(toValue(id) ? "" : FIRST_DASHBOARD);
  const kept = ref(source.value);
  const sketch = ref<Sketch>();
  const broken = ref(false);
  const problems = ref<Problem[]>([]);
  const checking = ref(false);
  const unsaved = computed(() => source.value !== kept.value || !toValue(id));
  const refusal = computed(() => (saving.error.value instanceof ApiError && saving.error.value.problems.length > 0 ? undefined : saving.error.value));

  watch(stored, (dashboard) => {
    if (!dashboard || (kept.value && source.value !== kept.value)) return;
    source.value = kept.value = dashboard.source;
  }, { immediate: true });

  let timer: ReturnType<typeof setTimeout> | undefined;
  watch(source, (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => void look(text), sketch.value ? LOOK_AFTER : 0);
  }, { immediate: true });
  onScopeDispose(() => clearTimeout(timer));

  async function look(text: string): Promise<void> {
    if (!text) return;
    const found = sketchOf(text);
    broken.value = found === undefined;
    if (found) sketch.value = found;
    checking.value = true;
    const answer = await validateDashboard(text).catch(() => undefined);
    checking.value = false;
    if (text === source.value) problems.value = answer ? problemsOf([answer]) : [];
  }

  /** Saves, and answers with the saved dashboard; undefined when it was refused. */
  async function save() {
    const saved = await saving.mutateAsync(source.value).catch(() => undefined);
    if (saved) kept.value = source.value;
    return saved;
  }

  return { stored, source, sketch, broken, problems, checking, unsaved, save, saving: saving.isPending, error: computed(() => error.value ?? refusal.value) };
}

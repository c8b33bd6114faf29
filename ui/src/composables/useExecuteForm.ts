import { computed, onScopeDispose, reactive, ref, shallowRef } from "vue";
import { ApiError } from "@/api/errors";
import type { FlowInput, InputsValidation } from "@/api/types";
import { controlFor, faultOf, isEmpty, repeatedValue, toControl, toFormData, type Fault, type Value, type Values } from "@/lib/inputs";

const ASK_AFTER = 300;

export interface Asked {
  readonly input: FlowInput;
  readonly value: Value;
  readonly fault?: Fault;
  /** What the API says of this value, in its own words. */
  readonly refusals: readonly string[];
}

/** Asks the server about a form; undefined where there is nobody to ask. */
export type Ask = ((form: FormData) => Promise<InputsValidation | undefined>) | undefined;

/**
 * The state of a form made from declared inputs. The server is asked as one types: it renders
 * defaults, knows which inputs are asked at all (dependsOn), and checks what a browser cannot.
 */
export function useExecuteForm(inputs: readonly FlowInput[], ask: Ask, given: Readonly<Record<string, unknown>> = {}) {
  const values = reactive<Values>(Object.fromEntries(inputs.map((input) => [input.id, repeatedValue(input, given)])));
  const touched = reactive(new Set<string>(Object.keys(given)));
  const told = shallowRef<InputsValidation>();
  const refusal = shallowRef<ApiError>();
  const tried = ref(false);

  const asked = computed<Asked[]>(() =>
    inputs
      .filter((input) => answerFor(input)?.enabled !== false)
      .map((input) => {
        // The server's view of an input holds what it computed, such as a select's values.
        const current = { ...input, ...withoutGaps(answerFor(input)?.input ?? {}) };
        return { input: current, value: values[input.id], fault: shownFault(current), refusals: refusalsOf(input) };
      }),
  );
  const checks = computed(() => told.value?.checks ?? []);
  const ready = computed(() => asked.value.every(({ input }) => faultOf(input, values[input.id]) === undefined || defaultedByServer(input)));

  function answerFor(input: FlowInput) {
    return told.value?.inputs.find((entry) => entry.input.id === input.id);
  }

  function defaultedByServer(input: FlowInput): boolean {
    return isEmpty(values[input.id]) && answerFor(input)?.isDefault === true;
  }

  function shownFault(input: FlowInput): Fault | undefined {
    if (!tried.value && !touched.has(input.id)) return undefined;
    return defaultedByServer(input) ? undefined : faultOf(input, values[input.id]);
  }

  function refusalsOf(input: FlowInput): string[] {
    const fromSubmit = (refusal.value?.fields ?? []).filter((field) => names(field.field, input.id)).map((field) => field.message);
    const fromAsking = touched.has(input.id) && !isEmpty(values[input.id]) ? (answerFor(input)?.errors ?? []).map((error) => error.message) : [];
    return fromSubmit.length > 0 ? fromSubmit : fromAsking;
  }

  function set(id: string, value: Value): void {
    values[id] = value;
    touched.add(id);
    refusal.value = undefined;
    later();
  }

  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0;
  function later(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void question(), ASK_AFTER);
  }

  async function question(): Promise<void> {
    turn += 1;
    const mine = turn;
    // Files are sent once, with the execution: asking about them again and again would upload them each time.
    const textual = inputs.filter((input) => controlFor(input) !== "file");
    const answer = await ask?.(toFormData(textual, values)).catch(() => undefined);
    if (mine !== turn || !answer) return;
    told.value = answer;
    for (const { input, value, isDefault } of answer.inputs) {
      const own = inputs.find((one) => one.id === input.id);
      if (own && isDefault && !touched.has(input.id) && isEmpty(values[input.id])) values[input.id] = toControl(own, value);
    }
  }

  if (inputs.length > 0) void question();
  onScopeDispose(() => clearTimeout(timer));

  /** The body to send, or undefined while something is wrong; from then on faults are shown. */
  function body(): FormData | undefined {
    tried.value = true;
    return ready.value ? toFormData(asked.value.map(({ input }) => input), values) : undefined;
  }

  /** Takes what the API refused to the fields it names. */
  function refuse(error: unknown): void {
    refusal.value = error instanceof ApiError ? error : undefined;
  }

  /** True when every part of a refusal stands at a field, so that it need not be said again above. */
  const refusalPlaced = computed(
    () => (refusal.value?.fields.length ?? 0) > 0 && refusal.value?.fields.every(({ field }) => inputs.some((input) => names(field, input.id))),
  );

  return { values, asked, checks, set, body, refuse, refusalPlaced };
}

function names(path: string, id: string): boolean {
  return path === id || path === `inputs.${id}` || path.endsWith(`.${id}`);
}

function withoutGaps<T extends object>(record: T): Partial<T> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null && value !== undefined)) as Partial<T>;
}

/** What may stand at a place of an expression: names of the flow being written, filters, functions (ENG-380). */
import words from "./expression-words.json";

export interface Suggestion {
  readonly label: string;
  readonly insert: string;
  readonly detail: string;
  readonly kind: "name" | "filter" | "function";
}

export interface Wanted {
  /** Where the word begins that a suggestion replaces. */
  readonly from: number;
  readonly suggestions: readonly Suggestion[];
  /** The type whose outputs belong here, which has to be asked for. */
  readonly outputsOf?: string;
}

/** What of a flow expressions can name. */
export interface Names {
  readonly inputs: readonly string[];
  readonly variables: readonly string[];
  readonly labels: readonly string[];
  /** Task ids with their types. */
  readonly tasks: ReadonlyMap<string, string>;
}

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  flow: ["id", "namespace", "revision", "tenantId"],
  execution: ["id", "startDate", "originalId", "state", "outputs"],
  task: ["id", "type"],
  taskrun: ["id", "startDate", "attemptsCount", "parentId", "value", "iteration"],
  trigger: ["date", "next", "previous", "executionId", "namespace", "flowId", "flowRevision", "state", "outputs", "body", "headers", "parameters", "uri"],
  error: ["taskId", "message", "stackTrace"],
};
const ROOTS = ["inputs", "outputs", "vars", "labels", "flow", "execution", "task", "taskrun", "trigger", "namespace", "envs", "globals", "parent", "parents", "error", "kestra"];

/** The expression an offset lies in, up to that offset; undefined outside of expressions. */
export function expressionBefore(text: string, offset: number): string | undefined {
  const start = Math.max(text.lastIndexOf("{{", offset - 1), text.lastIndexOf("{%", offset - 1));
  if (start < 0 || start + 2 > offset) return undefined;
  const inner = text.slice(start + 2, offset);
  return /\}\}|%\}/.test(inner) ? undefined : inner;
}

/** The suggestions for an offset of a text, or undefined outside of expressions. */
export function suggestionsAt(text: string, offset: number, names: Names): Wanted | undefined {
  const expression = expressionBefore(text, offset);
  if (expression === undefined || isInString(expression)) return undefined;
  const filter = /\|\s*(\w*)$/.exec(expression);
  if (filter) return { from: offset - (filter[1]?.length ?? 0), suggestions: calls("filter") };
  const dotted = /((?:[\w-]+\.)*)([\w-]*)$/.exec(expression);
  const from = offset - (dotted?.[2]?.length ?? 0);
  const parts = (dotted?.[1] ?? "").split(".").filter((part) => part !== "");
  if (parts.length === 0) return { from, suggestions: [...named(ROOTS), ...calls("function")] };
  const outputsOf = parts.length === 2 && parts[0] === "outputs" ? names.tasks.get(parts[1] ?? "") : undefined;
  return { from, suggestions: parts.length === 1 ? membersOf(parts[0] ?? "", names) : [], outputsOf };
}

/** The suggestions that what is typed leads to: first those that begin with it. */
export function narrowed(suggestions: readonly Suggestion[], typed: string, most: number): Suggestion[] {
  const wanted = typed.toLowerCase();
  const fits = suggestions.filter(({ label }) => label.toLowerCase().includes(wanted));
  const begins = fits.filter(({ label }) => label.toLowerCase().startsWith(wanted));
  return [...begins, ...fits.filter((one) => !begins.includes(one))].slice(0, most);
}

/** Names as suggestions. */
export function named(list: Iterable<string>, detail = ""): Suggestion[] {
  return [...list].map((label) => ({ label, insert: label, detail, kind: "name" }));
}

/** What the value of a flow's source gives expressions to name. */
export function namesOf(flow: Readonly<Record<string, unknown>> | undefined): Names {
  const tasks = new Map<string, string>();
  for (const part of ["tasks", "errors", "finally", "afterExecution"]) collect(flow?.[part], tasks);
  return { inputs: idsIn(flow?.inputs), variables: keysIn(flow?.variables), labels: keysIn(flow?.labels), tasks };
}

function membersOf(root: string, names: Names): Suggestion[] {
  if (root === "inputs") return named(names.inputs, "input");
  if (root === "vars") return named(names.variables, "variable");
  if (root === "labels") return named(names.labels, "label");
  if (root === "outputs") return [...names.tasks].map(([label, type]) => ({ label, insert: label, detail: type.split(".").slice(-2).join("."), kind: "name" }));
  return named(MEMBERS[root] ?? []);
}

function calls(kind: "filter" | "function"): Suggestion[] {
  return Object.entries(kind === "filter" ? words.filters : words.functions).map(([name, { call, summary }]) => ({ label: call, insert: call.includes("(") ? `${name}(` : name, detail: summary, kind }));
}

/** An odd number of quotes before the cursor: it stands in a string. */
function isInString(expression: string): boolean {
  return ["'", '"'].some((quote) => expression.split(quote).length % 2 === 0);
}

function idsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.flatMap((one: unknown) => (isRecord(one) && typeof one.id === "string" ? [one.id] : [])) : [];
}

function keysIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((one: unknown) => (isRecord(one) && typeof one.key === "string" ? [one.key] : []));
  return isRecord(value) ? Object.keys(value) : [];
}

function collect(value: unknown, tasks: Map<string, string>): void {
  if (Array.isArray(value)) for (const one of value) collect(one, tasks);
  if (!isRecord(value)) return;
  if (typeof value.id === "string" && typeof value.type === "string") tasks.set(value.id, value.type);
  for (const one of Object.values(value)) if (typeof one === "object") collect(one, tasks);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

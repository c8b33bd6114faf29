/** The execute form: which control an input gets, its first value, its checks and what is sent. */
import type { FlowInput } from "@/api/types";
import { parseDuration } from "./duration";
import { toMillis } from "./time";

export type Control =
  | "text" | "url" | "email" | "password" | "number" | "toggle" | "choice" | "select" | "multiselect"
  | "date" | "datetime" | "time" | "duration" | "file" | "json" | "yaml" | "list";

export type Value = string | boolean | string[] | File | undefined;
export type Values = Record<string, Value>;

/** A message key with its parameters: what is wrong with a value. */
export interface Fault {
  readonly key: string;
  readonly params?: Record<string, string | number>;
}

const CONTROLS: Record<string, Control> = {
  STRING: "text", URI: "url", EMAIL: "email", SECRET: "password", INT: "number", FLOAT: "number", BOOL: "toggle", BOOLEAN: "choice",
  SELECT: "select", ENUM: "select", MULTISELECT: "multiselect", DATE: "date", DATETIME: "datetime", TIME: "time",
  DURATION: "duration", FILE: "file", JSON: "json", YAML: "yaml", ARRAY: "list",
};

/** The control for an input's type; an unknown type is asked as text. */
export function controlFor(input: FlowInput): Control {
  return CONTROLS[input.type] ?? "text";
}

/** An input must be answered unless it says otherwise. */
export function isRequired(input: FlowInput): boolean {
  return input.required !== false;
}

/** The value a control starts with. Defaults that are expressions are rendered by the server. */
export function initialValue(input: FlowInput): Value {
  const given = input.defaults ?? input.prefill;
  if (given === undefined || given === null) {
    if (input.autoSelectFirst && input.values?.[0]) return controlFor(input) === "select" ? input.values[0] : [input.values[0]];
    return controlFor(input) === "toggle" ? false : undefined;
  }
  return toControl(input, given);
}

/** A value of the flow or of the API as its control holds it. */
export function toControl(input: FlowInput, given: unknown): Value {
  const control = controlFor(input);
  if (given === undefined || given === null || control === "file") return undefined;
  if (typeof given === "string" && given.includes("{{")) return undefined;
  if (control === "toggle") return given === true || given === "true";
  if (control === "multiselect" || control === "list") return toList(given);
  if (control === "json") return typeof given === "string" ? given : JSON.stringify(given, undefined, 2);
  if (control === "datetime") return toLocalDateTime(String(given));
  return typeof given === "object" ? JSON.stringify(given) : String(given);
}

/** The value a control starts with when an earlier execution is repeated: its own, where that can be shown. */
export function repeatedValue(input: FlowInput, given: Readonly<Record<string, unknown>>): Value {
  const earlier = input.id.split(".").reduce<unknown>((place, part) => (isRecord(place) ? place[part] : undefined), given);
  return input.type === "SECRET" || earlier === undefined ? initialValue(input) : toControl(input, earlier);
}

/** What is wrong with a value, or undefined. */
export function faultOf(input: FlowInput, value: Value): Fault | undefined {
  if (isEmpty(value)) return isRequired(input) && !hasDefault(input) ? { key: "inputs.required" } : undefined;
  const check = CHECKS[controlFor(input)];
  return check?.(input, value) ?? patternFault(input, value);
}

/** The multipart body of an execution: only what was answered. */
export function toFormData(inputs: readonly FlowInput[], values: Values): FormData {
  const form = new FormData();
  for (const input of inputs) {
    const part = toPart(input, values[input.id]);
    if (part instanceof File) form.append(input.id, part, part.name);
    else if (part !== undefined) form.append(input.id, part);
  }
  return form;
}

/** One value as it is sent: a file or text. */
export function toPart(input: FlowInput, value: Value): File | string | undefined {
  if (value === undefined || isEmpty(value) || value instanceof File) return isEmpty(value) ? undefined : (value as File);
  if (Array.isArray(value)) return JSON.stringify(value);
  if (typeof value === "boolean") return String(value);
  return controlFor(input) === "datetime" ? new Date(value).toISOString() : value;
}

type Check = (input: FlowInput, value: Value) => Fault | undefined;

const CHECKS: Partial<Record<Control, Check>> = {
  number: (input, value) => numberFault(input, String(value)),
  json: (_, value) => (parsesAsJson(String(value)) ? undefined : { key: "inputs.notJson" }),
  duration: (_, value) => (parseDuration(String(value)) === undefined ? { key: "inputs.notDuration" } : undefined),
  email: (_, value) => (/^\S+@\S+\.\S+$/.test(String(value)) ? undefined : { key: "inputs.notEmail" }),
  file: (input, value) => fileFault(input, value),
  select: (input, value) =>
    input.values && !input.allowCustomValue && !input.values.includes(String(value)) ? { key: "inputs.notOffered" } : undefined,
};

function numberFault(input: FlowInput, text: string): Fault | undefined {
  const value = Number(text);
  if (Number.isNaN(value)) return { key: "inputs.notNumber" };
  if (input.type === "INT" && !Number.isInteger(value)) return { key: "inputs.notInteger" };
  if (typeof input.min === "number" && value < input.min) return { key: "inputs.tooSmall", params: { min: input.min } };
  if (typeof input.max === "number" && value > input.max) return { key: "inputs.tooLarge", params: { max: input.max } };
  return undefined;
}

function fileFault(input: FlowInput, value: Value): Fault | undefined {
  const allowed = input.allowedFileExtensions ?? [];
  if (!(value instanceof File) || allowed.length === 0) return undefined;
  const fits = allowed.some((extension) => value.name.toLowerCase().endsWith(extension.toLowerCase()));
  return fits ? undefined : { key: "inputs.wrongExtension", params: { allowed: allowed.join(", ") } };
}

function patternFault(input: FlowInput, value: Value): Fault | undefined {
  if (!input.validator || typeof value !== "string") return undefined;
  const pattern = compile(input.validator);
  return pattern && !pattern.test(value) ? { key: "inputs.noMatch", params: { pattern: input.validator } } : undefined;
}

function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch {
    // A pattern of the server's dialect that this one cannot read: the server's own check decides.
    return undefined;
  }
}

export function isEmpty(value: Value): boolean {
  return value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

function hasDefault(input: FlowInput): boolean {
  return input.defaults !== undefined && input.defaults !== null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function toList(given: unknown): string[] {
  const list: unknown = typeof given === "string" && parsesAsJson(given) ? JSON.parse(given) : given;
  const items = Array.isArray(list) ? list : [list];
  return items.map((item) => (typeof item === "string" ? item : JSON.stringify(item)));
}

function parsesAsJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function toLocalDateTime(text: string): string {
  const moment = toMillis(text);
  if (moment === undefined) return "";
  const zone = new Date(moment).getTimezoneOffset() * 60_000;
  return new Date(moment - zone).toISOString().slice(0, 19);
}

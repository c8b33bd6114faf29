/** The catalogue of types, and the properties of one type as rows of its documentation. */
import type { Plugin, PluginElement } from "@/api/types";

export const KINDS = ["tasks", "triggers", "conditions", "taskRunners"] as const;
export type Kind = (typeof KINDS)[number];

export interface TypeEntry {
  readonly cls: string;
  readonly name: string;
  readonly kind: Kind;
  readonly title: string;
  readonly deprecated: boolean;
}

export interface TypeGroup {
  readonly name: string;
  readonly entries: readonly TypeEntry[];
}

/** All types that contain a text, by the package they belong to. */
export function groupsOf(plugins: readonly Plugin[], text: string): TypeGroup[] {
  const wanted = text.trim().toLowerCase();
  const entries = plugins.flatMap((plugin) => KINDS.flatMap((kind) => (plugin[kind] as PluginElement[]).map((element) => entryOf(element, kind))));
  const groups = new Map<string, TypeEntry[]>();
  for (const entry of entries.filter((one) => `${one.cls} ${one.title}`.toLowerCase().includes(wanted))) {
    const name = entry.cls.split(".").slice(0, -1).join(".");
    groups.set(name, [...(groups.get(name) ?? []), entry]);
  }
  return [...groups].map(([name, own]) => ({ name, entries: own.sort((a, b) => a.name.localeCompare(b.name)) })).sort((a, b) => a.name.localeCompare(b.name));
}

function entryOf(element: PluginElement, kind: Kind): TypeEntry {
  return { cls: element.cls, name: element.cls.split(".").at(-1) ?? element.cls, kind, title: element.title ?? "", deprecated: element.deprecated === true };
}

export interface Property {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  /** True when an expression may stand there. */
  readonly dynamic: boolean;
  readonly fallback?: string;
  readonly description: string;
}

/** Properties that all tasks or triggers share come after a type's own. */
const SHARED = new Set(["type", "retry", "timeout", "runIf", "when", "disabled", "workerGroup", "allowFailure", "allowWarning", "logLevel", "logToFile", "taskCache", "version", "assets", "policyRefs", "conditions", "stopAfter"]);

/** The properties of a JSON Schema: those a type needs first, then its own, then the shared ones. */
export function propertiesOf(schema: unknown): Property[] {
  if (!isRecord(schema) || !isRecord(schema.properties)) return [];
  const required = new Set(Array.isArray(schema.required) ? (schema.required as unknown[]).map(String) : []);
  const rank = (one: Property): number => (one.name === "id" ? 0 : one.required && one.name !== "type" ? 1 : SHARED.has(one.name) ? 3 : 2);
  return Object.entries(schema.properties)
    .flatMap(([name, value]) => (isRecord(value) ? [propertyOf(name, value, required.has(name))] : []))
    .sort((a, b) => rank(a) - rank(b));
}

function propertyOf(name: string, value: Record<string, unknown>, required: boolean): Property {
  const fallback = value.default === undefined || value.default === null ? undefined : typeof value.default === "string" ? value.default : JSON.stringify(value.default);
  return { name, type: typeOf(value), required, dynamic: value.$dynamic === true, fallback, description: typeof value.description === "string" ? value.description : "" };
}

/** The type of a schema in words: `string`, `list of string`, `A or B`, the offered values. */
export function typeOf(schema: unknown): string {
  if (!isRecord(schema)) return "any";
  if (typeof schema.$ref === "string") return schema.$ref.split("/").at(-1) ?? "any";
  if (Array.isArray(schema.enum)) return schema.enum.map(String).join(" | ");
  if (schema.const !== undefined) return String(schema.const);
  const several = schema.anyOf ?? schema.oneOf;
  // What may be an expression may always be a string: that alone is no alternative worth naming.
  if (Array.isArray(several)) return [...new Set((schema.$dynamic === true && several.length > 1 ? several.slice(0, -1) : several).map(typeOf))].filter((one) => one !== "null").join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  if (schema.type === "object" && isRecord(schema.additionalProperties)) return `map of ${typeOf(schema.additionalProperties)}`;
  return typeof schema.type === "string" ? schema.type : "any";
}

export interface Example {
  readonly title: string;
  readonly code: string;
}

export interface Metric {
  readonly name: string;
  readonly type: string;
  readonly description: string;
}

/** The examples and metrics that a type tells of itself (UI-147). */
export function toldOf(schema: Record<string, unknown>): { examples: Example[]; metrics: Metric[] } {
  const own = isRecord(schema.properties) ? schema.properties : {};
  return {
    examples: recordsIn(own.$examples).map((one) => ({ title: textOf(one.title), code: textOf(one.code).trimEnd() })),
    metrics: recordsIn(own.$metrics).map((one) => ({ name: textOf(one.name), type: textOf(one.type), description: textOf(one.description) })),
  };
}

/** What a type tells of itself without its examples, which stand by themselves. */
export function withoutExamples(text: string): string {
  return text.replace(/(?:^|\n)(?:[^\n]*:\n+)?```ya?ml\n[\s\S]*?```/g, "").replace(/\n{3,}/g, "\n\n").trim();
}

function recordsIn(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The parts of a type's documentation. */
export function partsOf(schema: Record<string, unknown>): { properties: Property[]; outputs: Property[]; title: string } {
  const own = isRecord(schema.properties) && isRecord(schema.properties.properties) ? schema.properties : schema;
  const title = typeof own.title === "string" ? own.title : "";
  return { properties: propertiesOf(own), outputs: propertiesOf(schema.outputs), title };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

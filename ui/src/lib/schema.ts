/** The JSON Schema of flows, read for forms: what may stand at a place, given what stands there now. */
import type { Path } from "./yamledit";

export type Schema = Readonly<Record<string, unknown>>;
export type Kind = "text" | "lines" | "number" | "boolean" | "choice" | "map" | "entries" | "items" | "yaml";

export interface Field {
  readonly name: string;
  readonly kind: Kind;
  readonly schema: Schema;
  readonly description: string;
  readonly required: boolean;
  /** True when an expression may stand there. */
  readonly dynamic: boolean;
  readonly choices: readonly string[];
  readonly fallback?: string;
}

/** Texts that usually have several lines. */
const LONG = new Set(["description", "script", "message", "sql", "body", "content", "format", "commands", "prompt"]);
/** What the server maintains, and what nobody writes any more. */
const LEFT_OUT = new Set(["revision", "deleted", "tenantId", "updated"]);

/** A schema with its references followed, and the branch that fits a value. */
export function resolved(root: Schema, schema: unknown, value?: unknown): Schema {
  if (!isRecord(schema)) return {};
  const { $ref, ...own } = schema;
  if (typeof $ref === "string") return { ...resolved(root, target(root, $ref), value), ...own };
  const branch = branchOf(root, schema, value);
  const chosen = branch ? { ...schema, ...resolved(root, branch, value) } : schema;
  const type = typeSchema(schema);
  return type ? { ...chosen, properties: { ...(isRecord(chosen.properties) ? chosen.properties : {}), type } } : chosen;
}

/** What the type of a definition may be, whichever it is now. */
function typeSchema(schema: Schema): unknown {
  if (isRecord(schema.discriminator) && isRecord(schema.discriminator.mapping)) return { type: "string", enum: Object.keys(schema.discriminator.mapping) };
  return Array.isArray(schema.allOf) && isRecord(schema.properties) ? schema.properties.type : undefined;
}

/** The schema of a place in a document. */
export function schemaAt(root: Schema, path: Path, document: unknown): Schema {
  let schema = resolved(root, root, document);
  let value = document;
  for (const step of path) {
    value = isRecord(value) || Array.isArray(value) ? (value as Record<string | number, unknown>)[step] : undefined;
    schema = resolved(root, stepInto(schema, step), value);
  }
  return schema;
}

/** What explains a place of a document: the nearest schema around it that has properties, and the property the place is in. */
export function explainedAt(root: Schema, path: Path, document: unknown): { schema: Schema; path: Path; property?: string } {
  for (let length = path.length; length > 0; length -= 1) {
    const schema = schemaAt(root, path.slice(0, length), document);
    if (isRecord(schema.properties)) return { schema: describable(root, schema), path: path.slice(0, length), property: nameAt(path, length) };
  }
  return { schema: describable(root, schemaAt(root, [], document)), path: [], property: nameAt(path, 0) };
}

function nameAt(path: Path, at: number): string | undefined {
  const step = path[at];
  return typeof step === "string" ? step : undefined;
}

/** A schema whose properties say themselves what they are. */
function describable(root: Schema, schema: Schema): Schema {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const told = Object.entries(properties).map(([name, own]) => [name, isRecord(own) && typeof own.$ref === "string" ? { ...resolved(root, own), type: "object" } : own]);
  return { ...schema, properties: Object.fromEntries(told) as Record<string, unknown> };
}

/** The properties of a schema: those that must be there first. */
export function fieldsOf(root: Schema, schema: Schema): Field[] {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const required = new Set(Array.isArray(schema.required) ? (schema.required as unknown[]).map(String) : []);
  return Object.entries(properties)
    .filter(([name, own]) => !LEFT_OUT.has(name) && isRecord(own) && own.deprecated !== true && own.doNotSuggest !== true)
    .map(([name, own]) => fieldOf(root, name, own as Schema, required.has(name)))
    .sort((a, b) => rank(a) - rank(b));
}

function rank({ name, required }: Field): number {
  return name === "id" ? 0 : name === "type" ? 1 : required ? 2 : 3;
}

function fieldOf(root: Schema, name: string, own: Schema, required: boolean): Field {
  const schema = resolved(root, own);
  const choices = choicesOf(schema);
  const fallback = schema.default === undefined || schema.default === null ? undefined : typeof schema.default === "string" ? schema.default : JSON.stringify(schema.default);
  return { name, kind: kindOf(root, name, schema, choices), schema, description: typeof schema.description === "string" ? schema.description : "", required, dynamic: own.$dynamic === true, choices, fallback };
}

/** The types that something may have, or the offered values of a property; older names left out. */
export function choicesOf(schema: Schema): string[] {
  if (Array.isArray(schema.enum)) return schema.enum.map(String);
  const several = [schema.anyOf, schema.oneOf].find(Array.isArray) as unknown[] | undefined;
  const offered = (several ?? []).filter((one): one is Schema => isRecord(one) && one.deprecated !== true);
  return offered.flatMap((one) => (one.const !== undefined ? [String(one.const)] : Array.isArray(one.enum) ? one.enum.map(String) : []));
}

function kindOf(root: Schema, name: string, schema: Schema, choices: readonly string[]): Kind {
  if (choices.length > 0) return "choice";
  const types = typesOf(schema);
  if (types.has("array")) {
    const items = resolved(root, arrayOf(schema)?.items);
    if (isRecord(items.properties) || Array.isArray(items.oneOf)) return "items";
    return takesText(schema) ? (LONG.has(name) ? "lines" : "text") : "yaml";
  }
  if (isRecord(schema.properties) || Array.isArray(schema.oneOf)) return "map";
  if (isRecord(resolved(root, schema.additionalProperties).properties)) return "entries";
  if (types.has("object")) return "yaml";
  if (types.has("boolean") && !types.has("number")) return "boolean";
  if (types.has("integer") || types.has("number")) return schema.$dynamic === true ? "text" : "number";
  if (!types.has("string")) return "yaml";
  return LONG.has(name) ? "lines" : "text";
}

function typesOf(schema: Schema): Set<string> {
  const own = typeof schema.type === "string" ? [schema.type] : Array.isArray(schema.type) ? (schema.type as unknown[]).map(String) : [];
  const several = [schema.anyOf, schema.oneOf].find(Array.isArray) as unknown[] | undefined;
  return new Set([...own, ...(several ?? []).flatMap((one) => (isRecord(one) ? [...typesOf(one)] : []))]);
}

/** Whether a text may stand there for its own sake: an expression may stand in many places, as the last alternative. */
function takesText(schema: Schema): boolean {
  const several = [schema.anyOf, schema.oneOf].find(Array.isArray) as unknown[] | undefined;
  const own = schema.$dynamic === true ? several?.slice(0, -1) : several;
  return (own ?? []).some((one) => isRecord(one) && typesOf(one).has("string"));
}

function arrayOf(schema: Schema): Schema | undefined {
  if (schema.items !== undefined) return schema;
  const several = [schema.anyOf, schema.oneOf].find(Array.isArray) as unknown[] | undefined;
  return (several ?? []).filter(isRecord).find((one) => one.items !== undefined);
}

function stepInto(schema: Schema, step: string | number): unknown {
  if (typeof step === "number") return arrayOf(schema)?.items;
  if (isRecord(schema.properties) && step in schema.properties) return schema.properties[step];
  return schema.additionalProperties;
}

/** The branch that a value's type chooses: of `if` and `then`, or of a discriminator. */
function branchOf(root: Schema, schema: Schema, value: unknown): unknown {
  const type = isRecord(value) ? value.type : undefined;
  if (typeof type !== "string") return undefined;
  if (Array.isArray(schema.allOf)) {
    const found = (schema.allOf as unknown[]).filter(isRecord).find((one) => {
      const offered = isRecord(one.if) && isRecord(one.if.properties) ? one.if.properties.type : undefined;
      return isRecord(offered) && (offered.const === type || (Array.isArray(offered.enum) && offered.enum.includes(type)));
    });
    if (found) return found.then;
  }
  if (isRecord(schema.discriminator) && isRecord(schema.discriminator.mapping)) {
    const reference = schema.discriminator.mapping[type];
    return typeof reference === "string" ? target(root, reference) : undefined;
  }
  return undefined;
}

/** The branch of the first type that a discriminator knows. */
function branchOfAny(root: Schema, schema: Schema): Schema {
  const mapping = isRecord(schema.discriminator) && isRecord(schema.discriminator.mapping) ? schema.discriminator.mapping : {};
  const reference = Object.values(mapping)[0];
  return typeof reference === "string" ? resolved(root, target(root, reference)) : {};
}

function target(root: Schema, reference: string): unknown {
  const name = reference.replace(/^#\/definitions\//, "").replaceAll("~1", "/").replaceAll("~0", "~");
  return isRecord(root.definitions) ? root.definitions[name] : undefined;
}

/** A first value for one more item of a list: an id that is free, a type if there is a choice, and what must be there. */
export function newItem(root: Schema, schema: Schema, name: string, siblings: unknown): Record<string, unknown> {
  const taken = new Set((Array.isArray(siblings) ? siblings : []).map((one: unknown) => (isRecord(one) ? one.id : undefined)));
  const free = (at: number): string => (taken.has(`${name}_${at}`) ? free(at + 1) : `${name}_${at}`);
  const item = resolved(root, arrayOf(schema)?.items);
  const fields = fieldsOf(root, item);
  const required = fields.filter((field) => field.required && field.name !== "id" && field.name !== "type");
  const hasId = [item, branchOfAny(root, item)].some((one) => fieldsOf(root, one).some((field) => field.name === "id")) || (Array.isArray(item.required) && item.required.includes("id")) || Array.isArray(item.allOf);
  const type = fields.find((field) => field.name === "type");
  return {
    ...(hasId ? { id: free(1) } : {}),
    ...(type ? { type: type.choices[0] === "STRING" ? "STRING" : "" } : {}),
    ...Object.fromEntries(required.map((field) => [field.name, field.kind === "items" ? [] : field.kind === "boolean" ? false : ""])),
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

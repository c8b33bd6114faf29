/** What the source of a flow says while somebody writes it: read leniently, with the places it says it at. */
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from "yaml";
import type { Flow, Task } from "@/api/types";
import type { Path } from "./yamledit";

export interface Place {
  readonly path: Path;
  /** The type of what stands around the cursor: a task's, a trigger's. */
  readonly type?: string;
  /** The property of it that the cursor is in. */
  readonly property?: string;
}

/** The value of a source, or undefined while it is no YAML. */
export function valueOf(text: string): Record<string, unknown> | undefined {
  const document = parseDocument(text);
  if (document.errors.length > 0) return undefined;
  const value: unknown = document.toJS();
  return isRecord(value) ? value : undefined;
}

/** The flow that a source describes, as far as it can be drawn; undefined while it is no YAML. */
export function flowOf(text: string): Flow | undefined {
  const value = valueOf(text);
  if (!value) return undefined;
  const tasks = definitionsIn(value.tasks);
  const triggers = definitionsIn(value.triggers);
  return { ...value, id: asText(value.id), namespace: asText(value.namespace), tasks, triggers } as unknown as Flow;
}

/** Where in the structure an offset of the text lies. */
export function placeAt(text: string, offset: number): Place {
  const document = parseDocument(text);
  let place: Place = { path: [] };
  let node: unknown = document.contents;
  for (;;) {
    const step = isMap(node) ? pairAt(node.items, offset) : isSeq(node) ? itemAt(node.items as Node[], offset) : undefined;
    if (!step) return place;
    const path = [...place.path, step.name];
    const type = isMap(step.value) ? step.value.get("type") : undefined;
    const typed = typeof type === "string" && type.includes(".");
    place = typed ? { path, type } : { path, type: place.type, property: place.type && !place.property ? String(step.name) : place.property };
    node = step.value;
  }
}

interface Step {
  readonly name: string | number;
  readonly value: unknown;
}

function pairAt(items: readonly { key: unknown; value: unknown }[], offset: number): Step | undefined {
  const at = items.findLastIndex((pair) => ((pair.key as Node | null)?.range?.[0] ?? Infinity) <= offset);
  const pair = items[at];
  return pair && isScalar(pair.key) ? { name: String(pair.key.value), value: pair.value } : undefined;
}

function itemAt(items: readonly Node[], offset: number): Step | undefined {
  // The dash before an item counts to it.
  const at = items.findLastIndex((item) => (item.range?.[0] ?? Infinity) - 2 <= offset);
  return at < 0 ? undefined : { name: at, value: items[at] };
}

/** The line at which something stands, counted from 1. */
export function lineOf(text: string, path: Path): number | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const node = document.getIn([...path], true) as Node | undefined;
  return node?.range ? lines.linePos(node.range[0]).line : undefined;
}

/** The path of the task or trigger of an id, however deep it is nested. */
export function pathOfId(text: string, id: string): Path | undefined {
  return found(parseDocument(text), id);
}

/** The source of the task or trigger of an id, moved to the left margin, and the line it begins at. */
export function sourceOf(text: string, id: string): { readonly text: string; readonly line: number } | undefined {
  const path = pathOfId(text, id);
  const lines = new LineCounter();
  const node = path && (parseDocument(text, { lineCounter: lines }).getIn([...path], true) as Node | undefined);
  if (!node?.range) return undefined;
  const [start, end] = node.range;
  const { line, col } = lines.linePos(start);
  const rest = text.slice(start, end).trimEnd().split("\n").slice(1);
  const indent = " ".repeat(col - 1);
  const own = rest.map((one) => (one.startsWith(indent) ? one.slice(indent.length) : one.trimStart()));
  return { text: [text.slice(start, end).trimEnd().split("\n")[0], ...own].join("\n"), line };
}

function found(document: Document, id: string): Path | undefined {
  const search = (value: unknown, path: Path): Path | undefined => {
    if (Array.isArray(value)) return first(value.map((one, at) => () => search(one, [...path, at])));
    if (!isRecord(value)) return undefined;
    if (value.id === id && typeof value.type === "string" && path.length > 1) return path;
    return first(Object.entries(value).map(([key, one]) => () => search(one, [...path, key])));
  };
  return search(document.toJS(), []);
}

function first<T>(tries: (() => T | undefined)[]): T | undefined {
  for (const one of tries) {
    const result = one();
    if (result !== undefined) return result;
  }
  return undefined;
}

function definitionsIn(value: unknown): Task[] {
  return Array.isArray(value) ? value.filter((one): one is Task => isRecord(one) && typeof one.id === "string" && typeof one.type === "string") : [];
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

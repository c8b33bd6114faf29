/**
 * Changes of one place in a YAML text: everything else, comments and spacing too, stays as somebody wrote it.
 * A place is named by its path: keys of maps, numbers of lists.
 */
import { isMap, isScalar, isSeq, parseDocument, stringify, type Document, type Node, type Pair, type YAMLMap, type YAMLSeq } from "yaml";

export type Path = readonly (string | number)[];

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The order in which the properties of a flow are written. */
const ORDER = [
  "id", "namespace", "type", "description", "disabled", "labels", "inputs", "variables", "concurrency", "checks", "tasks", "errors", "finally", "afterExecution", "outputs", "triggers", "pluginDefaults",
];

/** The text with a value at a path; what is missing on the way there is made. */
export function withValue(text: string, path: Path, value: unknown): string {
  const last = path.at(-1);
  const parent = path.slice(0, -1);
  const document = parseDocument(text);
  const holder = nodeAt(document, parent);
  if (last === undefined) return stringified(value);
  if (isMap(holder) && !holder.flow) return holder.items.length > 0 ? withPair(text, holder, String(last), value) : withValue(text, parent, { [last]: value });
  if (isSeq(holder) && !holder.flow && typeof last === "number") {
    const item = holder.items[last] as Node | undefined;
    return item ? replaced(text, { start: startOf(item), end: trimmedEnd(text, item) }, indented(stringified(value), columnOf(text, startOf(item)))) : withItem(text, parent, value);
  }
  if (holder === undefined || isScalar(holder)) return withValue(text, parent, typeof last === "number" ? [value] : { [last]: value });
  // Braces and brackets are written anew as a whole.
  const whole: unknown = document.getIn(parent) && (document.getIn(parent, true) as Node).toJSON();
  return withValue(text, parent, Array.isArray(whole) ? whole.map((one: unknown, at) => (at === last ? value : one)) : { ...(whole as object), [last]: value });
}

/** The text with one more item at the end of a list. */
export function withItem(text: string, path: Path, item: unknown): string {
  const list = nodeAt(parseDocument(text), path);
  if (!isSeq(list) || list.flow || list.items.length === 0) {
    const before: unknown[] = isSeq(list) ? (list.toJSON() as unknown[]) : [];
    return withValue(text, path, [...before, item]);
  }
  const last = list.items.at(-1) as Node;
  const dash = dashBefore(text, startOf(last));
  const indent = columnOf(text, dash);
  const end = endOfLine(text, trimmedEnd(text, last));
  return replaced(text, { start: end, end }, `\n${" ".repeat(indent)}- ${indented(stringified(item), indent + 2)}`);
}

/** The text without what is at a path; a map or list that would be left empty goes too. */
export function without(text: string, path: Path): string {
  const last = path.at(-1);
  const parent = path.slice(0, -1);
  const document = parseDocument(text);
  const holder = nodeAt(document, parent);
  if (last === undefined || !(isMap(holder) || isSeq(holder)) || !document.hasIn(path)) return text;
  if (holder.items.length === 1) return typeof parent.at(-1) === "string" ? without(text, parent) : isMap(holder) && parent.length > 0 ? withValue(text, parent, {}) : text;
  if (holder.flow) {
    const whole = (holder as Node).toJSON() as unknown;
    const rest = Array.isArray(whole) ? whole.filter((_, at) => at !== last) : Object.fromEntries(Object.entries(whole as object).filter(([key]) => key !== String(last)));
    return withValue(text, parent, rest);
  }
  if (isSeq(holder)) return cut(text, itemSpan(text, holder, Number(last)));
  const at = holder.items.findIndex((pair) => keyOf(pair) === String(last));
  const pair = holder.items[at];
  if (!pair) return text;
  const start = startOf(pair.key as Node);
  const next = holder.items[at + 1];
  // The first property of a list's item stands behind the dash: the next one moves up to it.
  const behindDash = text.slice(lineStart(text, start), start).trim() !== "";
  if (behindDash && next) return cut(text, { start, end: startOf(next.key as Node) });
  return cut(text, { start: lineStart(text, start), end: pastLine(text, endOf(text, pair)) });
}

/** The text with an item of a list one place further up or down. */
export function withMoved(text: string, path: Path, step: 1 | -1): string {
  const at = Number(path.at(-1));
  const list = nodeAt(parseDocument(text), path.slice(0, -1));
  if (!isSeq(list) || list.flow) return text;
  const first = Math.min(at, at + step);
  if (first < 0 || first + 1 >= list.items.length) return text;
  const [one, other] = [itemSpan(text, list, first), itemSpan(text, list, first + 1)];
  const lines = (span: Span): string => `${text.slice(span.start, span.end).replace(/\n$/, "")}\n`;
  const end = text.slice(other.start, other.end).endsWith("\n") ? "" : "\n";
  const swapped = lines(other) + text.slice(one.end, other.start) + lines(one);
  return text.slice(0, one.start) + (end ? swapped.replace(/\n$/, "") : swapped) + text.slice(other.end);
}

/** The text with another name for what is at a path of a map; as it was when the name is taken. */
export function withName(text: string, path: Path, name: string): string {
  const map = nodeAt(parseDocument(text), path.slice(0, -1));
  if (!isMap(map) || map.items.some((pair) => keyOf(pair) === name)) return text;
  const key = map.items.find((pair) => keyOf(pair) === String(path.at(-1)))?.key as Node | undefined;
  return key?.range ? replaced(text, { start: startOf(key), end: key.range[1] }, stringified(name)) : text;
}

function withPair(text: string, map: YAMLMap, key: string, value: unknown): string {
  const indent = columnOf(text, startOf(map.items[0]?.key as Node));
  const at = map.items.findIndex((pair) => keyOf(pair) === key);
  const pair = map.items[at];
  const written = indented(stringified({ [key]: value }), indent);
  if (!pair) return inserted(text, map, key, written, indent);
  const span = { start: startOf(pair.key as Node), end: endOf(text, pair) };
  const comment = isScalar(pair.value) && !isBlock(pair.value) ? /^[ \t]+#.*/.exec(text.slice(span.end))?.[0] : undefined;
  if (!comment || !written.includes("\n")) return replaced(text, span, written);
  // Behind a text of several lines a comment would become a part of it: it goes above.
  return replaced(text, { start: span.start, end: span.end + comment.length }, `${comment.trim()}\n${" ".repeat(indent)}${written}`);
}

/** A new property, behind those that are usually written before it. */
function inserted(text: string, map: YAMLMap, key: string, written: string, indent: number): string {
  const rank = ORDER.indexOf(key);
  const later = rank < 0 ? -1 : map.items.findIndex((pair) => ORDER.indexOf(keyOf(pair)) > rank);
  const before = later === 0 ? undefined : map.items[(later < 0 ? map.items.length : later) - 1];
  if (!before) {
    const start = startOf(map.items[0]?.key as Node);
    return replaced(text, { start, end: start }, `${written}\n${" ".repeat(indent)}`);
  }
  const end = endOfLine(text, endOf(text, before));
  return replaced(text, { start: end, end }, `\n${" ".repeat(indent)}${written}`);
}

function nodeAt(document: Document, path: Path): Node | undefined {
  const found = path.length === 0 ? document.contents : (document.getIn([...path], true) as Node | null | undefined);
  return found ?? undefined;
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : "";
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function endOf(text: string, pair: Pair): number {
  const value = pair.value as Node | null;
  const key = pair.key as Node;
  const after = (key.range?.[1] ?? 0) + 1;
  return value?.range && value.range[1] > value.range[0] ? trimmedEnd(text, value) : Math.max(after, value?.range?.[1] ?? after);
}

/** Where a node ends, without the empty lines that follow it. */
function trimmedEnd(text: string, node: Node): number {
  const last = isMap(node) || isSeq(node) ? lastWithin(node) : undefined;
  if (last && !(node as YAMLMap | YAMLSeq).flow) return trimmedEnd(text, last);
  return startOf(node) + text.slice(startOf(node), node.range?.[1] ?? 0).trimEnd().length;
}

function lastWithin(node: YAMLMap | YAMLSeq): Node | undefined {
  const last = node.items.at(-1) as Pair | Node | undefined;
  if (!last) return undefined;
  if (!("key" in last)) return last;
  const value = last.value as Node | null;
  return value?.range && value.range[1] > value.range[0] ? value : (last.key as Node);
}

/** The lines of a list's item with the comments above it. */
function itemSpan(text: string, list: YAMLSeq, at: number): Span {
  const item = list.items[at] as Node;
  const before = list.items[at - 1] as Node | undefined;
  const dash = lineStart(text, dashBefore(text, startOf(item)));
  const from = before ? pastLine(text, trimmedEnd(text, before)) : commentsAbove(text, dash);
  const gap = /^(?:[ \t]*\n)*/.exec(text.slice(from, dash))?.[0].length ?? 0;
  return { start: from + gap, end: pastLine(text, trimmedEnd(text, item)) };
}

function commentsAbove(text: string, position: number): number {
  let from = position;
  while (from > 0 && text.slice(lineStart(text, from - 1), from).trimStart().startsWith("#")) from = lineStart(text, from - 1);
  return from;
}

function dashBefore(text: string, position: number): number {
  return text.lastIndexOf("-", position - 1);
}

function lineStart(text: string, position: number): number {
  return text.lastIndexOf("\n", position - 1) + 1;
}

function endOfLine(text: string, position: number): number {
  const end = text.indexOf("\n", position);
  return end < 0 ? text.length : end;
}

function pastLine(text: string, position: number): number {
  return Math.min(text.length, endOfLine(text, position) + 1);
}

function columnOf(text: string, position: number): number {
  return position - lineStart(text, position);
}

function isBlock(node: { type?: string | null }): boolean {
  return node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED";
}

function stringified(value: unknown): string {
  return stringify(value, { lineWidth: 0 }).replace(/\n$/, "");
}

/** A text whose further lines are indented too; empty ones stay empty. */
function indented(text: string, by: number): string {
  return text.replace(/\n(?=[^\n])/g, `\n${" ".repeat(by)}`);
}

function replaced(text: string, { start, end }: Span, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}

function cut(text: string, span: Span): string {
  return replaced(text, span, "");
}

/** Unsaved texts of flows by name: where the server and this browser keep them, and where they are gone on with (BEY-043). */
import type { RouteLocationRaw } from "vue-router";
import type { components } from "@/api/schema";
import { TENANT } from "@/api/types";

export type Draft = components["schemas"]["Draft"];

interface FlowName {
  readonly namespace: string;
  readonly id: string;
}

/** What a draft is of: a flow, or one that does not exist yet and what it began with. */
export type Subject = { readonly flow: FlowName } | { readonly origin: string };

const NEW = `${TENANT}:new:`;

/** The name under which the server keeps it. */
export function draftName(subject: Subject): string {
  return "flow" in subject ? `${TENANT}:${subject.flow.namespace}:${subject.flow.id}` : `${NEW}${encodeURIComponent(subject.origin)}`;
}

/** The name under which this browser keeps it. */
export function draftSlot(subject: Subject): string {
  const own = "flow" in subject ? `${subject.flow.namespace}/${subject.flow.id}` : ["new", subject.origin].filter(Boolean).join(".");
  return `penstock.draft.${own}`;
}

/** What a draft of the server is of; a flow's own always began with one of its revisions. */
export function subjectOf({ name, revision }: Pick<Draft, "name" | "revision">): Subject {
  if (revision === null && name.startsWith(NEW)) return { origin: decodeURIComponent(name.slice(NEW.length)) };
  const [, namespace = "", id = ""] = name.split(":");
  return { flow: { namespace, id } };
}

/** The id that a text gives its flow. */
export function writtenId(source: string): string | undefined {
  return /^id: *["']?([\w.-]+)/m.exec(source)?.[1];
}

/** Where a draft is gone on with; one whose flow was deleted becomes a new flow. */
export function placeOfDraft(draft: Draft, isGone: boolean): RouteLocationRaw {
  const subject = subjectOf(draft);
  if ("flow" in subject) {
    if (isGone) return { name: "flow-new", query: { draft: draft.name } };
    return { name: "flow", params: { namespace: subject.flow.namespace, id: subject.flow.id, tab: "edit" } };
  }
  const own = /^own\.([^{]+)\.(\{.*)$/.exec(subject.origin);
  if (own) return { name: "flow-new", query: { own: own[1] }, state: { answers: own[2] } };
  return { name: "flow-new", query: subject.origin ? { blueprint: subject.origin } : {} };
}

/** What the search of everything found, as choices that lead somewhere. */
import type { RouteLocationRaw } from "vue-router";
import type { Execution, StateType } from "@/api/types";
import type { IconName } from "@/components/icons";
import { searched, type DocPlace, type DocSection } from "./docs";
import type { TypeGroup } from "./plugins";

export interface Found {
  readonly flows: readonly Named[];
  readonly executions: readonly Pick<Execution, "id" | "namespace" | "flowId" | "state">[];
  readonly namespaces?: readonly { readonly id: string }[];
  readonly triggers?: readonly { readonly namespace: string; readonly flowId: string; readonly triggerId: string }[];
  readonly pairs?: readonly { readonly namespace: string; readonly key: string }[];
  readonly dashboards?: readonly { readonly id: string; readonly title: string }[];
  readonly blueprints?: readonly { readonly id: string; readonly title: string; readonly description?: string | null }[];
}

interface Named {
  readonly namespace: string;
  readonly id: string;
}

export interface Choice {
  readonly key: string;
  readonly text: string;
  readonly note?: string;
  readonly icon: IconName;
  readonly state?: StateType;
  /** The page it leads to, or the place in the documentation. */
  readonly to: RouteLocationRaw | { readonly doc: DocPlace };
}

/** The kinds in the order in which they are offered. */
export const FOUND_KINDS = ["flows", "executions", "namespaces", "triggers", "pairs", "dashboards", "blueprints"] as const;
export type FoundKind = (typeof FOUND_KINDS)[number];

/** The choices of each kind. */
export function choicesOf(found: Found): Record<FoundKind, Choice[]> {
  return {
    flows: found.flows.map(({ namespace, id }) => ({ key: `flow ${namespace}/${id}`, text: id, note: namespace, icon: "flow", to: { name: "flow", params: { namespace, id } } })),
    executions: found.executions.map(({ id, namespace, flowId, state }) => ({
      key: `execution ${id}`, text: flowId, note: id, icon: "play", state: state.current, to: { name: "execution", params: { namespace, flowId, id } },
    })),
    namespaces: (found.namespaces ?? []).map(({ id }) => ({ key: `namespace ${id}`, text: id, icon: "folder", to: { name: "namespace", params: { namespace: id } } })),
    triggers: (found.triggers ?? []).map(({ namespace, flowId, triggerId }) => ({
      key: `trigger ${namespace}/${flowId}/${triggerId}`, text: triggerId, note: `${namespace} / ${flowId}`, icon: "trigger", to: { name: "flow", params: { namespace, id: flowId, tab: "triggers" } },
    })),
    pairs: (found.pairs ?? []).map(({ namespace, key }) => ({ key: `pair ${namespace}/${key}`, text: key, note: namespace, icon: "key", to: { name: "namespace", params: { namespace, tab: "kv" } } })),
    dashboards: (found.dashboards ?? []).map(({ id, title }) => ({ key: `dashboard ${id}`, text: title, note: id, icon: "chart", to: { name: "dashboards", params: { id } } })),
    blueprints: (found.blueprints ?? []).map(({ id, title, description }) => ({ key: `blueprint ${id}`, text: title, note: description ?? undefined, icon: "blueprint", to: { name: "blueprint", params: { id } } })),
  };
}

/** Types that fit, those whose name begins with what is typed first. */
export function typeChoices(groups: readonly TypeGroup[], text: string, most: number): Choice[] {
  const wanted = text.toLowerCase();
  const all = groups.flatMap(({ entries }) => entries);
  const begins = all.filter(({ name }) => name.toLowerCase().startsWith(wanted));
  return [...begins, ...all.filter((one) => !begins.includes(one))].slice(0, most).map(({ cls, name }) => ({ key: `type ${cls}`, text: name, note: cls, icon: "plugin", to: { name: "plugin", params: { cls } } }));
}

/** Sections of the documentation with all the words. */
export function docChoices(sections: readonly DocSection[], text: string, most: number): Choice[] {
  return searched(sections, text).slice(0, most).map(({ page, title, anchor }) => ({
    key: `doc ${page.path}#${anchor}`, text: title, note: title === page.title ? undefined : page.title, icon: "book", to: { doc: { path: page.path, anchor } },
  }));
}

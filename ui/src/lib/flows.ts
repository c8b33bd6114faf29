/** The list of flows: its columns, and how a row is named. */

export type FlowColumn = "flow" | "namespace" | "last" | "started" | "runs" | "triggers" | "labels";

/** Columns in their order; those with a field can be sorted by the server. */
export const FLOW_COLUMNS: readonly { readonly key: FlowColumn; readonly field?: string }[] = [
  { key: "flow", field: "id" }, { key: "namespace", field: "namespace" }, { key: "last" }, { key: "started" }, { key: "runs" }, { key: "triggers" }, { key: "labels" },
];

interface Named {
  readonly namespace: string;
  readonly id: string;
}

/** A flow's name among all flows. */
export function flowKeyOf({ namespace, id }: Named): string {
  return `${namespace}/${id}`;
}

/** The parts of such a name; neither holds a slash. */
export function partsOf(key: string): Named {
  const cut = key.indexOf("/");
  return { namespace: key.slice(0, cut), id: key.slice(cut + 1) };
}

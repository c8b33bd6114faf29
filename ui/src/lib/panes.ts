/** The panes of an editor: one, or a few beside each other in the order in which the reader put them. */

/** Those of the editor of flows. */
export const PANES = ["source", "form", "topology", "documentation", "files", "context", "blueprints", "playground"] as const;
export type Pane = (typeof PANES)[number];
/** Those of the editor of dashboards. */
export const DASHBOARD_PANES = ["source", "form", "preview", "documentation", "blueprints"] as const;
export type DashboardPane = (typeof DASHBOARD_PANES)[number];

/** More than these have no room beside each other. */
const MOST = 3;

/** The panes that an address names, in its order; undefined when it names none. */
export function panesOf<P extends string>(all: readonly P[], text: unknown): readonly P[] | undefined {
  const named = typeof text === "string" ? [...new Set(text.split(","))].filter((one): one is P => (all as readonly string[]).includes(one)) : [];
  return named.length > 0 ? named.slice(0, MOST) : undefined;
}

/** A pane opened at the end, or closed. One too many takes the place of the last that is not the source; one is always open. */
export function toggled<P extends string>(shown: readonly P[], pane: P): readonly P[] {
  if (shown.includes(pane)) return shown.length > 1 ? shown.filter((one) => one !== pane) : shown;
  if (shown.length < MOST) return [...shown, pane];
  const given = shown.findLast((one) => one !== "source");
  return shown.map((one) => (one === given ? pane : one));
}

/** A pane moved one place to the left or to the right. */
export function moved<P extends string>(shown: readonly P[], pane: P, step: 1 | -1): readonly P[] {
  const at = shown.indexOf(pane);
  const other = shown[at + step];
  if (other === undefined) return shown;
  return shown.map((one) => (one === pane ? other : one === other ? pane : one));
}

/** The panes of the flow editor: one, or two beside each other. */
export const PANES = ["source", "form", "topology", "documentation", "blueprints", "playground"] as const;
export type Pane = (typeof PANES)[number];

/** Beside the text, the picture of it. */
const FIRST: readonly Pane[] = ["source", "topology"];

/** The panes that an address names. */
export function panesOf(text: unknown): readonly Pane[] {
  const named = typeof text === "string" ? PANES.filter((pane) => text.split(",").includes(pane)) : [];
  return named.length > 0 ? named.slice(0, 2) : FIRST;
}

/** A pane opened or closed; a third takes the place of the one that is not the source. One is always open. */
export function toggled(shown: readonly Pane[], pane: Pane): readonly Pane[] {
  if (shown.includes(pane)) return shown.length > 1 ? shown.filter((one) => one !== pane) : shown;
  const kept = shown.length < 2 ? shown : shown.includes("source") ? (["source"] as const) : shown.slice(-1);
  return PANES.filter((one) => one === pane || kept.includes(one));
}

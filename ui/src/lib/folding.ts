/** Groups of very many nodes, drawn as one node until they are opened; and where in a large graph one looks first. */
import type { StateType } from "@/api/types";
import type { Box } from "./layout";
import type { Graph, GraphNode, NodeState } from "./topology";

/** A group of more nodes is folded at first. */
const MANY = 24;

export interface FoldedGraph {
  readonly graph: Graph;
  /** The large groups, each with all that lies in it; whether it is drawn is for the reader to choose. */
  readonly large: ReadonlyMap<string, readonly GraphNode[]>;
}

/** The graph without what lies in large groups that have not been opened. */
export function foldLarge(graph: Graph, opened: ReadonlySet<string>): FoldedGraph {
  const children = new Map<string, GraphNode[]>();
  for (const node of graph.nodes) if (node.parent !== undefined) children.set(node.parent, [...(children.get(node.parent) ?? []), node]);
  const within = (id: string): GraphNode[] => (children.get(id) ?? []).flatMap((node) => [node, ...within(node.id)]);
  const large = new Map([...children].filter(([, nodes]) => nodes.length > MANY).map(([id]) => [id, within(id)]));
  const hidden = new Set([...large].filter(([id]) => !opened.has(id)).flatMap(([, nodes]) => nodes.map((node) => node.id)));
  if (hidden.size === 0) return { graph, large };
  return { graph: { nodes: graph.nodes.filter((node) => !hidden.has(node.id)), edges: graph.edges.filter((edge) => !hidden.has(edge.from) && !hidden.has(edge.to)) }, large };
}

/** How many nodes, or runs of them, are in each state; those that have not begun are left out. */
export function statesWithin(nodes: readonly GraphNode[], states: ReadonlyMap<string, NodeState> | undefined): { state: StateType; count: number }[] {
  const counts = new Map<StateType, number>();
  for (const { id } of nodes) for (const { state, count } of states?.get(id)?.states ?? []) counts.set(state, (counts.get(state) ?? 0) + count);
  return [...counts].map(([state, count]) => ({ state, count }));
}

const URGENT: readonly StateType[] = ["FAILED", "KILLED", "PAUSED", "BREAKPOINT", "RETRYING", "RUNNING"];

/** What a reader wants to see first of a graph that is too large to be read as a whole: what failed or goes on, else its beginning. */
export function focusOf(graph: Graph, selected: string | undefined, states: ReadonlyMap<string, NodeState> | undefined): string | undefined {
  if (selected !== undefined && graph.nodes.some((node) => node.id === selected)) return selected;
  const groups = new Set(graph.nodes.map((node) => node.parent));
  const leaves = graph.nodes.filter((node) => !groups.has(node.id));
  for (const wanted of URGENT) {
    const found = leaves.find((node) => states?.get(node.id)?.state === wanted);
    if (found) return found.id;
  }
  return graph.nodes.find((node) => node.kind !== "trigger")?.id ?? graph.nodes[0]?.id;
}

/** Where a node lies, counted from the graph's own corner. */
export function placeOf(id: string, graph: Graph, places: ReadonlyMap<string, Box>): Box | undefined {
  const box = places.get(id);
  if (!box) return undefined;
  let { x, y } = box;
  const parentOf = (child: string) => graph.nodes.find((node) => node.id === child)?.parent;
  for (let at = parentOf(id); at !== undefined; at = parentOf(at)) {
    x += places.get(at)?.x ?? 0;
    y += places.get(at)?.y ?? 0;
  }
  return { ...box, x, y };
}

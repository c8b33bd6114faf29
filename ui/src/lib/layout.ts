/** Where the nodes of a graph lie: reckoned by ELK, groups around what they hold. */
import type { ELK as Engine, ElkNode } from "elkjs/lib/elk-api.js";
import type { Graph, GraphNode } from "./topology";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const GROUP_HEAD = 52;
const SIZES = { task: [196, 52], trigger: [196, 52], part: [120, 28], group: [196, GROUP_HEAD] } as const;
const LAYERED = {
  "elk.algorithm": "layered", "elk.direction": "DOWN", "elk.layered.spacing.nodeNodeBetweenLayers": "36", "elk.spacing.nodeNode": "24",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
};
// What is not linked, such as the branches of a Parallel, lies side by side.
const WITHIN_GROUP = { ...LAYERED, "elk.aspectRatio": "8", "elk.padding": `[top=${GROUP_HEAD + 12},left=16,bottom=16,right=16]` };

/** The place of each node by its id; places inside a group count from the group's corner. */
export async function layOut(graph: Graph, engine?: Pick<Engine, "layout">): Promise<Map<string, Box>> {
  const { layout } = engine ? { layout: engine.layout.bind(engine) } : await import("./layoutEngine");
  const laid = await layout({ id: "root", layoutOptions: LAYERED, ...within(graph, undefined) });
  return new Map(boxes(laid));
}

/** What lies directly in a group, or at the top: no edge leads out of the group it begins in. */
function within(graph: Graph, parent: string | undefined): Required<Pick<ElkNode, "children" | "edges">> {
  const own = graph.nodes.filter((node) => node.parent === parent);
  const ids = new Set(own.map((node) => node.id));
  const edges = graph.edges.filter((edge) => ids.has(edge.from)).map((edge) => ({ id: edge.id, sources: [edge.from], targets: [edge.to] }));
  return { children: own.map((node) => elkNode(graph, node)), edges };
}

function elkNode(graph: Graph, node: GraphNode): ElkNode {
  const [width, height] = SIZES[node.kind];
  const inner = within(graph, node.id);
  return inner.children.length > 0 ? { id: node.id, ...inner, layoutOptions: WITHIN_GROUP } : { id: node.id, width, height };
}

function boxes(node: ElkNode): [string, Box][] {
  return (node.children ?? []).flatMap((child) => [
    [child.id, { x: child.x ?? 0, y: child.y ?? 0, width: child.width ?? 0, height: child.height ?? 0 }] as [string, Box], ...boxes(child),
  ]);
}

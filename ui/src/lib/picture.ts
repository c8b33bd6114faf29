/** A laid out graph as a picture of its own: drawn as SVG, saved as PNG (UI-073). */
import { getSmoothStepPath, Position } from "@vue-flow/core";
import type { Box } from "./layout";
import { tone } from "./states";
import type { Graph, GraphNode, NodeState } from "./topology";

const MARGIN = 24;
/** Sharp on screens of twice the density. */
const SCALE = 2;
const FONT = "Inter, system-ui, sans-serif";

/** The SVG of a graph; a colour is the value of one of the page's colour tokens. */
export function pictureOf(graph: Graph, places: ReadonlyMap<string, Box>, states?: ReadonlyMap<string, NodeState>, colour: (token: string) => string = tokenColour): string {
  const boxes = absolute(graph, places);
  const groups = new Set(graph.nodes.map((node) => node.parent));
  const width = Math.max(0, ...[...boxes.values()].map((box) => box.x + box.width)) + 2 * MARGIN;
  const height = Math.max(0, ...[...boxes.values()].map((box) => box.y + box.height)) + 2 * MARGIN;
  const edges = graph.edges.flatMap(({ from, to }) => {
    const [above, below] = [boxes.get(from), boxes.get(to)];
    return above && below ? [`<path d="${line(above, below)}" fill="none" stroke="${colour("line-strong")}" stroke-width="1.5"/>`] : [];
  });
  const nodes = graph.nodes.flatMap((node) => {
    const box = boxes.get(node.id);
    if (!box) return [];
    const state = states?.get(node.id)?.state;
    return [shape(node, box, groups.has(node.id), state ? colour(tone(state)) : colour("line-strong"), colour)];
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${-MARGIN} ${-MARGIN} ${width} ${height}" font-family="${FONT}">
<rect x="${-MARGIN}" y="${-MARGIN}" width="${width}" height="${height}" fill="${colour("surface-0")}"/>${nodes.join("")}${edges.join("")}</svg>`;
}

/** Draws an SVG and has the browser save it as a PNG. */
export async function savePicture(svg: string, name: string): Promise<void> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width * SCALE;
  canvas.height = image.height * SCALE;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  const link = document.createElement("a");
  link.href = canvas.toDataURL("image/png");
  link.download = name;
  link.click();
}

/** Places that count from the corner of the picture; parents come before what they hold. */
function absolute(graph: Graph, places: ReadonlyMap<string, Box>): Map<string, Box> {
  const boxes = new Map<string, Box>();
  for (const { id, parent } of graph.nodes) {
    const box = places.get(id);
    const outer = parent === undefined ? undefined : boxes.get(parent);
    if (box) boxes.set(id, { ...box, x: box.x + (outer?.x ?? 0), y: box.y + (outer?.y ?? 0) });
  }
  return boxes;
}

function line(above: Box, below: Box): string {
  return getSmoothStepPath({
    sourceX: above.x + above.width / 2, sourceY: above.y + above.height, sourcePosition: Position.Bottom,
    targetX: below.x + below.width / 2, targetY: below.y, targetPosition: Position.Top,
  })[0];
}

function shape(node: GraphNode, { x, y, width, height }: Box, isGroup: boolean, border: string, colour: (token: string) => string): string {
  const part = node.kind === "part" && !isGroup;
  const dashes = isGroup ? ' stroke-dasharray="4 3"' : "";
  const box = `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${part ? 14 : 10}" fill="${colour(isGroup || part ? "surface-2" : "surface-1")}" stroke="${part ? "none" : border}"${dashes}/>`;
  const fit = Math.floor((width - 24) / 7);
  if (part) return `${box}<text x="${x + width / 2}" y="${y + height / 2 + 4}" text-anchor="middle" font-size="12" fill="${colour("ink-2")}">${clipped(node.label, fit)}</text>`;
  const label = `<text x="${x + 12}" y="${y + 22}" font-size="13" font-weight="600" fill="${colour("ink-1")}">${clipped(node.label, fit)}</text>`;
  return `${box}${label}<text x="${x + 12}" y="${y + 38}" font-size="11" fill="${colour("ink-3")}">${clipped(node.type, fit)}</text>`;
}

function clipped(text: string, most: number): string {
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return cut.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function tokenColour(token: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

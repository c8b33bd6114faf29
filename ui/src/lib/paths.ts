/** Paths of namespace files, and the tabs they are open in. A path begins with a slash; the root is "". */

export function nameOf(path: string): string {
  return path.split("/").at(-1) ?? path;
}

/** The own name of the file behind a URI of internal storage, in which blanks and the like are escaped. */
export function fileNameOf(uri: string): string {
  try {
    return decodeURIComponent(nameOf(uri));
  } catch {
    return nameOf(uri);
  }
}

/** The folder something lies in. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The folders above a path, outermost first. */
export function foldersAbove(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, at) => `/${parts.slice(0, at + 1).join("/")}`);
}

/** A path as somebody typed it, within the root; empty when nothing is named. */
export function cleanPath(text: string): string {
  const parts = text.trim().split("/").filter((part) => part !== "" && part !== ".");
  return parts.length === 0 || parts.includes("..") ? "" : `/${parts.join("/")}`;
}

/** True when a path is the other one or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** Where a path is once something was moved. */
export function afterMove(path: string, from: string, to: string): string {
  return isWithin(path, from) ? to + path.slice(from.length) : path;
}

/** The folder in which flows are shown beside the files (ENG-013). */
export const FLOWS_FOLDER = "/_flows";

/** The id of the flow that a path shows, or undefined. */
export function flowAt(path: string): string | undefined {
  return parentOf(path) === FLOWS_FOLDER ? nameOf(path).replace(/\.ya?ml$/, "") : undefined;
}

export function pathOfFlow(id: string): string {
  return `${FLOWS_FOLDER}/${id}.yml`;
}

export interface Tabs {
  readonly open: readonly string[];
  readonly active: string;
}

/** The tabs with a path in front; it is added behind the one that was in front. */
export function withTab({ open, active }: Tabs, path: string): Tabs {
  if (open.includes(path)) return { open, active: path };
  const at = open.indexOf(active) + 1;
  return { open: [...open.slice(0, at), path, ...open.slice(at)], active: path };
}

/** The tabs without a path and without what lies in it; the neighbour comes in front. */
export function withoutTab({ open, active }: Tabs, path: string): Tabs {
  const left = open.filter((one) => !isWithin(one, path));
  if (left.includes(active)) return { open: left, active };
  const before = open.slice(0, open.indexOf(active)).reverse().find((one) => left.includes(one));
  return { open: left, active: before ?? left[0] ?? "" };
}

/** The tabs once something was moved. */
export function movedTabs({ open, active }: Tabs, from: string, to: string): Tabs {
  return { open: open.map((one) => afterMove(one, from, to)), active: afterMove(active, from, to) };
}

/** What somebody wants to do with a file or folder. */
export interface FileWish {
  readonly kind: "file" | "folder" | "upload" | "move" | "delete";
  readonly path: string;
}

/** The kind of data a dragged file or folder of the tree is. */
export const PATH_TYPE = "application/x-penstock-path";

/** The pages of the documentation: what they are about, their sections, their links and what is found in them (UI-011). */

export interface DocPage {
  /** Where it is in `docs/`, without its ending: `guides/executions`. */
  readonly path: string;
  readonly title: string;
  readonly text: string;
  /** The areas of the interface it is about, each with the section that is meant. */
  readonly areas: Readonly<Record<string, string>>;
}

export interface DocSection {
  readonly page: DocPage;
  readonly title: string;
  readonly anchor: string;
  readonly text: string;
}

/** A place in the documentation. */
export interface DocPlace {
  readonly path: string;
  readonly anchor: string;
}

/** What the address of a place within the documentation begins with, where a page shows it. */
export const DOC_LINK = "#docs/";
const FRONT_MATTER = /^---\n([\s\S]*?)\n---\n/;
const NOTE = /^!!! (\w+)(?: "([^"]*)")?\n((?:\n| {4}[^\n]*\n?)+)/gm;

/** A page as it is written; `docId` in its front matter names areas, such as `[settings#settings, executions]`. */
export function pageOf(path: string, source: string): DocPage {
  const front = FRONT_MATTER.exec(source)?.[1] ?? "";
  const text = source.replace(FRONT_MATTER, "").trim();
  const ids = /^docId: *\[?([^\]\n]*)\]?$/m.exec(front)?.[1] ?? "";
  const areas = ids.split(",").map((id) => id.trim().split("#")).filter(([id]) => id);
  return { path, title: /^# (.*)$/m.exec(text)?.[1] ?? path, text, areas: Object.fromEntries(areas.map(([id, anchor]) => [id, anchor ?? ""])) };
}

/** The place that is about an area. */
export function placeOf(pages: readonly DocPage[], area: string): DocPlace | undefined {
  const page = pages.find(({ areas }) => area in areas);
  return page && { path: page.path, anchor: page.areas[area] ?? "" };
}

/** A page in sections, each with its title; what stands in a code block is no title. */
export function sectionsOf(page: DocPage): DocSection[] {
  const sections: { title: string; lines: string[] }[] = [];
  let isCode = false;
  for (const line of page.text.split("\n")) {
    if (/^ *```/.test(line)) isCode = !isCode;
    const title = isCode ? undefined : /^#{1,4} (.*)$/.exec(line)?.[1];
    if (title !== undefined || sections.length === 0) sections.push({ title: title ?? page.title, lines: [] });
    if (title === undefined) sections.at(-1)?.lines.push(line);
  }
  return sections.map(({ title, lines }, at) => ({ page, title: plain(title), anchor: at === 0 ? "" : anchorOf(title), text: plain(lines.join(" ")) }));
}

/** The sections with all the words, those first that have them in their titles. */
export function searched(sections: readonly DocSection[], wanted: string): DocSection[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const weight = ({ title, page }: DocSection) => words.filter((word) => title.toLowerCase().includes(word)).length * 2 + words.filter((word) => page.title.toLowerCase().includes(word)).length;
  return sections
    .filter(({ title, text, page }) => words.every((word) => `${page.title}\n${title}\n${text}`.toLowerCase().includes(word)))
    .sort((one, other) => weight(other) - weight(one));
}

/** Some of a section's text around the first of the words. */
export function excerptOf({ text }: DocSection, wanted: string): string {
  const word = wanted.toLowerCase().split(/\s+/).find((one) => one && text.toLowerCase().includes(one));
  const at = word ? text.toLowerCase().indexOf(word) : 0;
  const from = at < 60 ? 0 : text.indexOf(" ", at - 50) + 1;
  return `${from > 0 ? "… " : ""}${text.slice(from, from + 140).trimEnd()}${from + 140 < text.length ? " …" : ""}`;
}

/** The Markdown of a page with links that lead to pages of `known` or within the page; those elsewhere in the repository are words. */
export function linked(page: DocPage, known: ReadonlySet<string>): string {
  return page.text.replace(NOTE, asQuote).replace(/\[([^\]]*)\]\((?![a-z]+:)([^)#\s]*)(#[^)\s]*)?\)/g, (_, words: string, file: string, anchor = "") => {
    const path = file ? resolved(page.path, file) : page.path;
    return known.has(path) ? `[${words}](${DOC_LINK}${path}${anchor})` : words;
  });
}

/** Where such a link leads. */
export function placeIn(href: string): DocPlace | undefined {
  if (!href.startsWith(DOC_LINK)) return undefined;
  const [path = "", anchor = ""] = href.slice(DOC_LINK.length).split("#");
  return { path, anchor };
}

/** How a title is named in addresses. */
export function anchorOf(title: string): string {
  return plain(title).toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/[\s-]+/g, "-");
}

/** A remark set apart, as a quotation that begins with what it is. */
function asQuote(_: string, kind: string, title: string | undefined, body: string): string {
  const words = title ?? `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
  return [`**${words}**`, "", ...body.trimEnd().split("\n").map((line) => line.trim())].map((line) => `> ${line}`).join("\n") + "\n\n";
}

function resolved(from: string, file: string): string {
  return new URL(file.replace(/\.md$/, ""), `https://docs/${from}`).pathname.slice(1);
}

/** Words without the signs of Markdown. */
function plain(text: string): string {
  return text.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*|]|^#+ /gm, "").replace(/\s+/g, " ").trim();
}

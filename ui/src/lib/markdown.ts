/** Markdown as elements. What the text writes as HTML stays text: nothing of it reaches the page as markup. */
import { lexer, type Token, type Tokens } from "marked";
import { h, type VNodeChild } from "vue";

/** The elements of a Markdown text. */
export function elementsOf(text: string): VNodeChild[] {
  return lexer(text).map(block);
}

function block(token: Token): VNodeChild {
  switch (token.type) {
    case "heading":
      // The page has titles of its own above these.
      return h(`h${Math.min(6, (token as Tokens.Heading).depth + 2)}`, children(token));
    case "paragraph":
      return h("p", children(token));
    case "blockquote":
      return h("blockquote", (token as Tokens.Blockquote).tokens.map(block));
    case "list":
      return list(token as Tokens.List);
    case "table":
      return table(token as Tokens.Table);
    case "code":
      return h("pre", { class: "mono", tabindex: 0 }, (token as Tokens.Code).text);
    case "hr":
      return h("hr");
    case "space":
      return undefined;
    default:
      return inline(token);
  }
}

function inline(token: Token): VNodeChild {
  switch (token.type) {
    case "strong":
    case "em":
    case "del":
      return h(token.type, children(token));
    case "codespan":
      return h("code", { class: "mono" }, unescaped((token as Tokens.Codespan).text));
    case "br":
      return h("br");
    case "link":
      return link(token as Tokens.Link);
    case "image":
      return linkTo((token as Tokens.Image).href, [(token as Tokens.Image).text || (token as Tokens.Image).href]);
    case "checkbox":
      return h("input", { type: "checkbox", checked: (token as Tokens.Checkbox).checked, disabled: true });
    case "text":
      return "tokens" in token && token.tokens ? children(token) : unescaped((token as Tokens.Text).text);
    default:
      return "text" in token && typeof token.text === "string" ? unescaped(token.text) : token.raw;
  }
}

function children(token: Token): VNodeChild[] {
  return ("tokens" in token ? (token.tokens ?? []) : []).map(inline);
}

function list({ ordered, start, items }: Tokens.List): VNodeChild {
  return h(ordered ? "ol" : "ul", ordered && typeof start === "number" && start !== 1 ? { start } : {}, items.map((item) => h("li", item.tokens.map(block))));
}

function table({ header, rows, align }: Tokens.Table): VNodeChild {
  const cells = (name: "th" | "td", row: readonly Tokens.TableCell[]) =>
    row.map((cell, at) => h(name, { class: align[at] === "right" ? "end" : undefined }, cell.tokens.map(inline)));
  return h("div", { class: "scroll-x" }, h("table", [h("thead", h("tr", cells("th", header))), h("tbody", rows.map((row) => h("tr", cells("td", row))))]));
}

function link(token: Tokens.Link): VNodeChild {
  return linkTo(token.href, children(token));
}

/** A link only to where a browser may be sent; no picture is fetched, since no request leaves the instance. */
function linkTo(href: string, words: VNodeChild[]): VNodeChild {
  return /^(https?:|mailto:|\/|#|\.)/i.test(href) ? h("a", { href, rel: "noopener noreferrer", target: "_blank" }, words) : h("span", words);
}

const ENTITIES: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity);
}

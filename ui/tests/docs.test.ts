import { describe, expect, it } from "vitest";
import { anchorOf, excerptOf, linked, pageOf, placeIn, placeOf, searched, sectionsOf } from "@/lib/docs";
import { PAGES } from "@/lib/docPages";
import { SECTIONS } from "@/router";

const SOURCE = "---\ndocId: [runs, why#why-it-waits]\n---\n\n# Runs\n\nWhat runs.\n\n## Why it waits\n\nFor `slots`, see [limits](../reference/limits.md#slots), [below](#more) and [code](../../src/x.py).\n\n```bash\n# no title\n```\n\n### More\n\nThe end.\n";
const page = pageOf("guides/runs", SOURCE);

describe("a page of the documentation", () => {
  it("says which areas it is about, and which of its sections", () => {
    expect(page.title).toBe("Runs");
    expect(placeOf([page], "why")).toEqual({ path: "guides/runs", anchor: "why-it-waits" });
    expect(placeOf([page], "runs")).toEqual({ path: "guides/runs", anchor: "" });
    expect(placeOf([page], "elsewhere")).toBeUndefined();
  });

  it("has sections, whose titles are not those of code", () => {
    expect(sectionsOf(page).map(({ title, anchor }) => [title, anchor])).toEqual([["Runs", ""], ["Why it waits", "why-it-waits"], ["More", "more"]]);
  });

  it("links to pages that are there, and within itself", () => {
    const text = linked(page, new Set(["guides/runs", "reference/limits"]));
    expect(text).toContain("[limits](#docs/reference/limits#slots)");
    expect(text).toContain("[below](#docs/guides/runs#more) and code.");
    expect(placeIn("#docs/reference/limits#slots")).toEqual({ path: "reference/limits", anchor: "slots" });
    expect(placeIn("https://example.com")).toBeUndefined();
  });

  it("sets remarks apart", () => {
    expect(linked(pageOf("x", "# X\n\n!!! warning\n    Mind\n    the gap.\n\nOn.\n"), new Set())).toBe("# X\n\n> **Warning**\n> \n> Mind\n> the gap.\n\nOn.");
  });

  it("is found by all the words that are looked for, by titles first", () => {
    const found = searched(sectionsOf(page), "waits");
    expect(found.map(({ title }) => title)).toEqual(["Why it waits"]);
    expect(searched(sectionsOf(page), "runs end")[0]?.title).toBe("More");
    expect(searched(sectionsOf(page), "")).toEqual([]);
    expect(found.map((one) => excerptOf(one, "slots"))[0]).toContain("For slots, see limits");
  });
});

describe("the documentation that comes with the interface", () => {
  it.each([...SECTIONS, "flow-editor", "start"])("has a page about %s, and the section it names", (area) => {
    const place = placeOf(PAGES, area);
    const about = PAGES.filter(({ path }) => path === place?.path);
    expect(about.flatMap(sectionsOf).map(({ anchor }) => anchor)).toContain(place?.anchor);
  });

  it("has no link to a section that is not there", () => {
    const places = new Set(PAGES.flatMap(sectionsOf).flatMap(({ page: { path }, anchor }) => [`${path}#${anchor}`, `${path}#`]));
    const known = new Set(PAGES.map(({ path }) => path));
    const links = PAGES.flatMap((one) => [...linked(one, known).matchAll(/\]\((#docs\/[^)]*)\)/g)].flatMap(([, href]) => placeIn(href ?? "") ?? []));
    expect(links.length).toBeGreaterThan(20);
    expect(links.map(({ path, anchor }) => `${path}#${anchor}`).filter((place) => !places.has(place))).toEqual([]);
  });

  it("names sections as their titles", () => expect(anchorOf("Edit `and` continue: how?")).toBe("edit-and-continue-how"));
});

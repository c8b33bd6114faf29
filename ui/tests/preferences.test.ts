import { describe, expect, it } from "vitest";
import { bookmarksIn, changesOf, keptOf, mergedWith, readKnown, understood } from "@/lib/preferences";
import { FIRST_SETTINGS, type Settings } from "@/lib/settings";

const here = (changed: Partial<Settings>): Settings => ({ ...FIRST_SETTINGS, ...changed });
const ada = (values: Record<string, unknown>) => ({ username: "ada", values });

describe("settings on the server", () => {
  it("are those that are not as at first", () => {
    expect(keptOf(here({ theme: "dark", hiddenColumns: [] }))).toEqual({ theme: "dark" });
  });

  it("are told by what changed alone; what is as at first again is null", () => {
    expect(changesOf({ theme: "dark", pageSize: 50 }, { pageSize: 50, language: "de" })).toEqual({ theme: null, language: "de" });
    expect(changesOf({ hiddenColumns: ["a"] }, { hiddenColumns: ["a"] })).toEqual({});
  });

  it("come before those of a browser that kept its own, which gives what they lack", () => {
    expect(mergedWith(ada({ theme: "dark" }), here({ theme: "light", pageSize: 50 }), undefined)).toEqual(here({ theme: "dark", pageSize: 50 }));
  });

  it("take over what another device changed, but not where something was changed here since", () => {
    const known = ada({ theme: "dark", pageSize: 50 });
    const merged = mergedWith(ada({ theme: "light", pageSize: 100, language: "fr" }), here({ theme: "dark", pageSize: 25 }), known);
    expect(merged).toEqual(here({ theme: "light", language: "fr", pageSize: 25 }));
  });

  it("owe nothing to whoever used the browser before", () => {
    expect(mergedWith(ada({ theme: "light" }), here({ theme: "dark", pageSize: 50 }), { username: "bob", values: {} })).toEqual(here({ theme: "light" }));
  });

  it("may hold what this interface does not understand", () => {
    expect(understood(ada({ theme: "pink", flavour: "sour", pageSize: 50 }))).toEqual(ada({ pageSize: 50 }));
  });
});

describe("what a browser kept", () => {
  it.each([null, "", "{", "[]", '{"username": 1, "values": {}}', '{"username": "ada"}'])("tells of no server when it is unreadable: %o", (kept) => expect(readKnown(kept)).toBeUndefined());

  it("tells what the server had", () => expect(readKnown('{"username": "ada", "values": {"theme": "dark"}}')).toEqual(ada({ theme: "dark" })));

  it("may hold bookmarks from before", () => {
    const page = { name: "Broken", path: "/main/executions?state=FAILED" };
    expect(bookmarksIn(JSON.stringify({ theme: "dark", bookmarks: [page, { name: 1 }, null] }))).toEqual([page]);
    expect(bookmarksIn("{")).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { isSameSearch, searchOf, withoutSearch, withSearch } from "@/lib/searches";

describe("saved searches", () => {
  it("hold the filters and the order, not the page one happens to be on", () => {
    expect(searchOf({ state: "FAILED", sort: "state.startDate:asc", page: "3", q: "", labels: undefined })).toEqual({ state: "FAILED", sort: "state.startDate:asc" });
  });

  it("are the same whatever the order of their filters", () => {
    expect(isSameSearch({ a: "1", b: "2" }, { b: "2", a: "1", page: "4" })).toBe(true);
    expect(isSameSearch({ a: "1" }, { a: "1", b: "2" })).toBe(false);
  });

  it("take the place of an older one with their name", () => {
    const first = withSearch([{ name: "late", query: { state: "FAILED" } }, { name: "mine", query: {} }], { name: "late", query: { state: "QUEUED" } });
    expect(first.map(({ name, query }) => [name, query.state])).toEqual([["late", "QUEUED"], ["mine", undefined]]);
    expect(withoutSearch(first, "late").map(({ name }) => name)).toEqual(["mine"]);
  });
});

// UI-010

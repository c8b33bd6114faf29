import { describe, expect, it } from "vitest";
import { filterParams, isFiltered, readFilters, withFilter } from "@/lib/filters";

describe("filters", () => {
  it("are read from the address and nothing else is", () => {
    expect(readFilters({ state: "FAILED,KILLED", page: "2", namespace: ["a", "b"], q: "" })).toEqual({ state: "FAILED,KILLED", namespace: "a" });
  });

  it("become the API's filter parameters", () => {
    expect(filterParams({ q: "x", state: "FAILED", namespace: "n", flowId: "f", timeRange: "PT24H", labels: "team:data,env:prod:eu" })).toEqual({
      "filters[q][EQUALS]": "x", "filters[state][IN]": "FAILED", "filters[namespace][EQUALS]": "n", "filters[flowId][EQUALS]": "f",
      "filters[timeRange][EQUALS]": "PT24H", "filters[labels][EQUALS][team]": "data", "filters[labels][EQUALS][env]": "prod:eu",
    });
  });

  it("are set and removed one by one", () => {
    const set = withFilter({ q: "x" }, "state", "FAILED");
    expect(set).toEqual({ q: "x", state: "FAILED" });
    expect(isFiltered(withFilter(withFilter(set, "q", undefined), "state", ""))).toBe(false);
  });
});

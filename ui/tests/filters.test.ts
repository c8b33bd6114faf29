import { describe, expect, it } from "vitest";
import { ANY, filterParams, isFiltered, parseSearch, readFilters, withDefaults, withFilter } from "@/lib/filters";

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

describe("filters that hold by default", () => {
  it("hold until the address names another, or none at all", () => {
    expect(withDefaults({ state: "FAILED" }, { timeRange: "P30D", namespace: "" })).toEqual({ timeRange: "P30D", state: "FAILED" });
    expect(withDefaults({ timeRange: "PT1H" }, { timeRange: "P30D" })).toEqual({ timeRange: "PT1H" });
    expect(withDefaults({ timeRange: ANY }, { timeRange: "P30D" })).toEqual({});
    expect(isFiltered({ timeRange: ANY })).toBe(false);
  });

  it("ask for any of several values", () => {
    expect(filterParams({ namespace: "a,b", scope: "USER", triggerId: "t" })).toEqual({
      "filters[namespace][IN]": "a,b", "filters[scope][EQUALS]": "USER", "filters[triggerId][EQUALS]": "t",
    });
  });
});

// UI-161
describe("what is typed into the search", () => {
  const all = ["state", "namespace", "flowId", "timeRange", "labels"] as const;

  it("becomes filters where it names them, and stays text where it does not", () => {
    expect(parseSearch("late state:failed,killed namespace:company.team orders", all)).toEqual({ state: "FAILED,KILLED", namespace: "company.team", q: "late orders" });
  });

  it("keeps blanks within quotes", () => {
    expect(parseSearch('label:"team:big data" "two words"', all)).toEqual({ labels: "team:big data", q: "two words" });
  });

  it("gathers several labels", () => expect(parseSearch("label:a:1 labels:b:2", all)).toEqual({ labels: "a:1,b:2" }));

  it("leaves alone what the list does not offer, addresses and half a filter", () => {
    expect(parseSearch("state:FAILED http://x:8080 time:", ["namespace"])).toEqual({ q: "state:FAILED http://x:8080 time:" });
  });
});

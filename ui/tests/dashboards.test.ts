import { describe, expect, it } from "vitest";
import { narrowingBody } from "@/composables/useDashboards";
import { KINDS } from "@/lib/charts";
import { FIRST_DASHBOARD, lineOfChart, sketchOf, withChart } from "@/lib/dashboards";

describe("the source of a dashboard", () => {
  it("is drawn as far as it can be read", () => {
    expect(sketchOf(FIRST_DASHBOARD)).toMatchObject({ timeRange: "P7D", charts: [{ id: "success_ratio" }, { id: "executions_over_time" }] });
    expect(sketchOf("charts:\n  - id: only_an_id\n  - text\n")).toEqual({ charts: [], timeRange: undefined });
    expect(sketchOf("charts: [")).toBeUndefined();
  });

  it.each(KINDS)("takes one more chart: %s", (kind) => {
    const once = withChart("# mine\ntitle: T\n", kind);
    expect(once).toContain("# mine");
    expect(sketchOf(withChart(once, kind))?.charts.map(({ id, type }) => [id, type.split(".").at(-1)])).toEqual([[`${kind.toLowerCase()}_1`, kind], [`${kind.toLowerCase()}_2`, kind]]);
  });

  it("stays as it is while it cannot be read", () => expect(withChart("charts: [", "KPI")).toBe("charts: ["));

  it("says where a chart stands", () => {
    expect(lineOfChart("title: x\ncharts:\n  - id: a\n  - id: a.b\n", "a.b")).toBe(4);
    expect(lineOfChart("title: x\n", "a")).toBeUndefined();
  });
});

it("filters of a dashboard are sent to each of its charts", () => {
  expect(narrowingBody({ filters: { timeRange: "P7D", state: "FAILED", namespace: "a,b", labels: "team:data" }, page: 2, size: 10 })).toEqual({
    filters: [{ field: "timeRange", operation: "EQUALS", value: "P7D" }, { field: "state", operation: "IN", value: "FAILED" }, { field: "namespace", operation: "IN", value: ["a", "b"] }],
    labels: { team: "data" }, pageNumber: 2, pageSize: 10,
  });
});

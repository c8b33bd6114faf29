import { describe, expect, it } from "vitest";
import { optionOf, type Ink } from "@/lib/chartOptions";
import { colourToken, courseOf, DAY, groupsOf, kindOf, numberText, sharesOf, spans, stepOf, valueText, widthOf, type Chart } from "@/lib/charts";

const TYPE = "io.kestra.plugin.core.dashboard.chart.";
const START = Date.parse("2026-01-01T08:00:00Z");
const END = Date.parse("2026-01-04T12:00:00Z");
const course: Chart = {
  id: "over_time", type: `${TYPE}TimeSeries`, chartOptions: { displayName: "Over time", column: "date", colorByColumn: "state" },
  data: { columns: { date: { field: "START_DATE" }, state: { field: "STATE" }, total: { agg: "COUNT", graphStyle: "BARS" }, took: { field: "DURATION", agg: "SUM", displayName: "Duration" } } },
};
const rows = [
  { date: "2026-01-02T00:00:00Z", state: "SUCCESS", total: 3, took: 30 },
  { date: "2026-01-02T00:00:00Z", state: "FAILED", total: 1, took: 5 },
  { date: "2026-01-04T00:00:00Z", state: "SUCCESS", total: 2, took: null },
];

// UI-045
describe("a course over time", () => {
  const found = courseOf(course, rows, START, END);

  it("has a place for every span, also where nothing happened", () => {
    expect(found.moments.map((moment) => new Date(moment).toISOString().slice(0, 10))).toEqual(["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]);
  });

  it("splits the first measure by colour and shows the second as a whole at the right", () => {
    expect(found.series.map(({ name, token, second, values }) => ({ name, token, second, values }))).toEqual([
      { name: "SUCCESS", token: "success", second: false, values: [0, 3, 0, 2] },
      { name: "FAILED", token: "failed", second: false, values: [0, 1, 0, 0] },
      { name: "Duration", token: "ink-3", second: true, values: [null, 35, null, null] },
    ]);
  });

  it("draws bars on each other and lines where nothing else is said", () => {
    const ink: Ink = { colour: (token) => token, font: "x", locale: "en", nameOf: (name) => name.toLowerCase() };
    const series = optionOf(course, rows, { start: START, end: END }, ink)?.series as { name: string; type: string; stack?: string; yAxisIndex: number }[];
    expect(series.map(({ name, type, stack, yAxisIndex }) => [name, type, stack, yAxisIndex])).toEqual([["success", "bar", "all", 0], ["failed", "bar", "all", 0], ["duration", "line", undefined, 1]]);
    expect(optionOf(course, [], { start: START, end: END }, ink)).toBeUndefined();
  });

  it.each([[6 * 3_600_000, 60_000], [3 * DAY, 3_600_000], [180 * DAY, DAY], [365 * DAY, 7 * DAY]])("of %i ms comes in spans of %i ms", (length, step) => expect(stepOf(length)).toBe(step));
  it("keeps in step with what the server cut", () => expect(spans(0, 25, 10, 13)).toEqual([-7, 3, 13, 23]));
});

// UI-043
it("bars are one for each category, in parts by a further column", () => {
  const chart: Chart = { id: "b", type: `${TYPE}Bar`, chartOptions: { column: "namespace" }, data: { columns: { namespace: { field: "NAMESPACE" }, state: { field: "STATE" }, total: { agg: "COUNT" } } } };
  const found = groupsOf(chart, [{ namespace: "a", state: "FAILED", total: 1 }, { namespace: "b", state: "SUCCESS", total: 4 }, { namespace: "a", state: "SUCCESS", total: 2 }]);
  expect(found.names).toEqual(["a", "b"]);
  expect(found.series.map(({ name, token, values }) => [name, token, values])).toEqual([["SUCCESS", "success", [2, 4]], ["FAILED", "failed", [1, 0]]]);
});

// UI-044
it("shares come largest first, each in the colour of its state", () => {
  const chart: Chart = { id: "p", type: `${TYPE}Pie`, chartOptions: { colorByColumn: "state" }, data: { columns: { state: { field: "STATE" }, total: { agg: "COUNT" } } } };
  expect(sharesOf(chart, [{ state: "FAILED", total: 1 }, { state: "SUCCESS", total: 4 }]).shares).toEqual([
    { name: "SUCCESS", value: 4, token: "success" }, { name: "FAILED", value: 1, token: "failed" },
  ]);
});

// UI-046
describe("numbers", () => {
  const kpi = (numberType: "FLAT" | "PERCENTAGE", field = "ID"): Chart => ({ id: "k", type: `${TYPE}KPI`, chartOptions: { numberType }, data: { columns: { field, agg: "SUM" } } });
  it("are ratios, plain, durations, or not there", () => {
    expect(numberText(71.111, kpi("PERCENTAGE"), "en")).toBe("71.1%");
    expect(numberText(12345, kpi("FLAT"), "en")).toBe("12,345");
    expect(numberText(90, kpi("FLAT", "DURATION"), "en")).toBe("1m 30s");
    expect(numberText(undefined, kpi("FLAT"), "en")).toBeUndefined();
  });
  it("of a count of durations are no durations", () => expect(valueText(90, { field: "DURATION", agg: "COUNT" }, "en")).toBe("90"));
});

it("a chart keeps to the twelve columns, and one of an unknown kind is told", () => {
  expect([undefined, 0, 3, 99].map((width) => widthOf({ id: "x", type: "y", chartOptions: { width } }))).toEqual([6, 1, 3, 12]);
  expect(kindOf({ id: "x", type: `${TYPE}Radar` })).toBeUndefined();
  expect([colourToken("KILLED", 0), colourToken("WARN", 0), colourToken("company.team", 0)]).toEqual(["killed", "warning", "accent"]);
});

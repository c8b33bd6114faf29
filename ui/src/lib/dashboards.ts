/** Sources of dashboards: the one a new editor starts with, charts to add, and what of a source can be drawn. */
import { isMap, isSeq, parseDocument } from "yaml";
import type { Chart, ChartKind } from "./charts";

const TYPE = "io.kestra.plugin.core.dashboard.";

/** A dashboard that shows something on any instance. */
export const FIRST_DASHBOARD = `title: My dashboard
description: Executions of the last week.
timeWindow:
  default: P7D
  max: P365D
charts:
  - id: success_ratio
    type: ${TYPE}chart.KPI
    chartOptions:
      displayName: Success ratio
      numberType: PERCENTAGE
      width: 3
    data:
      type: ${TYPE}data.ExecutionsKPI
      columns:
        field: ID
        agg: COUNT
      numerator:
        - field: STATE
          type: IN
          values: [SUCCESS]
  - id: executions_over_time
    type: ${TYPE}chart.TimeSeries
    chartOptions:
      displayName: Executions over time
      width: 9
      column: date
      colorByColumn: state
    data:
      type: ${TYPE}data.Executions
      columns:
        date:
          field: START_DATE
        state:
          field: STATE
        total:
          displayName: Executions
          agg: COUNT
          graphStyle: BARS
`;

const counted = { field: "ID", agg: "COUNT" };
const PARTS: Record<ChartKind, { readonly chartOptions: object; readonly data?: object; readonly source?: object }> = {
  TimeSeries: {
    chartOptions: { displayName: "Executions over time", width: 6, column: "date", colorByColumn: "state" },
    data: { type: `${TYPE}data.Executions`, columns: { date: { field: "START_DATE" }, state: { field: "STATE" }, total: { ...counted, displayName: "Executions", graphStyle: "BARS" } } },
  },
  Bar: {
    chartOptions: { displayName: "Executions by namespace", width: 6, column: "namespace" },
    data: { type: `${TYPE}data.Executions`, columns: { namespace: { field: "NAMESPACE" }, state: { field: "STATE" }, total: counted } },
  },
  Pie: {
    chartOptions: { displayName: "Executions by state", width: 4, graphStyle: "DONUT", colorByColumn: "state" },
    data: { type: `${TYPE}data.Executions`, columns: { state: { field: "STATE" }, total: counted } },
  },
  Table: {
    chartOptions: { displayName: "Latest executions", width: 6 },
    data: {
      type: `${TYPE}data.Executions`,
      columns: { id: { field: "ID", displayName: "Execution" }, namespace: { field: "NAMESPACE" }, flow: { field: "FLOW_ID" }, state: { field: "STATE" }, date: { field: "START_DATE", displayName: "Started" } },
      orderBy: [{ column: "date", order: "DESC" }],
    },
  },
  KPI: { chartOptions: { displayName: "Executions", numberType: "FLAT", width: 3 }, data: { type: `${TYPE}data.ExecutionsKPI`, columns: counted } },
  Markdown: { chartOptions: { displayName: "Notes", width: 6 }, source: { type: "Text", content: "Write **Markdown** here.\n" } },
};

/** The source with one more chart of a kind at its end; what is written stays as it is, comments included. */
export function withChart(source: string, kind: ChartKind): string {
  const document = parseDocument(source);
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) return source;
  const charts = document.get("charts");
  const chart = document.createNode({ id: freshId(document.toJS() as unknown, kind), type: `${TYPE}chart.${kind}`, ...PARTS[kind] });
  if (isSeq(charts)) charts.add(chart);
  else document.set("charts", [chart]);
  return document.toString({ lineWidth: 0 });
}

function freshId(written: unknown, kind: ChartKind): string {
  const taken = new Set(chartsIn(written).map(({ id }) => id));
  const name = kind.toLowerCase();
  for (let at = 1; ; at += 1) if (!taken.has(`${name}_${at}`)) return `${name}_${at}`;
}

export interface Sketch {
  readonly charts: readonly Chart[];
  readonly timeRange?: string;
}

/** What of a source can be drawn already; undefined while it cannot be read. */
export function sketchOf(source: string): Sketch | undefined {
  const document = parseDocument(source);
  if (document.errors.length > 0) return undefined;
  const written = document.toJS() as { timeWindow?: { default?: unknown } } | null;
  const timeRange = written?.timeWindow?.default;
  return { charts: chartsIn(written), timeRange: typeof timeRange === "string" ? timeRange : undefined };
}

function chartsIn(written: unknown): Chart[] {
  const charts = typeof written === "object" && written !== null ? (written as { charts?: unknown }).charts : undefined;
  if (!Array.isArray(charts)) return [];
  return charts.filter((chart): chart is Chart => typeof chart === "object" && chart !== null && typeof (chart as Chart).id === "string" && typeof (chart as Chart).type === "string");
}

/** The line a chart begins on, for showing it in the editor. */
export function lineOfChart(source: string, id: string): number | undefined {
  const at = source.split("\n").findIndex((line) => new RegExp(`^\\s*-?\\s*id:\\s*["']?${id.replace(/[^\w-]/g, ".")}["']?\\s*$`).test(line));
  return at < 0 ? undefined : at + 1;
}

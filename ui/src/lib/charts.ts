/** Charts as dashboards write them, and the rows they show, read into what a page draws (UI-041 to UI-050). */
import { formatDuration } from "./duration";
import { STATES, tone } from "./states";

export type ChartKind = "TimeSeries" | "Bar" | "Pie" | "Table" | "KPI" | "Markdown";
export const KINDS: readonly ChartKind[] = ["TimeSeries", "Bar", "Pie", "Table", "KPI", "Markdown"];

export interface Column {
  readonly field?: string;
  readonly displayName?: string;
  readonly agg?: string;
  readonly graphStyle?: "LINES" | "BARS" | "POINTS";
  readonly columnAlignment?: "LEFT" | "RIGHT" | "CENTER";
}

export interface ChartOptions {
  readonly displayName?: string;
  readonly description?: string;
  readonly width?: number;
  readonly column?: string;
  readonly colorByColumn?: string;
  readonly graphStyle?: "PIE" | "DONUT";
  readonly numberType?: "FLAT" | "PERCENTAGE";
  readonly legend?: { readonly enabled?: boolean };
  readonly tooltip?: "NONE" | "ALL" | "SINGLE";
  readonly header?: { readonly enabled?: boolean };
  readonly pagination?: { readonly enabled?: boolean };
}

export interface Chart {
  readonly id: string;
  readonly type: string;
  readonly chartOptions?: ChartOptions | null;
  readonly data?: { readonly type?: string; readonly columns?: Readonly<Record<string, Column>> | Column };
}

export type Row = Readonly<Record<string, unknown>>;

/** What kind of chart a type is, or undefined for one this interface does not know. */
export function kindOf(chart: Chart): ChartKind | undefined {
  const name = chart.type.split(".").at(-1);
  return KINDS.find((kind) => kind === name);
}

export function titleOf(chart: Chart): string {
  return chart.chartOptions?.displayName ?? chart.id;
}

/** How many of the twelve columns of the page a chart takes. */
export function widthOf(chart: Chart): number {
  return Math.min(12, Math.max(1, Math.round(chart.chartOptions?.width ?? 6)));
}

/** The columns of a chart by key; the one of a KPI is called `value`. */
export function columnsOf(chart: Chart): [string, Column][] {
  const columns = chart.data?.columns;
  if (!columns) return [];
  return kindOf(chart) === "KPI" ? [["value", columns as Column]] : Object.entries(columns as Record<string, Column>);
}

/** The colour token of a name: that of a state or a log level, or one of a row for anything else. */
export function colourToken(name: string, at: number): string {
  const state = STATES.find((one) => one === name);
  if (state) return tone(state);
  return LEVELS[name] ?? SEQUENCE[at % SEQUENCE.length] ?? "accent";
}

const LEVELS: Record<string, string> = { ERROR: "failed", WARN: "warning", INFO: "running", DEBUG: "queued", TRACE: "skipped" };
const SEQUENCE = ["accent", "running", "paused", "warning", "queued", "retrying", "killed"];

/** A value of a column as people read it. */
export function valueText(value: unknown, column: Column | undefined, locale: string): string {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return typeof value === "object" ? JSON.stringify(value) : String(value);
  if (column?.field === "DURATION" && column.agg !== "COUNT") return formatDuration(value * 1_000);
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(value);
}

/** The number of a KPI. */
export function numberText(value: unknown, chart: Chart, locale: string): string | undefined {
  if (typeof value !== "number") return undefined;
  if (chart.chartOptions?.numberType === "PERCENTAGE") return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(value / 100);
  return valueText(value, columnsOf(chart)[0]?.[1], locale);
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The length of the spans a course over this time comes in, as the server cuts it. */
export function stepOf(length: number): number {
  if (length <= 6 * HOUR) return MINUTE;
  if (length <= 3 * DAY) return HOUR;
  return length <= 180 * DAY ? DAY : 7 * DAY;
}

/** The beginnings of all spans from `start` to `end`, in step with one that is known; none are left out. */
export function spans(start: number, end: number, step: number, known: number): number[] {
  const first = known - Math.ceil((known - start) / step) * step;
  return Array.from({ length: Math.max(1, Math.floor((end - first) / step) + 1) }, (_, at) => first + at * step);
}

export interface Series {
  readonly name: string;
  readonly style: "LINES" | "BARS" | "POINTS";
  readonly column: Column;
  readonly token: string;
  /** True for what is measured on the axis at the right. */
  readonly second: boolean;
  readonly values: readonly (number | null)[];
}

export interface Course {
  readonly step: number;
  readonly moments: readonly number[];
  readonly series: readonly Series[];
}

/** The first column with an aggregation by each value of the coloured one, the second as a whole. */
export function courseOf(chart: Chart, rows: readonly Row[], start: number, end: number): Course {
  const { column = "", colorByColumn } = chart.chartOptions ?? {};
  const step = stepOf(end - start);
  const dated = rows.flatMap((row) => {
    const moment = Date.parse(String(row[column]));
    return Number.isNaN(moment) ? [] : [{ row, moment }];
  });
  const moments = spans(start, end, step, dated[0]?.moment ?? Math.floor(start / step) * step);
  const measured = columnsOf(chart).filter(([, one]) => one.agg);
  const series = measured.flatMap(([key, one], at): Series[] => {
    const names = at === 0 && colorByColumn ? [...new Set(dated.map(({ row }) => String(row[colorByColumn] ?? "–")))].sort(byState) : [undefined];
    return names.map((name, n) => {
      const values = new Map<number, number>();
      for (const { row, moment } of dated) {
        if (name !== undefined && String(row[colorByColumn ?? ""] ?? "–") !== name) continue;
        const value = row[key];
        if (typeof value === "number") values.set(moment, combined(values.get(moment), value, one.agg));
      }
      const title = one.displayName ?? key;
      const style = one.graphStyle ?? "LINES";
      const gap = style === "BARS" || one.agg === "COUNT" ? 0 : null;
      return { name: name ?? title, style, column: one, token: name === undefined ? (at === 0 ? "accent" : "ink-3") : colourToken(name, n), second: at > 0, values: moments.map((moment) => values.get(moment) ?? gap) };
    });
  });
  return { step, moments, series };
}

/** What several groups of one span are together. */
function combined(before: number | undefined, value: number, agg: string | undefined): number {
  if (before === undefined) return value;
  if (agg === "MAX") return Math.max(before, value);
  return agg === "MIN" ? Math.min(before, value) : before + value;
}

export interface Groups {
  readonly names: readonly string[];
  readonly column: Column | undefined;
  readonly series: readonly { readonly name: string; readonly token: string; readonly values: readonly number[] }[];
}

/** Bars: one for each category, in as many parts as a further column has values. */
export function groupsOf(chart: Chart, rows: readonly Row[]): Groups {
  const category = chart.chartOptions?.column ?? "";
  const columns = columnsOf(chart);
  const [measure, column] = columns.find(([, one]) => one.agg) ?? [];
  const split = columns.find(([key, one]) => !one.agg && key !== category)?.[0];
  const names = [...new Set(rows.map((row) => String(row[category] ?? "–")))];
  const parts = split ? [...new Set(rows.map((row) => String(row[split] ?? "–")))].sort(byState) : [column?.displayName ?? measure ?? ""];
  const series = parts.map((name, at) => ({
    name,
    token: split ? colourToken(name, at) : "accent",
    values: names.map((own) => total(rows.filter((row) => String(row[category] ?? "–") === own && (!split || String(row[split] ?? "–") === name)), measure)),
  }));
  return { names, column, series };
}

/** Shares of a whole, the largest first. */
export function sharesOf(chart: Chart, rows: readonly Row[]): { readonly column: Column | undefined; readonly shares: readonly { readonly name: string; readonly value: number; readonly token: string }[] } {
  const columns = columnsOf(chart);
  const [measure, column] = columns.find(([, one]) => one.agg) ?? [];
  const by = chart.chartOptions?.colorByColumn ?? columns.find(([, one]) => !one.agg)?.[0] ?? "";
  const names = [...new Set(rows.map((row) => String(row[by] ?? "–")))];
  const shares = names.map((name) => ({ name, value: total(rows.filter((row) => String(row[by] ?? "–") === name), measure) })).sort((one, other) => other.value - one.value);
  return { column, shares: shares.map((share, at) => ({ ...share, token: colourToken(share.name, at) })) };
}

function total(rows: readonly Row[], key: string | undefined): number {
  return rows.reduce((sum, row) => sum + (typeof row[key ?? ""] === "number" ? (row[key ?? ""] as number) : 0), 0);
}

/** States in the order of the filters, anything else by its name. */
function byState(one: string, other: string): number {
  const places = [one, other].map((name) => STATES.findIndex((state) => state === name)) as [number, number];
  return places[0] - places[1] || one.localeCompare(other);
}

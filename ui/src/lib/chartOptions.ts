/** Charts in the words of the drawing library: thin axes, the colours of the page, no decoration. */
import type { EChartsCoreOption } from "echarts/core";
import { courseOf, DAY, groupsOf, sharesOf, valueText, type Chart, type Column, type Row } from "./charts";
import { formatDate, formatDay } from "./dates";

/** What a drawing takes from the page it stands on. */
export interface Ink {
  readonly colour: (token: string) => string;
  readonly font: string;
  readonly locale: string;
  readonly timeZone?: string;
  readonly nameOf: (value: string) => string;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The drawing of a course, bars or shares; undefined when there is nothing to draw. */
export function optionOf(chart: Chart, rows: readonly Row[], span: Span, ink: Ink): EChartsCoreOption | undefined {
  if (rows.length === 0) return undefined;
  const kind = chart.type.split(".").at(-1);
  if (kind === "TimeSeries") return course(chart, rows, span, ink);
  if (kind === "Bar") return bars(chart, rows, ink);
  return kind === "Pie" ? pie(chart, rows, ink) : undefined;
}

function course(chart: Chart, rows: readonly Row[], { start, end }: Span, ink: Ink): EChartsCoreOption {
  const { step, moments, series } = courseOf(chart, rows, start, end);
  const columns = [series.find(({ second }) => !second)?.column, series.find(({ second }) => second)?.column];
  const labels = moments.map((moment) => (step >= DAY ? formatDay(moment, { locale: ink.locale, timeZone: "UTC" }) : hourOf(moment, ink)));
  return {
    ...frame(chart, ink, series.length),
    tooltip: tooltip(chart, ink, "axis"),
    xAxis: { ...category(ink), data: labels },
    yAxis: columns.flatMap((column, at) => (column ? [{ ...valueAxis(column, ink), position: at === 0 ? "left" : "right", splitLine: { show: at === 0, lineStyle: { color: ink.colour("line") } } }] : [])),
    series: series.map(({ name, style, token, second, values, column }) => ({
      name: ink.nameOf(name), type: style === "BARS" ? "bar" : style === "POINTS" ? "scatter" : "line", stack: style === "BARS" && !second ? "all" : undefined, yAxisIndex: second ? 1 : 0,
      data: values, color: ink.colour(token), barMaxWidth: 28, symbolSize: style === "POINTS" ? 6 : 4, showSymbol: values.filter((value) => value !== null).length < 3, lineStyle: { width: 1.6 },
      tooltip: { valueFormatter: (value: unknown) => valueText(value, column, ink.locale) },
    })),
  };
}

function bars(chart: Chart, rows: readonly Row[], ink: Ink): EChartsCoreOption {
  const { names, series, column } = groupsOf(chart, rows);
  return {
    ...frame(chart, ink, series.length),
    tooltip: tooltip(chart, ink, "axis"),
    xAxis: { ...category(ink), data: names.map(ink.nameOf) },
    yAxis: valueAxis(column, ink),
    series: series.map(({ name, token, values }) => ({
      name: ink.nameOf(name), type: "bar", stack: "all", data: values, color: ink.colour(token), barMaxWidth: 40,
      tooltip: { valueFormatter: (value: unknown) => valueText(value, column, ink.locale) },
    })),
  };
}

function pie(chart: Chart, rows: readonly Row[], ink: Ink): EChartsCoreOption {
  const { shares, column } = sharesOf(chart, rows);
  const isDonut = chart.chartOptions?.graphStyle !== "PIE";
  return {
    ...frame(chart, ink, 0),
    tooltip: tooltip(chart, ink, "item"),
    series: [{
      type: "pie", radius: isDonut ? ["48%", "70%"] : "70%", center: ["50%", "50%"], itemStyle: { borderColor: ink.colour("surface-1"), borderWidth: 2 },
      label: { show: chart.chartOptions?.legend?.enabled !== false, formatter: ({ name, percent = 0 }: { name: string; percent?: number }) => `${name}\n${new Intl.NumberFormat(ink.locale, { style: "percent" }).format(percent / 100)}`, color: ink.colour("ink-2"), fontFamily: ink.font, fontSize: 11, lineHeight: 15 },
      labelLine: { length: 8, length2: 8, lineStyle: { color: ink.colour("line-strong") } },
      data: shares.map(({ name, value, token }) => ({ name: ink.nameOf(name), value, itemStyle: { color: ink.colour(token) } })),
      tooltip: { valueFormatter: (value: unknown) => valueText(value, column, ink.locale) },
    }],
  };
}

function frame(chart: Chart, ink: Ink, series: number): EChartsCoreOption {
  const legend = series > 1 && chart.chartOptions?.legend?.enabled !== false;
  return {
    animation: false,
    textStyle: { fontFamily: ink.font, color: ink.colour("ink-2") },
    grid: { left: 8, right: 12, top: 14, bottom: legend ? 34 : 6, containLabel: true },
    legend: legend ? { type: "scroll", bottom: 0, left: 8, itemWidth: 10, itemHeight: 10, icon: "roundRect", textStyle: { color: ink.colour("ink-2"), fontSize: 11 }, pageTextStyle: { color: ink.colour("ink-3") }, pageIconColor: ink.colour("ink-2"), pageIconInactiveColor: ink.colour("line-strong") } : undefined,
  };
}

function tooltip(chart: Chart, ink: Ink, all: "axis" | "item"): object {
  const wanted = chart.chartOptions?.tooltip ?? "ALL";
  return {
    show: wanted !== "NONE", trigger: wanted === "SINGLE" ? "item" : all, confine: true, backgroundColor: ink.colour("surface-1"), borderColor: ink.colour("line"), textStyle: { color: ink.colour("ink-1"), fontSize: 12 },
    axisPointer: { type: "shadow", shadowStyle: { color: ink.colour("ink-3"), opacity: 0.08 } },
  };
}

function category(ink: Ink): object {
  return { type: "category", axisTick: { show: false }, axisLine: { lineStyle: { color: ink.colour("line-strong") } }, axisLabel: { color: ink.colour("ink-3"), fontSize: 11, hideOverlap: true } };
}

function valueAxis(column: Column | undefined, ink: Ink): object {
  return {
    type: "value", minInterval: column?.agg === "COUNT" ? 1 : undefined, splitNumber: 4, splitLine: { lineStyle: { color: ink.colour("line") } },
    axisLabel: { color: ink.colour("ink-3"), fontSize: 11, formatter: (value: number) => valueText(value, column, ink.locale) },
  };
}

function hourOf(moment: number, ink: Ink): string {
  return formatDate(moment, { format: "plain", locale: ink.locale, timeZone: ink.timeZone }).slice(11, 16);
}

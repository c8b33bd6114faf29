/** What tasks measured, in words. */
import type { MetricEntry } from "@/api/types";
import { formatDuration } from "./duration";

/** The value of a metric; timers count milliseconds. */
export function metricText({ type, value }: Pick<MetricEntry, "type" | "value">, number: (value: number, options: Intl.NumberFormatOptions) => string): string {
  return type === "timer" ? formatDuration(value) : number(value, { maximumFractionDigits: 3 });
}

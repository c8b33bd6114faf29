/** Moments in the reader's own zone: relative for a glance, absolute for the exact answer. */

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000_000],
  ["month", 2_592_000_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

/** "12 sec. ago", "in 3 min.": the distance of a moment from now, in its largest unit. */
export function relativeTime(moment: number, now: number, locale = "en"): string {
  const distance = moment - now;
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "narrow" });
  const [unit, size] = STEPS.find(([, size]) => Math.abs(distance) >= size) ?? ["second", 1_000];
  return format.format(Math.trunc(distance / size), unit);
}

/** The full moment with its zone, for a tooltip. */
export function absoluteTime(moment: number, locale = "en", timeZone?: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "long", timeZone }).format(moment);
}

/** Hour, minute, second and millisecond, for log lines. */
export function clockTime(moment: number, timeZone?: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, timeZone,
  }).format(moment);
}

/** Epoch milliseconds of a date text, or undefined. */
export function toMillis(text: string | null | undefined): number | undefined {
  const value = text ? Date.parse(text) : Number.NaN;
  return Number.isNaN(value) ? undefined : value;
}

/** Absolute dates as the reader wants them, in the zone the reader chose (UI-023). */

export const DATE_FORMATS = ["automatic", "iso", "plain", "slashes", "medium", "weekday", "long", "full"] as const;
export type DateFormat = (typeof DATE_FORMATS)[number];

export interface Manner {
  readonly format: DateFormat;
  readonly locale: string;
  /** An IANA zone; undefined for the browser's own. */
  readonly timeZone?: string;
}

const WORDS: Partial<Record<DateFormat, Intl.DateTimeFormatOptions>> = {
  automatic: { dateStyle: "medium", timeStyle: "long" },
  medium: { year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit" },
  weekday: { weekday: "short", year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit" },
  long: { year: "numeric", month: "long", day: "numeric", hour: "numeric", minute: "2-digit" },
  full: { weekday: "long", year: "numeric", month: "long", day: "numeric", hour: "numeric", minute: "2-digit" },
};
const FIGURES: Intl.DateTimeFormatOptions = {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "longOffset",
};

// Making a formatter costs far more than using it, and lists use one for every row.
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  const found = formatters.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formatters.set(key, found);
  return found;
}

/** A moment in one of the formats. */
export function formatDate(moment: number, { format, locale, timeZone }: Manner): string {
  const words = WORDS[format];
  if (words) return formatter(locale, { ...words, timeZone }).format(moment);
  const parts = Object.fromEntries(formatter("en-CA", { ...FIGURES, timeZone }).formatToParts(moment).map(({ type, value }) => [type, value]));
  const clock = `${parts.hour}:${parts.minute}:${parts.second}`;
  if (format === "slashes") return `${parts.day}/${parts.month}/${parts.year} ${clock}`;
  const day = `${parts.year}-${parts.month}-${parts.day}`;
  return format === "iso" ? `${day}T${clock}${offsetOf(parts.timeZoneName)}` : `${day} ${clock}`;
}

/** Month and day, for a line that also has its clock time. */
export function formatDay(moment: number, { locale, timeZone }: Pick<Manner, "locale" | "timeZone">): string {
  return formatter(locale, { month: "short", day: "2-digit", timeZone }).format(moment);
}

/** "GMT+02:00" as "+02:00". */
function offsetOf(name: string | undefined): string {
  const offset = (name ?? "").replace(/^(GMT|UTC)/, "");
  return offset === "" ? "+00:00" : offset;
}

export function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).format(0) !== "";
  } catch {
    return false;
  }
}

/** "Europe/Berlin (UTC+02:00)": a zone with its distance from UTC at a moment. */
export function zoneWithOffset(zone: string, moment: number): string {
  const parts = formatter("en-CA", { ...FIGURES, timeZone: zone }).formatToParts(moment);
  return `${zone} (UTC${offsetOf(parts.find(({ type }) => type === "timeZoneName")?.value)})`;
}

/** Every zone the browser knows, with the one that all others are measured by. */
export function timeZones(): string[] {
  return [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])];
}

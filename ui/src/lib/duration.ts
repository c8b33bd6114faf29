/** Durations: ISO-8601 text in, milliseconds inside, short words out. */

const ISO = /^(-)?P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i;
const UNITS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1_000];

/** Milliseconds of an ISO-8601 duration of weeks to seconds, or undefined when the text is none. */
export function parseDuration(text: string): number | undefined {
  const match = ISO.exec(text.trim());
  if (!match || /^-?P$|T$/i.test(text.trim())) return undefined;
  const total = UNITS.reduce((sum, unit, n) => sum + Number(match[n + 2] ?? 0) * unit, 0);
  return match[1] ? -total : total;
}

/** "340 ms", "4.3 s", "1m 23s", "2h 05m", "3d 4h": two figures at most, the larger unit first. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return "0 ms";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${trim(ms / 1_000)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

function trim(seconds: number): string {
  return seconds < 10 ? seconds.toFixed(1).replace(/\.0$/, "") : String(Math.round(seconds));
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

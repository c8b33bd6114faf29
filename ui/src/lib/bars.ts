/** Bars of a series over time: their places and heights in per cent, and where a line of the grid is drawn. */
export interface Point {
  readonly at: number;
  readonly value: number;
}

export interface Bar extends Point {
  readonly left: number;
  readonly width: number;
  readonly height: number;
}

export interface Chart {
  readonly bars: readonly Bar[];
  readonly top: number;
}

/** So many bars fit side by side; a series in larger steps has fewer. */
const WIDEST = 6;

/** The bars of a series between two instants, each as wide as a step. */
export function chartOf(points: readonly Point[], from: number, to: number, step: number): Chart {
  const top = roundedUp(Math.max(0, ...points.map((point) => point.value)));
  const span = Math.max(step, to - from);
  const width = Math.min(WIDEST, (step / span) * 100);
  const bars = points
    .filter(({ at }) => at >= from - step && at <= to)
    .map((point) => ({ ...point, left: Math.min(100 - width, Math.max(0, ((point.at - from) / span) * 100)), width: width * 0.8, height: top > 0 ? Math.max(1, (point.value / top) * 100) : 0 }));
  return { bars, top };
}

/** The next number that is 1, 2 or 5 with noughts. */
export function roundedUp(value: number): number {
  if (value <= 0) return 0;
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * ([1, 2, 5, 10].find((step) => step * unit >= value) ?? 10);
}

/** The length of a step by its name, in milliseconds. */
export const STEPS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000 };
